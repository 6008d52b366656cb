/**
 * What agents that keep no state ask servers: who leads, for stale reads, and what their clients want.
 *
 *     leader    0xf3                the answer is the id of the leader, or nothing
 *     read      0xf4 | question     the answer is `u32 lag in ms | encoded result`, from what the server has
 *
 * What their clients watch is in `watching/fetch_codec.ts`. Anything else is a message of requests, as servers forward them to each other.
 *
 * @module
 */

import { decodeResult, encodeResult } from "../../../cluster/machine/mod.ts";
import { concatBytes, getU32, NO_BYTES, putU32 } from "../../../protocol/bytes.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { ForwardError } from "../driver/forwarding.ts";
import type { Replica } from "../driver/replica.ts";
import type { Answer } from "../service.ts";
import type { Fetches } from "../watching/fetches.ts";
import { REQUEST } from "../wire_requests.ts";

/** How long a stale read may take, in milliseconds. */
const READ_LIMIT_MS = 5_000;

/** The question who leads. */
export const WHO_LEADS = Uint8Array.of(REQUEST.leader);

/** The question for what a server has, as old as it may be. */
export function encodeRead(question: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(REQUEST.read), question]);
}

/** What a server has answered to that; `undefined` when it is no answer. */
export function decodeReadAnswer(bytes: Uint8Array): Answer | undefined {
  if (bytes.length <= 4) return undefined;
  try {
    return { result: decodeResult(bytes.subarray(4)), lagMs: getU32(bytes, 0) };
  } catch {
    // The decoder throws for nothing but bytes that are no result.
    return undefined;
  }
}

/** A server's answer to an agent that keeps no state, which may ask nothing but this; no bytes to anything else. */
export async function answerVisitor(
  from: string,
  bytes: Uint8Array,
  replica: Pick<Replica, "leaderId" | "query" | "receiveRequests">,
  fetches: Fetches,
): Promise<Uint8Array> {
  switch (bytes[0]) {
    case REQUEST.fetch:
      return await fetches.fetch(from, bytes);
    case REQUEST.nudge:
      fetches.nudge(from);
      return NO_BYTES;
    case REQUEST.leader:
      return encodeUtf8(replica.leaderId ?? "");
    case REQUEST.read: {
      const { promise, resolve } = Promise.withResolvers<Answer>();
      replica.query(bytes.subarray(1), "stale", READ_LIMIT_MS, resolve);
      return encodeReadAnswer(await promise);
    }
  }
  return await answerRequests(bytes, replica);
}

/** The answer to a message of requests; no bytes when it is none. */
export async function answerRequests(
  bytes: Uint8Array,
  replica: Pick<Replica, "receiveRequests">,
): Promise<Uint8Array> {
  try {
    return await replica.receiveRequests(bytes);
  } catch (error) {
    if (error instanceof ForwardError) return NO_BYTES;
    throw error;
  }
}

function encodeReadAnswer({ result, lagMs }: Answer): Uint8Array {
  const head = new Uint8Array(4);
  putU32(head, 0, Math.min(Math.round(lagMs), 0xffff_ffff));
  return concatBytes([head, encodeResult(result)]);
}
