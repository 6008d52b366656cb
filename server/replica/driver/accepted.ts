/**
 * Commands that were appended to the log and wait for what becomes of them.
 *
 * An entry is what was proposed if it has the index and the term that it was appended with, whoever commits it. So a server that
 * has lost the leadership need not guess: it goes on waiting, and says that the outcome is unknown when the time is over.
 *
 * @module
 */

import type { Result } from "../../../cluster/machine/mod.ts";
import type { Accepted } from "../../../cluster/raft/state/effects.ts";
import { NO_LEADER, OUTCOME_UNKNOWN } from "../service.ts";
import type { Request } from "./requests.ts";

/** So many answered ones may lie before those that wait. */
const ANSWERED_KEPT = 4_096;

interface Waiting {
  readonly index: number;
  readonly term: number;
  request: Request | undefined;
}

/** Appended commands, in order of their entries. */
export class AcceptedCommands {
  #waiting: Waiting[] = [];
  /** Position of the first one: what is before was answered. */
  #first = 0;
  #soonest = Infinity;

  /** How many wait. */
  get length(): number {
    return this.#waiting.length - this.#first;
  }

  /** These were appended, one entry each. */
  add(requests: readonly Request[], { first, term }: Accepted): void {
    // What an earlier leadership of this server appended from there on was cut off.
    while (this.length > 0 && (this.#waiting.at(-1) as Waiting).index >= first) {
      this.#waiting.pop()?.request?.done(NO_LEADER);
    }
    for (const [i, request] of requests.entries()) {
      this.#waiting.push({ index: first + i, term, request });
      this.#soonest = Math.min(this.#soonest, request.deadline);
    }
  }

  /** The entry at `index` was applied, with this result. */
  applied(index: number, term: number, result: Result | undefined): void {
    while (this.#first < this.#waiting.length) {
      const waiting = this.#waiting[this.#first] as Waiting;
      if (waiting.index > index) break;
      this.#first++;
      const { request } = waiting;
      if (request === undefined) continue;
      // Another entry has taken its place: it was never executed, and never will be.
      if (waiting.index !== index || waiting.term !== term) request.done(NO_LEADER);
      else request.done(result ?? OUTCOME_UNKNOWN);
    }
    this.#forget();
  }

  /** All entries up to `index` are applied or covered by a snapshot: nobody can tell what came of those still waiting. */
  skipped(index: number): void {
    while (this.#first < this.#waiting.length) {
      const waiting = this.#waiting[this.#first] as Waiting;
      if (waiting.index > index) break;
      this.#first++;
      waiting.request?.done(OUTCOME_UNKNOWN);
    }
    this.#forget();
  }

  /** Answers those whose time is over. */
  expire(now: number): void {
    if (now < this.#soonest) return;
    this.#soonest = Infinity;
    for (const waiting of this.#pending()) {
      const { request } = waiting;
      if (request === undefined) continue;
      if (request.deadline > now) {
        this.#soonest = Math.min(this.#soonest, request.deadline);
      } else {
        waiting.request = undefined;
        request.done(OUTCOME_UNKNOWN);
      }
    }
  }

  /** Answers all: this server ends. */
  end(): void {
    const pending = this.#pending();
    this.#waiting = [];
    this.#first = 0;
    for (const { request } of pending) request?.done(OUTCOME_UNKNOWN);
  }

  /** Lets go of those that were answered, now and then, so that not every answer moves the others. */
  #forget(): void {
    if (this.#first < this.#waiting.length && this.#first < ANSWERED_KEPT) return;
    this.#waiting = this.#pending();
    this.#first = 0;
    if (this.#waiting.length === 0) this.#soonest = Infinity;
  }

  #pending(): Waiting[] {
    return this.#waiting.slice(this.#first);
  }
}
