/**
 * Messages on their way to one client that has subscribed: between its answers, never inside one, and no more than it may have
 * waiting.
 *
 * What a client does not read in time is dropped, the oldest first, and where it is missing the client is told how much. The bytes
 * of a message are shared with everybody else who gets it; each waits for itself, so they count for each.
 *
 * @module
 */

import type { LineWriter } from "../../protocol/kv/mod.ts";
import { droppedLine } from "../../protocol/kv/message.ts";
import type { Outbox, SharedBacklog } from "../net/outbox.ts";
import { FAIR_BYTES } from "../net/outbox.ts";
import { MAX_PUSHES, MAX_PUSHES_BYTES } from "./limits.ts";

/** Bytes that go to the outbox before the answers have their turn. */
const TURN_BYTES = 256 * 1024;

interface Waiting {
  /** Lines, one after the other. */
  readonly lines: Uint8Array;
  /** How many. */
  readonly count: number;
}

/** The messages that wait for one client. */
export class Pushes {
  readonly #outbox: Outbox<LineWriter>;
  readonly #shared: SharedBacklog;
  readonly #onUnexpected: (error: unknown) => void;
  /** What waits, from `#first` on. */
  #queue: Waiting[] = [];
  #first = 0;
  #count = 0;
  #bytes = 0;
  /** Messages that are missing before the first that waits. */
  #dropped = 0;
  #isWaiting = false;
  #closed = false;

  /**
   * @param shared What waits for all clients of a port.
   * @param onUnexpected Gets what nobody expected to be thrown.
   */
  constructor(
    outbox: Outbox<LineWriter>,
    shared: SharedBacklog,
    onUnexpected: (error: unknown) => void,
  ) {
    this.#outbox = outbox;
    this.#shared = shared;
    this.#onUnexpected = onUnexpected;
  }

  /** So many messages: their lines, one after the other, which nobody may change any more. */
  add(lines: Uint8Array, count: number): void {
    if (this.#closed) return;
    if (!this.#isWaiting && !this.#outbox.congested) return this.#outbox.append(lines);
    this.#queue.push({ lines, count });
    this.#note(count, lines.length);
    this.#dropOldest();
    this.#wait();
  }

  /** So many messages got lost on their way to here. */
  miss(count: number): void {
    if (this.#closed) return;
    if (this.#isWaiting) this.#dropped += count;
    else this.#outbox.append(droppedLine(count));
  }

  /** Nothing is pushed any more. */
  close(): void {
    this.#closed = true;
    this.#note(-this.#count, -this.#bytes);
    this.#queue = [];
  }

  #note(count: number, bytes: number): void {
    this.#count += count;
    this.#bytes += bytes;
    this.#shared.bytes += bytes;
  }

  #dropOldest(): void {
    while (this.#isTooMuch) {
      const oldest = this.#take();
      if (oldest === undefined) return;
      this.#dropped += oldest.count;
    }
  }

  /** The newest stays, whatever waits for others. */
  get #isTooMuch(): boolean {
    if (this.#queue.length - this.#first < 2) return false;
    return this.#count > MAX_PUSHES || this.#bytes > MAX_PUSHES_BYTES ||
      (this.#shared.isFull && this.#bytes > FAIR_BYTES);
  }

  #take(): Waiting | undefined {
    const one = this.#queue[this.#first];
    if (one === undefined) return undefined;
    this.#first++;
    this.#note(-one.count, -one.lines.length);
    // Moved up now and then, not for each message.
    if (this.#first === this.#queue.length || this.#first === 1_024) {
      this.#queue.splice(0, this.#first);
      this.#first = 0;
    }
    return one;
  }

  #wait(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#outbox.drained().then(() => this.#goOn()).catch(this.#onUnexpected);
  }

  /** Writes what waits, as long as the client reads, and leaves room for answers. */
  #goOn(): void {
    this.#isWaiting = false;
    if (this.#closed) return;
    if (this.#dropped > 0) this.#outbox.append(droppedLine(this.#dropped));
    this.#dropped = 0;
    for (let bytes = 0; bytes < TURN_BYTES && !this.#outbox.congested;) {
      const one = this.#take();
      if (one === undefined) return;
      this.#outbox.append(one.lines);
      bytes += one.lines.length;
    }
    if (this.#count > 0) this.#wait();
  }
}
