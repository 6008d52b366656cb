/**
 * Has the values removed that are due, at the server that leads.
 *
 * The machine decides what is due, by the time of the entry that removes it; this is only about when to propose that entry: when
 * something is due by the clock, at most every {@linkcode PACE_MS}. Without a value that expires there is no timer.
 *
 * It never looks further ahead than to its next look, which is soon while entries are applied, and never back to where all is
 * gone: rows that were removed lately, as those are of values that are renewed all the time, cost a look as much as others.
 *
 * @module
 */

import {
  decodeSwept,
  dueQuestion,
  MAX_SWEPT,
  NEVER,
  sweepCommand,
  type Swept,
} from "../../../cluster/machine/kv/mod.ts";
import type { Machine } from "../../../cluster/machine/mod.ts";
import type { Raft } from "../../../cluster/raft/mod.ts";
import type { Clock, Timer } from "../../../cluster/runtime.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import type { StateService } from "../service.ts";

/** Least pause between two sweeps, and longest between two looks while entries are applied, in milliseconds. */
const PACE_MS = 100;

/** Longest pause between two looks while none are, in milliseconds: the wall clock may be put forward. */
const QUIET_MS = 1_000;

/** How long a sweep is waited for, before the next one, in milliseconds. */
const SWEEP_LIMIT_MS = 5_000;

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
  #timer: Timer | undefined;
  /** When it runs out, by the clock. */
  #wakeAt = Infinity;
  /** The last entry at the last look. */
  #seenIndex = 0;
  #isSweeping = false;
  #isClosed = false;
  /** All that was due before is gone, and nothing that is due before will come: in milliseconds since 1970. */
  #doneUpTo = 0;

  /** Nothing is known to be due. */
  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  /** Entries were applied: a leader has one of its own soon after it has begun to lead. */
  changed(): void {
    if (this.#isSweeping || this.#isClosed) return;
    if (!this.#leads) this.#rest();
    else if (this.#timer === undefined) this.#look();
    else if (this.#wakeAt > this.#parts.clock.now() + PACE_MS) this.#wakeIn(PACE_MS);
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
    const answer = machine.query(dueQuestion(span));
    const due = answer.ok ? Number(decodeUtf8(answer.body)) : NO_EXPIRY;
    if (due === NO_EXPIRY) return;
    if (due !== NEVER && due <= now) return this.#sweep();
    // What is set by entries that are still to come is due after the last one.
    this.#doneUpTo = Math.max(this.#doneUpTo, time);
    this.#wakeIn(due === NEVER ? aheadMs : Math.min(aheadMs, due - clock));
  }

  #sweep(): void {
    this.#isSweeping = true;
    // Not from what is due first: entries may be under way that set what is due before.
    this.#parts.state.propose(sweepCommand(this.#doneUpTo), SWEEP_LIMIT_MS, (result) => {
      this.#isSweeping = false;
      const { count, upTo } = result.ok ? decodeSwept(result.body) : NOTHING;
      this.#doneUpTo = Math.max(this.#doneUpTo, upTo);
      // There may be more that is due already.
      if (count === MAX_SWEPT) this.#look();
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
const NOTHING: Swept = { count: 0, upTo: 0 };

/** The answer when no value expires. */
const NO_EXPIRY = -1;
