/**
 * Frames of topics out of a stream of bytes.
 *
 * @module
 */

import { FrameSplitter } from "../frame_splitter.ts";
import { CODE } from "./codes.ts";
import { FrameError } from "./errors.ts";
import { MAX_FRAME_BYTES, MIN_REPLY_BYTES, MIN_REQUEST_BYTES } from "./limits.ts";

/**
 * A splitter that hands each request, without its length, to `onFrame`. It throws a `FrameError`, after which the connection is to
 * be closed without an answer, for one that is too long or too short.
 */
export function requestSplitter(onFrame: (bytes: Uint8Array) => void): FrameSplitter {
  return splitter(onFrame, MIN_REQUEST_BYTES, CODE.INVALID_REQUEST);
}

/** The same for replies. */
export function replySplitter(onFrame: (bytes: Uint8Array) => void): FrameSplitter {
  return splitter(onFrame, MIN_REPLY_BYTES, CODE.INVALID_PROTOCOL);
}

function splitter(
  onFrame: (bytes: Uint8Array) => void,
  least: number,
  code: number,
): FrameSplitter {
  const refuse = (text: string): FrameError => new FrameError(text, code, true);
  return new FrameSplitter(onFrame, { least, most: MAX_FRAME_BYTES, refuse });
}
