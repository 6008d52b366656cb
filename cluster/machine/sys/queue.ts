/**
 * What one entry has to tell sessions: server requests, numbered by session, until too many wait.
 *
 * A queue that would become too long is given up for one request that says so: who reads it has to look for itself what is there
 * now. All else that the same entry has for that session is covered by it, and not added any more.
 *
 * @module
 */

import { OVERFLOW } from "../../../protocol/kv/change.ts";
import type { Context, Host } from "../module.ts";
import type { Transaction } from "../store/store.ts";
import { leave } from "./leavings.ts";
import {
  MAX_ALL_PENDING,
  MAX_ALL_PENDING_BYTES,
  MAX_PAYLOAD_BYTES,
  MAX_PENDING,
  MAX_PENDING_BYTES,
  MAX_PUSHED_BYTES,
} from "./limits.ts";
import { REQUESTS } from "./rows/keys.ts";
import { jobRequests } from "./rows/jobs.ts";
import { putRequest, putRow, removeRequests } from "./rows/requests.ts";
import type { Session } from "./rows/session.ts";
import { getTotals, putTotals, type Totals } from "./rows/totals.ts";

/** A queue of so many is removed at once; a longer one is left to be swept. */
const FEW = 64;

/** The server requests of one entry. */
export class Outgoing {
  readonly #state: Transaction;
  readonly #context: Context;
  readonly #host: Host;
  #totals: Totals | undefined;
  #pushed = 0;

  /** There is none yet. */
  constructor(state: Transaction, context: Context, host: Host) {
    this.#state = state;
    this.#context = context;
    this.#host = host;
  }

  /** Adds one for a session, which has to be kept then. False when its queue was given up instead. */
  add(session: Session, payload: Uint8Array): boolean {
    if (!this.#hasRoom(session, payload.length)) {
      this.overflow(session);
      return false;
    }
    this.#put(session, payload);
    return true;
  }

  /** Gives up the queue of a session, which has to be kept then. */
  overflow(session: Session): void {
    const totals = this.#counted();
    // A job is given up for nobody: it stays in its place.
    const jobs = jobRequests(this.#state, session);
    if (session.pending <= FEW) {
      removeRequests(this.#state, totals, session, session.lastRequest, FEW);
    } else {
      leave(this.#state, totals, REQUESTS, session.queue);
      session.queue = ++totals.lastSerial;
      session.pending = session.pendingBytes = 0;
    }
    for (const { id, row } of jobs) putRow(this.#state, totals, session, id, row);
    this.#put(session, OVERFLOW);
  }

  /** Keeps the totals. */
  finish(): void {
    if (this.#totals !== undefined) putTotals(this.#state, this.#totals);
  }

  #put(session: Session, payload: Uint8Array): void {
    this.#pushed += payload.length;
    putRequest(this.#state, this.#counted(), session, payload, this.#context.time);
    this.#host.news?.request(session);
  }

  #counted(): Totals {
    return this.#totals ??= getTotals(this.#state);
  }

  #hasRoom({ pending, pendingBytes }: Session, bytes: number): boolean {
    const all = this.#counted();
    return bytes <= MAX_PAYLOAD_BYTES && this.#pushed + bytes <= MAX_PUSHED_BYTES &&
      pending < MAX_PENDING &&
      pendingBytes + bytes <= MAX_PENDING_BYTES && all.pending < MAX_ALL_PENDING &&
      all.pendingBytes + bytes <= MAX_ALL_PENDING_BYTES;
  }
}
