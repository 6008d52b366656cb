/**
 * What is thrown for bytes that are none of the topics wire.
 *
 * @module
 */

import { CODE } from "./codes.ts";
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
