/**
 * Frames of sessions out of a stream of bytes.
 *
 * @module
 */

import { FrameSplitter } from "../frame_splitter.ts";
import { MessageError } from "./errors.ts";
import { MAX_FRAME_BYTES } from "./limits.ts";

/** A splitter that hands the message of each frame to `onFrame`, and throws a `MessageError` for one above `maxBytes`. */
export function frameSplitter(
  onFrame: (bytes: Uint8Array) => void,
  maxBytes: number = MAX_FRAME_BYTES,
): FrameSplitter {
  return new FrameSplitter(onFrame, { most: maxBytes, refuse: (text) => new MessageError(text) });
}
