/**
 * Frames that have begun to come, of all connections together: each may be long, but not too many of them at a time.
 *
 * @module
 */

import type { FrameSplitter } from "../../protocol/frame_splitter.ts";
import type { Parser } from "../net/conversation.ts";

/** What is not longer than this is not counted: all connections may have that much. */
const SHORT_BYTES = 64 * 1024;

/** Counts them, and ends the connection whose frame has been on its way for longest when they are too many bytes. */
export class PartialFrames {
  readonly #most: number;
  /** Those that are counted, the one that has been there longest first. */
  readonly #frames = new Map<PartialFrame, number>();
  #bytes = 0;

  /** `most` bytes may be there. */
  constructor(most: number) {
    this.#most = most;
  }

  /** So many bytes are there of a frame now. */
  count(frame: PartialFrame, bytes: number): void {
    const before = this.#frames.get(frame) ?? 0;
    const after = bytes > SHORT_BYTES ? bytes : 0;
    if (before === after) return;
    this.#bytes += after - before;
    if (after === 0) this.#frames.delete(frame);
    else this.#frames.set(frame, after);
    for (const oldest of this.#frames.keys()) {
      if (this.#bytes <= this.#most) return;
      this.count(oldest, 0);
      oldest.end();
    }
  }
}

/** The frames of one connection. */
export class PartialFrame implements Parser {
  readonly #splitter: FrameSplitter;
  readonly #all: PartialFrames;
  /** Ends the connection. */
  readonly end: () => void;

  /** Cuts them by `splitter`. */
  constructor(splitter: FrameSplitter, all: PartialFrames, end: () => void) {
    this.#splitter = splitter;
    this.#all = all;
    this.end = end;
  }

  /** See {@linkcode Parser.pending}. */
  get pending(): number {
    return this.#splitter.pending;
  }

  /** See {@linkcode Parser.push}. */
  push(bytes: Uint8Array): void {
    this.#splitter.push(bytes);
    this.#all.count(this, this.#splitter.pending);
  }

  /** The connection is gone. */
  close(): void {
    this.#all.count(this, 0);
  }
}
