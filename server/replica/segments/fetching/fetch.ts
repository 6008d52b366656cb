/**
 * Fetches a part of a segment from other servers, whichever has it undamaged.
 *
 * @module
 */

import type { SegmentId } from "../../../../cluster/machine/topics/segment.ts";
import type { Clock } from "../../../../cluster/runtime.ts";
import { BatchError, Batches } from "../batches.ts";
import { SegmentAbsentError, SegmentGoneError } from "../errors.ts";
import {
  decodePieceAnswer,
  encodePiece,
  MAX_PIECE_BYTES,
  type PieceAnswer,
  type PieceQuestion,
} from "./pieces.ts";

/** How long a server may take for a piece, in milliseconds. */
const PIECE_LIMIT_MS = 5_000;

/** Pause before all servers are asked again, in milliseconds; it doubles from the first to the longest. */
const PAUSE_MS = { first: 100, longest: 5_000 } as const;

/** The way to the other servers. */
export interface PieceNet {
  /** The other servers as far as they are known, first who probably has it; of `members` too. */
  servers(members: readonly string[]): readonly string[];
  /** Sends a request and resolves with its answer; rejects when there is none. */
  ask(server: string, request: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
  /** Resolves after a time, or rejects with the reason of the signal. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** A part of a segment, from one batch to another, as it is after an entry. */
export interface Wanted {
  readonly segment: SegmentId;
  readonly from: number;
  readonly to: number;
  readonly index: number;
  /** Servers that may be unknown here. */
  readonly members?: readonly string[];
}

/**
 * The batches of a part, one after the other, checked. As long as nobody has them all are asked again and again, unless it is only
 * tried.
 *
 * Rejects with a {@linkcode SegmentGoneError} once a server says that nobody needs them any more, with a
 * {@linkcode SegmentAbsentError} when it was only tried, and with the reason of the signal.
 */
export async function* fetchBatches(
  net: PieceNet,
  wanted: Wanted,
  signal: AbortSignal,
  isTried = false,
): AsyncGenerator<Uint8Array> {
  let { from } = wanted;
  for (let pauseMs: number = PAUSE_MS.first; from < wanted.to;) {
    const before = from;
    for (const server of net.servers(wanted.members ?? [])) {
      for await (const batches of batchesOf(net, server, { ...wanted, from }, signal)) {
        from += batches.length;
        yield batches;
      }
      if (from >= wanted.to) return;
    }
    if (isTried) throw new SegmentAbsentError(`Nobody has more than ${from} bytes`);
    if (from > before) pauseMs = PAUSE_MS.first;
    await net.pause(pauseMs, signal);
    pauseMs = Math.min(2 * pauseMs, PAUSE_MS.longest);
  }
}

/** Resolves after a time of the clock; rejects with the reason of the signal when that fires. */
export function pauseOn(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const aborted = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.setTimer(ms, () => {
      signal.removeEventListener("abort", aborted);
      resolve();
    });
    signal.addEventListener("abort", aborted, { once: true });
  });
}

/** What one server has of it, as far as it is undamaged. The next piece is on its way while one is dealt with. */
async function* batchesOf(
  net: PieceNet,
  server: string,
  { segment, from, to, index }: Wanted,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const batches = new Batches();
  const pieceAt = (position: number): ReturnType<typeof pieceOf> => {
    signal.throwIfAborted();
    const length = Math.min(MAX_PIECE_BYTES, to - position);
    return pieceOf(net, server, { segment, position, length, index });
  };
  let next = pieceAt(from);
  for (let position = from; position < to;) {
    const piece = await next;
    if (piece === "gone") throw new SegmentGoneError(`${segment.topic}/${segment.base}`);
    if (piece === "absent") return;
    position += piece.length;
    if (position < to) next = pieceAt(position);
    let whole: Uint8Array;
    try {
      whole = batches.push(piece);
    } catch (error) {
      if (error instanceof BatchError) return;
      throw error;
    }
    if (whole.length > 0) yield whole;
  }
}

async function pieceOf(
  net: PieceNet,
  server: string,
  question: PieceQuestion,
): Promise<PieceAnswer> {
  let answer: Uint8Array;
  try {
    answer = await net.ask(server, encodePiece(question), PIECE_LIMIT_MS);
  } catch {
    // Whatever it was on the way there, or back: another one may have it.
    return "absent";
  }
  return decodePieceAnswer(answer, question.length) ?? "absent";
}
