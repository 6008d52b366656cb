/**
 * What clients have asked for and have no answer to yet.
 *
 * @module
 */

import type { Result } from "../../../cluster/machine/mod.ts";

/** A command or a question. */
export interface Request {
  readonly kind: "command" | "question";
  /** For the machine. */
  readonly bytes: Uint8Array;
  /** Whether a lease of the leader will do for a question. */
  readonly lease: boolean;
  /** Until when there has to be an answer, in milliseconds of the clock. */
  readonly deadline: number;
  /** Whether it is for this server alone: whoever asks is told when this server does not lead, and looks for the leader itself. */
  readonly staysHere: boolean;
  /** Whether there is room for an answer; if not, a question is not taken on. Without it there is. */
  readonly hasRoom?: () => boolean;
  /** Takes the answer; called once. `undefined` for a question without room, and where this server does not lead for what stays here. */
  readonly done: (result: Result | undefined) => void;
}

/** Requests in order of their coming, bounded in number and bytes. */
export class RequestQueue {
  readonly #limit: { readonly count: number; readonly bytes: number };
  #requests: Request[] = [];
  #bytes = 0;

  /** An empty queue. */
  constructor(limit: { readonly count: number; readonly bytes: number }) {
    this.#limit = limit;
  }

  /** How many wait. */
  get length(): number {
    return this.#requests.length;
  }

  /** Adds one; false when there are too many. */
  add(request: Request): boolean {
    const bytes = this.#bytes + request.bytes.length;
    if (this.#requests.length >= this.#limit.count || bytes > this.#limit.bytes) return false;
    this.#requests.push(request);
    this.#bytes = bytes;
    return true;
  }

  /** Puts back what was taken and could not be done, before all others. */
  putBack(requests: readonly Request[]): void {
    this.#requests = [...requests, ...this.#requests];
    for (const { bytes } of requests) this.#bytes += bytes.length;
  }

  /** Takes out the first ones, within bounds, at least one if there is one. */
  take(count: number, bytes: number): Request[] {
    let end = 0;
    let taken = 0;
    while (end < this.#requests.length && end < count) {
      const size = (this.#requests[end] as Request).bytes.length;
      if (taken + size > bytes && end > 0) break;
      taken += size;
      end++;
    }
    this.#bytes -= taken;
    return this.#requests.splice(0, end);
  }

  /** Takes out those whose time is over. */
  takeExpired(now: number): Request[] {
    const [expired, rest] = [[], []] as [Request[], Request[]];
    for (const request of this.#requests) (request.deadline <= now ? expired : rest).push(request);
    if (expired.length === 0) return expired;
    this.#requests = rest;
    for (const { bytes } of expired) this.#bytes -= bytes.length;
    return expired;
  }
}
