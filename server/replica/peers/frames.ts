/**
 * Frames: `u32 length | u8 channel | payload`, where the length counts the channel, too.
 *
 * @module
 */

import { getU32, putU32 } from "../../../protocol/bytes.ts";
import { BLOCK_HEAD_BYTES, BlockError } from "./blocks.ts";

/** What a frame is about; the numbers never change. */
export const CHANNEL = {
  /** Who speaks: the first frame of each end. */
  hello: 0,
  /** Why the connection is about to be closed: text. */
  refusal: 1,
  /** Asks for a {@linkcode CHANNEL.pong}. */
  ping: 2,
  /** A sign of life. */
  pong: 3,
  /** A message of the consensus core. */
  raft: 4,
  /** `u32 number | request`. */
  request: 5,
  /** `u32 number of the request | u8 status | answer`. */
  answer: 6,
  /** What is said about channels (`cluster/pubsub/wire.ts`). */
  news: 7,
} as const;

/** What became of a request. */
export const STATUS = {
  /** The answer follows. */
  answered: 0,
  /** Nothing was done. */
  unsent: 1,
  /** There is no answer; something may have been done. */
  failed: 2,
} as const;

/** A frame as it was received. */
export interface Frame {
  readonly channel: number;
  readonly payload: Uint8Array;
}

/** Bytes before the payload. */
export const FRAME_HEAD_BYTES = BLOCK_HEAD_BYTES + 1;

/** Bytes before a request, and before an answer. */
const NUMBER_BYTES = 4;

/** A frame. */
export function frameOf(channel: number, payload: Uint8Array): Uint8Array {
  const frame = headed(channel, payload.length);
  frame.set(payload, FRAME_HEAD_BYTES);
  return frame;
}

/** A frame with a request. */
export function requestFrame(number: number, request: Uint8Array): Uint8Array {
  const frame = headed(CHANNEL.request, NUMBER_BYTES + request.length);
  putU32(frame, FRAME_HEAD_BYTES, number);
  frame.set(request, FRAME_HEAD_BYTES + NUMBER_BYTES);
  return frame;
}

/** A frame with what became of a request. */
export function answerFrame(number: number, status: number, answer: Uint8Array): Uint8Array {
  const frame = headed(CHANNEL.answer, NUMBER_BYTES + 1 + answer.length);
  putU32(frame, FRAME_HEAD_BYTES, number);
  frame[FRAME_HEAD_BYTES + NUMBER_BYTES] = status;
  frame.set(answer, FRAME_HEAD_BYTES + NUMBER_BYTES + 1);
  return frame;
}

/** Number and bytes of a request. Throws {@linkcode BlockError}. */
export function readRequest(payload: Uint8Array): { number: number; request: Uint8Array } {
  if (payload.length < NUMBER_BYTES) throw new BlockError("Request has no number");
  return { number: getU32(payload, 0), request: payload.subarray(NUMBER_BYTES) };
}

/** What became of which request. Throws {@linkcode BlockError}. */
export function readAnswer(
  payload: Uint8Array,
): { number: number; status: number; answer: Uint8Array } {
  if (payload.length <= NUMBER_BYTES) throw new BlockError("Answer has no number and status");
  return {
    number: getU32(payload, 0),
    status: payload[NUMBER_BYTES] as number,
    answer: payload.subarray(NUMBER_BYTES + 1),
  };
}

/** The frames in `bytes`, which hold nothing else; payloads are views. Throws {@linkcode BlockError}. */
export function framesIn(bytes: Uint8Array): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const left = bytes.length - at;
    const length = left < FRAME_HEAD_BYTES ? 0 : getU32(bytes, at);
    const end = at + BLOCK_HEAD_BYTES + length;
    if (length === 0 || end > bytes.length) {
      throw new BlockError(`Frame of ${length} bytes in ${left} bytes`);
    }
    const channel = bytes[at + BLOCK_HEAD_BYTES] as number;
    frames.push({ channel, payload: bytes.subarray(at + FRAME_HEAD_BYTES, end) });
    at = end;
  }
  return frames;
}

function headed(channel: number, length: number): Uint8Array {
  const frame = new Uint8Array(FRAME_HEAD_BYTES + length);
  putU32(frame, 0, 1 + length);
  frame[BLOCK_HEAD_BYTES] = channel;
  return frame;
}
