/**
 * Server requests on their way to one session that is connected: in order, so many at a time, and again when they are not
 * acknowledged.
 *
 * @module
 */

import {
  decodeRequests,
  requestsQuestion,
  type ServerRequest,
} from "../../../cluster/machine/mod.ts";
import { MISSED } from "../../../protocol/kv/change.ts";
import type { Leadership } from "../leading/leadership.ts";
import { FIRST_RESEND_MS, LONGEST_RESEND_MS, MAX_UNACKED, MAX_UNACKED_BYTES } from "./limits.ts";

/** Where server requests go. */
export interface Receiver {
  /** Whether something may be added to what waits for the client; if not, it is told when there is room again. */
  hasRoom(): boolean;
  /** Sends one. */
  request(request: ServerRequest): void;
}

/** The server requests of one session on one connection. */
export class Delivery {
  readonly #session: Uint8Array;
  readonly #receiver: Receiver;
  readonly #machine: () => Leadership["machine"];
  /** The last one that is acknowledged, and the last one that may be. */
  #acked: number;
  #last: number;
  /** The last one that was sent. */
  #sent: number;
  /** Those that are sent and not acknowledged. */
  #unacked: { readonly id: number; readonly bytes: number }[] = [];
  #bytes = 0;
  #waitMs = FIRST_RESEND_MS;
  #resendAt = Infinity;

  /** Nothing is sent before {@linkcode Delivery.send}; all up to `acked` is acknowledged, and there are some up to `last`. */
  constructor(
    session: Uint8Array,
    receiver: Receiver,
    machine: () => Leadership["machine"],
    { acked, last }: { readonly acked: number; readonly last: number },
  ) {
    this.#session = session;
    this.#receiver = receiver;
    this.#machine = machine;
    this.#acked = this.#sent = acked;
    this.#last = last;
  }

  /** Sends what there is, as far as there is room. */
  send(now: number): void {
    while (this.#hasRoom) {
      const from = this.#sent + 1;
      const limit = MAX_UNACKED - this.#unacked.length;
      const question = requestsQuestion({ session: this.#session, from, limit });
      const answer = this.#machine().query(question);
      if (!answer.ok) return;
      const { requests, more } = decodeRequests(answer.body);
      for (const request of requests) {
        if (!this.#sendUpTo(request, now)) return;
      }
      if (!more || requests.length === 0) return;
    }
  }

  /** Up to which one the client has newly acknowledged by this, not more than it can have; 0 for none. */
  ack(upTo: number, now: number): number {
    const acked = Math.min(upTo, Math.max(this.#sent, this.#last));
    if (acked <= this.#acked) return 0;
    this.#acked = acked;
    this.#sent = Math.max(this.#sent, acked);
    const left = this.#unacked.filter(({ id }) => id > acked);
    this.#unacked = left;
    this.#bytes = left.reduce((sum, { bytes }) => sum + bytes, 0);
    this.#waitMs = FIRST_RESEND_MS;
    this.#resendAt = left.length === 0 ? Infinity : now + this.#waitMs;
    this.send(now);
    return acked;
  }

  /** Sends again what has waited for too long. */
  tick(now: number): void {
    if (now < this.#resendAt || !this.#receiver.hasRoom()) return;
    this.#waitMs = Math.min(LONGEST_RESEND_MS, 2 * this.#waitMs);
    // What is not there any more was replaced by something else.
    this.#sent = this.#acked;
    this.#unacked = [];
    this.#bytes = 0;
    this.#resendAt = Infinity;
    this.send(now);
  }

  get #hasRoom(): boolean {
    return this.#unacked.length < MAX_UNACKED && this.#bytes < MAX_UNACKED_BYTES &&
      this.#receiver.hasRoom();
  }

  /**
   * Sends one, after a placeholder for each before it that is gone, since their queue was given up for the one that says so: who
   * takes nothing out of order would wait for them for ever. False when there is no room for all.
   */
  #sendUpTo(request: ServerRequest, now: number): boolean {
    while (this.#hasRoom) {
      const id = this.#sent + 1;
      if (id === request.id) {
        this.#sendOne(request, now);
        return true;
      }
      this.#sendOne({ ...request, id, payload: MISSED }, now);
    }
    return false;
  }

  #sendOne(request: ServerRequest, now: number): void {
    const { id, payload } = request;
    this.#receiver.request(request);
    this.#sent = id;
    this.#last = Math.max(this.#last, id);
    this.#unacked.push({ id, bytes: payload.length });
    this.#bytes += payload.length;
    if (this.#resendAt === Infinity) this.#resendAt = now + this.#waitMs;
  }
}
