/**
 * What is thrown for bytes that are none of the topics wire, and for requests that were not done.
 *
 * @module
 */

import { CODE, reasonOf } from "./codes.ts";
import type { RequestId } from "./requests.ts";

/** A payload that breaks a rule of the wire. */
export class PayloadError extends Error {
  /** Always "PayloadError". */
  override readonly name = "PayloadError";
  /** What it is answered with. */
  readonly code: number;

  /** `code` is `INVALID_REQUEST` unless told otherwise. */
  constructor(message: string, code: number = CODE.INVALID_REQUEST) {
    super(message);
    this.code = code;
  }
}

/** A frame that is no request, or no reply; it says what the server is to do. */
export class FrameError extends Error {
  /** Always "FrameError". */
  override readonly name = "FrameError";
  /** What it is answered with. */
  readonly code: number;
  /** Which request the answer is for; `undefined` when none is to be sent. */
  readonly requestId: RequestId | undefined;
  /** Whether nothing more can be read from where it came, so that the connection is to be closed, after the answer. */
  readonly ends: boolean;

  /** Without an id nothing is answered. */
  constructor(message: string, code: number, ends: boolean, requestId?: RequestId) {
    super(message);
    this.code = code;
    this.ends = ends;
    this.requestId = requestId;
  }
}

/**
 * A request about topics was refused, or failed. Nothing was changed, unless its reason is `REQUEST_TIMEOUT`: then it may have
 * been done.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, TopicError } from "@skein/agent/client";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * await assert.rejects(client.describeTopic("none"), (error) => {
 *   return error instanceof TopicError && error.reason === "TOPIC_NOT_FOUND";
 * });
 * ```
 */
export class TopicError extends Error {
  /** Always "TopicError". */
  override readonly name = "TopicError";
  /** Number of the kind, as the wire has it. */
  readonly code: number;
  /** Name of the kind, such as `TOPIC_NOT_FOUND`; `UNKNOWN` for a number that this version does not know. */
  readonly reason: string;

  /** `text` is what the server says of it. */
  constructor(code: number, text: string, options?: ErrorOptions) {
    const reason = reasonOf(code) ?? "UNKNOWN";
    const words = text || reason.toLowerCase().replaceAll("_", " ");
    super(words.charAt(0).toUpperCase() + words.slice(1), options);
    this.code = code;
    this.reason = reason;
  }
}

/** Whether a member of a group is told that others have what it had. */
export function isTakenOver(error: unknown): error is TopicError {
  return error instanceof TopicError && TAKEN_OVER.includes(error.code);
}

const TAKEN_OVER: readonly number[] = [
  CODE.UNKNOWN_MEMBER,
  CODE.INVALID_GENERATION,
  CODE.REBALANCE_IN_PROGRESS,
];
