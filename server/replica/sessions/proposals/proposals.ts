/**
 * Requests of sessions that were proposed and have no result yet.
 *
 * A request that comes again before it has one, on the same connection or the next one, waits for the same result: it makes no
 * second entry. That spares work; that it is executed once is the state's affair.
 *
 * @module
 */

import type { Result } from "../../../../cluster/machine/mod.ts";
import { OVERLOADED } from "../../service.ts";
import { MAX_PROPOSAL_BYTES, MAX_PROPOSALS } from "../limits.ts";

/** Takes what has come of a request; `undefined` when this server does not lead (any more). */
export type Done = (result: Result | undefined) => void;

interface Proposal {
  readonly waiters: Done[];
  bytes: number;
}

/** The proposals of one leadership. */
export class Proposals {
  readonly #propose: (command: Uint8Array, done: Done) => void;
  /** By session, then by the id of the request. */
  #sessions = new Map<string, Map<number, Proposal>>();
  /** Who waits until a session has none. */
  #idle = new Map<string, (() => void)[]>();
  #count = 0;
  #bytes = 0;

  /** `propose` calls back later, once. */
  constructor(propose: (command: Uint8Array, done: Done) => void) {
    this.#propose = propose;
  }

  /** How many wait. */
  get size(): number {
    return this.#count;
  }

  /** Whether a request of a session waits. */
  has(session: string): boolean {
    return this.#sessions.has(session);
  }

  /** Proposes a request of a session, or joins it to the same one before. `command` makes its bytes. */
  add(
    session: string,
    id: number,
    payloadBytes: number,
    command: () => Uint8Array,
    done: Done,
  ): void {
    if (this.#count >= MAX_PROPOSALS || this.#bytes + payloadBytes > MAX_PROPOSAL_BYTES) {
      return done(OVERLOADED);
    }
    this.#count++;
    this.#bytes += payloadBytes;
    const known = this.#sessions.get(session) ?? new Map<number, Proposal>();
    this.#sessions.set(session, known);
    const before = known.get(id);
    if (before !== undefined) {
      before.waiters.push(done);
      before.bytes += payloadBytes;
      return;
    }
    const proposal: Proposal = { waiters: [done], bytes: payloadBytes };
    known.set(id, proposal);
    this.#propose(command(), (result) => {
      // The leadership may have ended meanwhile, and with it all that waited.
      if (known.get(id) === proposal) this.#settle(session, known, id, proposal, result);
    });
  }

  /** Has a caller wait for a request of a session that was proposed; false when it was not. */
  join(session: string, id: number, done: Done): boolean {
    const proposal = this.#sessions.get(session)?.get(id);
    if (proposal === undefined) return false;
    this.#count++;
    proposal.waiters.push(done);
    return true;
  }

  /** Calls once no request of a session waits, at once when none does. */
  whenIdle(session: string, then: () => void): void {
    if (!this.#sessions.has(session)) return then();
    const waiting = this.#idle.get(session);
    if (waiting === undefined) this.#idle.set(session, [then]);
    else waiting.push(then);
  }

  /** The leadership has ended: nobody knows what comes of those that wait. */
  end(): void {
    const sessions = this.#sessions;
    const idle = this.#idle;
    this.#sessions = new Map();
    this.#idle = new Map();
    this.#count = this.#bytes = 0;
    for (const known of sessions.values()) {
      const proposals = [...known.values()];
      known.clear();
      for (const { waiters } of proposals) for (const done of waiters) done(undefined);
    }
    for (const waiting of idle.values()) for (const then of waiting) then();
  }

  #settle(
    session: string,
    known: Map<number, Proposal>,
    id: number,
    { waiters, bytes }: Proposal,
    result: Result | undefined,
  ): void {
    known.delete(id);
    this.#count -= waiters.length;
    this.#bytes -= bytes;
    const idle = known.size === 0 ? this.#idle.get(session) ?? [] : [];
    if (known.size === 0) {
      this.#sessions.delete(session);
      this.#idle.delete(session);
    }
    for (const done of waiters) done(result);
    for (const then of idle) then();
  }
}
