/**
 * What clients have asked for and have no answer to yet, and how much of it is asked of another server at a time.
 *
 * How long answers are is known only there. So it is judged by those before: whoever was given large ones has few questions under
 * way, and the others need not wait until all of them are answered. Who has no room for answers has none under way.
 *
 * @module
 */

import type { Result } from "../../../cluster/machine/mod.ts";
import type { Asker } from "../service.ts";

/** Bytes of answers that one client may have under way, as far as that is known, but for one more. */
const SHARE_BYTES = 256 * 1024;

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
  /** Who asks a question; without room for the answer it is not taken on. Without an asker there is. */
  readonly asker?: Asker;
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

  /** Takes out the first ones whose turn is now, within bounds, and of those before the last of them whose turn will never be. */
  choose(
    count: number,
    bytes: number,
    turnOf: (request: Request) => "now" | "later" | "never",
  ): { readonly now: Request[]; readonly never: Request[] } {
    const now: Request[] = [];
    const never: Request[] = [];
    const later: Request[] = [];
    let size = 0;
    let end = 0;
    for (; end < this.#requests.length && now.length < count && size < bytes; end++) {
      const request = this.#requests[end] as Request;
      const turn = turnOf(request);
      if (turn === "now") size += request.bytes.length;
      (turn === "now" ? now : turn === "never" ? never : later).push(request);
    }
    this.#requests = [...later, ...this.#requests.slice(end)];
    for (const { bytes } of [...now, ...never]) this.#bytes -= bytes.length;
    return { now, never };
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

/** Knows how long the answers to clients are, and whose questions go next. */
export class Shares {
  /** How long the answers to a client are: the longest, where each counts half as much as the one after it. */
  readonly #sizes = new WeakMap<Asker["client"], number>();

  /**
   * Takes out of a queue those that may go now, within bounds of their number and bytes. Those whose client has no room are told so.
   *
   * @param underWay How many questions of each client are; grows by those that are taken.
   */
  take(
    queue: RequestQueue,
    count: number,
    bytes: number,
    underWay: Map<Asker["client"], number> = new Map(),
  ): Request[] {
    const waiting = new Set<Asker["client"]>();
    const { now, never } = queue.choose(count, bytes, ({ asker }) => {
      if (asker === undefined) return "now";
      const { client } = asker;
      if (waiting.has(client)) return "later";
      if (!asker.hasRoom()) return "never";
      const taken = underWay.get(client) ?? 0;
      if (taken > 0 && (taken + 1) * (this.#sizes.get(client) ?? 0) > SHARE_BYTES) {
        waiting.add(client);
        return "later";
      }
      underWay.set(client, taken + 1);
      return "now";
    });
    for (const { done } of never) done(undefined);
    return now;
  }

  /** A client was given an answer. */
  note({ asker }: Pick<Request, "asker">, result: Result): void {
    if (asker === undefined || !result.ok) return;
    const before = this.#sizes.get(asker.client) ?? 0;
    const size = Math.max(result.body.length, before >> 1);
    if (size !== before) this.#sizes.set(asker.client, size);
  }
}
