/**
 * Has removed what is due, at the server that leads.
 *
 * The machine decides what is due, by the time of the entry that removes it; this is only about when to propose that entry: when
 * something is due by the clock, at most every {@linkcode PACE_MS}. Without anything that is due ever there is no timer.
 *
 * It never looks further ahead than to its next look, which is soon while entries are applied, and never back to where all is
 * gone: rows that were removed lately, as those are of values that are renewed all the time, cost a look as much as others.
 *
 * @module
 */

import type { Machine } from "../../../cluster/machine/mod.ts";
import type { Raft } from "../../../cluster/raft/mod.ts";
import type { Clock, Timer } from "../../../cluster/runtime.ts";
import type { StateService } from "../service.ts";

/** Least pause between two sweeps, and longest between two looks while entries are applied, in milliseconds. */
const PACE_MS = 100;

/** Longest pause between two looks while none are, in milliseconds: the wall clock may be put forward. */
const QUIET_MS = 1_000;

/** How long a sweep is waited for, before the next one, in milliseconds. */
const SWEEP_LIMIT_MS = 5_000;

/** What is swept: commands and questions about it. */
export interface Sweepable {
  /** The question when the first is due of what is due between two times, in milliseconds since 1970. */
  dueQuestion(span: { readonly from: number; readonly to: number }): Uint8Array;
  /** The answer: a time, `Infinity` when nothing is due up to the second one, or `undefined` when nothing ever is. */
  dueIn(body: Uint8Array): number | undefined;
  /** The command that sweeps what is due from a time on. */
  command(from: number): Uint8Array;
  /** What that has done: whether more is due already, and up to when nothing is left. */
  sweptIn(body: Uint8Array): { readonly more: boolean; readonly upTo: number };
  /**
   * Least pause between two looks while nothing ever is due, in milliseconds: a look at what is not there would take 30 microseconds
   * of each entry.
   */
  readonly restMs: number;
}

/** What the sweeping needs. */
export interface SweeperParts {
  readonly clock: Clock;
  /** Milliseconds since 1970, as proposals are stamped. */
  readonly wallClock: () => number;
  readonly raft: Pick<Raft, "role">;
  /** Takes commands, and has the machine as it is. */
  readonly state: Pick<StateService, "propose"> & { readonly machine: Machine };
}

/** The sweeping of one server. */
export class Sweeper {
  readonly #parts: SweeperParts;
  readonly #what: Sweepable;
  #timer: Timer | undefined;
  /** When it runs out, by the clock. */
  #wakeAt = Infinity;
  /** Nothing was ever due, and that is looked at then again. */
  #restUntil = -Infinity;
  /** The last entry at the last look. */
  #seenIndex = 0;
  #isSweeping = false;
  #isClosed = false;
  /** All that was due before is gone, and nothing that is due before will come: in milliseconds since 1970. */
  #doneUpTo = 0;

  /** Nothing is known to be due. */
  constructor(parts: SweeperParts, what: Sweepable) {
    this.#parts = parts;
    this.#what = what;
  }

  /** Entries were applied: a leader has one of its own soon after it has begun to lead. */
  changed(): void {
    if (this.#isSweeping || this.#isClosed) return;
    if (!this.#leads) this.#rest();
    else if (this.#timer === undefined) {
      const restMs = this.#restUntil - this.#parts.clock.now();
      if (restMs > 0) this.#wakeIn(restMs);
      else this.#look();
    } else if (this.#wakeAt > Math.max(this.#restUntil, this.#parts.clock.now() + PACE_MS)) {
      this.#wakeIn(PACE_MS);
    }
  }

  /** Sweeps no more. */
  close(): void {
    this.#isClosed = true;
    this.#rest();
  }

  get #leads(): boolean {
    return this.#parts.raft.role.name === "leader";
  }

  #look(): void {
    this.#timer = undefined;
    if (this.#isClosed || !this.#leads) return this.#rest();
    const { machine } = this.#parts.state;
    const { time, index } = machine.context;
    const aheadMs = index === this.#seenIndex ? QUIET_MS : PACE_MS;
    this.#seenIndex = index;
    const clock = this.#parts.wallClock();
    // Entries are not stamped with less than those before them.
    const now = Math.max(clock, time);
    const span = { from: this.#doneUpTo, to: Math.min(now + aheadMs, Number.MAX_SAFE_INTEGER) };
    const answer = machine.query(this.#what.dueQuestion(span));
    const due = answer.ok ? this.#what.dueIn(answer.body) : undefined;
    if (due === undefined) {
      this.#restUntil = this.#parts.clock.now() + this.#what.restMs;
      return;
    }
    if (due <= now) return this.#sweep();
    // What is set by entries that are still to come is due after the last one.
    this.#doneUpTo = Math.max(this.#doneUpTo, time);
    this.#wakeIn(Math.min(aheadMs, due - clock));
  }

  #sweep(): void {
    this.#isSweeping = true;
    // Not from what is due first: entries may be under way that set what is due before.
    this.#parts.state.propose(this.#what.command(this.#doneUpTo), SWEEP_LIMIT_MS, (result) => {
      this.#isSweeping = false;
      const { more, upTo } = result.ok ? this.#what.sweptIn(result.body) : NOTHING;
      this.#doneUpTo = Math.max(this.#doneUpTo, upTo);
      if (more) this.#look();
      else if (!this.#isClosed) this.#wakeIn(PACE_MS);
    });
  }

  #wakeIn(ms: number): void {
    this.#rest();
    this.#wakeAt = this.#parts.clock.now() + ms;
    this.#timer = this.#parts.clock.setTimer(ms, () => this.#look());
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

/** What a sweep has done that came to nothing. */
const NOTHING = { more: false, upTo: 0 };
