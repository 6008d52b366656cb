/**
 * How servers ask each other for bytes of segments.
 *
 *     piece    0xf7 | u64 topic | u32 partition | u64 base | u64 position | u32 length | u64 index
 *     answer   u8 0 | bytes: at most so many, from that position on
 *              u8 1: the state here has applied the entry `index`, and has no such segment
 *              u8 2: they are not here, or not yet, or there is too much to do
 *
 * @module
 */

import type { SegmentId } from "../../../../cluster/machine/topics/segment.ts";
import { getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import { REQUEST } from "../../wire_requests.ts";
import type { SegmentFiles, SegmentState } from "../segment_files.ts";

/** Most bytes of a piece. */
export const MAX_PIECE_BYTES = 1024 * 1024;

/** Pieces that are read at the same time for others. */
const MAX_AT_ONCE = 16;

const QUESTION_BYTES = 41;

/** A piece of a segment. */
export interface PieceQuestion {
  readonly segment: SegmentId;
  readonly position: number;
  readonly length: number;
  /** Who asks wants what the state has after this entry. */
  readonly index: number;
}

/** What a server has of it: bytes, at least one, or that it has none, or that nobody needs it any more. */
export type PieceAnswer = Uint8Array | "gone" | "absent";

/** The bytes of a question. */
export function encodePiece({ segment, position, length, index }: PieceQuestion): Uint8Array {
  const bytes = new Uint8Array(QUESTION_BYTES);
  bytes[0] = REQUEST.piece;
  putU64(bytes, 1, segment.topic);
  putU32(bytes, 9, segment.partition);
  putU64(bytes, 13, segment.base);
  putU64(bytes, 21, position);
  putU32(bytes, 29, length);
  putU64(bytes, 33, index);
  return bytes;
}

/** The question in a request, `undefined` when it is none. */
export function decodePiece(bytes: Uint8Array): PieceQuestion | undefined {
  if (bytes.length !== QUESTION_BYTES) return undefined;
  const question = {
    segment: { topic: getU64(bytes, 1), partition: getU32(bytes, 9), base: getU64(bytes, 13) },
    position: getU64(bytes, 21),
    length: getU32(bytes, 29),
    index: getU64(bytes, 33),
  };
  const { segment: { topic, base }, position, length, index } = question;
  const areWhole = [topic, base, position, index].every(Number.isSafeInteger);
  return areWhole && length > 0 && length <= MAX_PIECE_BYTES ? question : undefined;
}

/** The answer in bytes of a server; `undefined` when they are none. */
export function decodePieceAnswer(bytes: Uint8Array, length: number): PieceAnswer | undefined {
  if (bytes.length === 1) return bytes[0] === 1 ? "gone" : bytes[0] === 2 ? "absent" : undefined;
  return bytes[0] === 0 && bytes.length <= 1 + length ? bytes.subarray(1) : undefined;
}

/** What pieces are taken from. */
export interface PieceSource {
  readonly files: Pick<SegmentFiles, "piece">;
  readonly state: Pick<SegmentState, "row">;
  /** The entry that was applied last. */
  readonly applied: () => number;
}

/** Gives other servers pieces. */
export class Pieces {
  readonly #source: PieceSource;
  #running = 0;

  /** Pieces of what `source` has. */
  constructor(source: PieceSource) {
    this.#source = source;
  }

  /** The answer to a request; an empty one when it is none. Rejects as the disk does. */
  async answer(request: Uint8Array): Promise<Uint8Array> {
    const question = decodePiece(request);
    if (question === undefined) return new Uint8Array();
    if (this.#running >= MAX_AT_ONCE) return Uint8Array.of(2);
    this.#running++;
    try {
      return await this.#read(question);
    } finally {
      this.#running--;
    }
  }

  async #read({ segment, position, length, index }: PieceQuestion): Promise<Uint8Array> {
    const { files, state, applied } = this.#source;
    const bytes = await files.piece(segment, position, length);
    if (bytes.length > 0) {
      const answer = new Uint8Array(1 + bytes.length);
      answer.set(bytes, 1);
      return answer;
    }
    return Uint8Array.of(applied() >= index && state.row(segment) === undefined ? 1 : 2);
  }
}
