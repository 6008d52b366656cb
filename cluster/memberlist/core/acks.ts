/**
 * Pings that wait for an answer, by sequence number (docs/spec/memberlist.md 7, messages 2 and 11).
 *
 * @module
 */

import type { Random } from "../../runtime.ts";

/** Pings that may wait at a time; peers can ask for pings, so there is a bound. */
const MAX_WAITING = 4096;

/** Who waits for the answer to a ping. */
export interface AckWaiter {
  /** The answer came; `payload` is the other application's, `null` when there is none. Called once. */
  ack(payload: Uint8Array | null): void;
  /** A helper says that it got no answer. */
  nack?(): void;
}

/** Hands out sequence numbers and finds the waiter for an answer. */
export class Acks {
  readonly #waiting = new Map<number, AckWaiter>();
  #lastSeqNo: number;

  /** Sequence numbers start anywhere, so that answers are hard to forge (docs/spec/memberlist.md 12). */
  constructor(random: Random) {
    this.#lastSeqNo = new DataView(random.bytes(4).buffer).getUint32(0);
  }

  /** How many pings wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Whether no more pings may wait. Own probes may; what peers ask for may not. */
  get full(): boolean {
    return this.#waiting.size >= MAX_WAITING;
  }

  /** Waits for the answer to a new ping, under the sequence number that is returned (32 bits). */
  expect(waiter: AckWaiter): number {
    do {
      this.#lastSeqNo = (this.#lastSeqNo + 1) >>> 0;
    } while (this.#waiting.has(this.#lastSeqNo));
    this.#waiting.set(this.#lastSeqNo, waiter);
    return this.#lastSeqNo;
  }

  /** Stops waiting. */
  forget(seqNo: number): void {
    this.#waiting.delete(seqNo);
  }

  /** An answer came: tells its waiter, which is then forgotten. Ignores unknown numbers. */
  ack(seqNo: number, payload: Uint8Array | null): void {
    const waiter = this.#waiting.get(seqNo);
    this.#waiting.delete(seqNo);
    waiter?.ack(payload);
  }

  /** A helper got no answer. Ignores unknown numbers. */
  nack(seqNo: number): void {
    this.#waiting.get(seqNo)?.nack?.();
  }
}
