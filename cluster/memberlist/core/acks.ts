/**
 * Pings that wait for an answer, by sequence number (memberlist.md 7, messages 2 and 11).
 *
 * @module
 */

import type { Random } from "../../runtime.ts";

/** Pings that may wait at a time; peers can ask for pings, so there is a bound. */
const MAX_WAITING = 4096;

/** Who waits for the answer to a ping. */
export interface AckHandler {
  /** The answer came; `payload` is the other application's, `null` when there is none. Called once. */
  ack(payload: Uint8Array | null): void;
  /** A helper says that it got no answer. */
  nack?(): void;
}

/** Hands out sequence numbers and finds the handler for an answer. */
export class Acks {
  readonly #handlers = new Map<number, AckHandler>();
  #lastSeqNo: number;

  /** Sequence numbers start anywhere, so that answers are hard to forge (memberlist.md 12). */
  constructor(random: Random) {
    this.#lastSeqNo = new DataView(random.bytes(4).buffer).getUint32(0);
  }

  /** How many pings wait. */
  get size(): number {
    return this.#handlers.size;
  }

  /** Whether no more pings may wait. Own probes may; what peers ask for may not. */
  get full(): boolean {
    return this.#handlers.size >= MAX_WAITING;
  }

  /** Waits for the answer to a new ping, under the sequence number that is returned (32 bits). */
  expect(handler: AckHandler): number {
    do {
      this.#lastSeqNo = (this.#lastSeqNo + 1) >>> 0;
    } while (this.#handlers.has(this.#lastSeqNo));
    this.#handlers.set(this.#lastSeqNo, handler);
    return this.#lastSeqNo;
  }

  /** Stops waiting. */
  forget(seqNo: number): void {
    this.#handlers.delete(seqNo);
  }

  /** An answer came: tells its handler, which is then forgotten. Ignores unknown numbers. */
  ack(seqNo: number, payload: Uint8Array | null): void {
    const handler = this.#handlers.get(seqNo);
    this.#handlers.delete(seqNo);
    handler?.ack(payload);
  }

  /** A helper got no answer. Ignores unknown numbers. */
  nack(seqNo: number): void {
    this.#handlers.get(seqNo)?.nack?.();
  }
}
