/**
 * Has the values removed that are due, at the server that leads.
 *
 * The machine decides what is due, by the time of the entry that removes it; this is only about when to propose that entry: when
 * something is due by the clock, at most every {@linkcode PACE_MS}. Without a value that expires there is no timer.
 *
 * @module
 */

import { dueQuestion, MAX_SWEPT, NEVER, sweepCommand } from "../../../cluster/machine/kv/mod.ts";
import type { Machine, Result } from "../../../cluster/machine/mod.ts";
import type { Raft } from "../../../cluster/raft/mod.ts";
import type { Clock, Timer } from "../../../cluster/runtime.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import type { StateService } from "../service.ts";

/** Least pause between two sweeps, and longest until an earlier time is seen that was set meanwhile, in milliseconds. */
const PACE_MS = 100;

/** Longest time without a look, in milliseconds: the wall clock may be put forward. */
const LOOK_MS = 1_000;

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
  /** When the timer runs out, by the clock. */
  #wakeAt = Infinity;
  #isSweeping = false;
  #isClosed = false;

  /** Nothing is known to be due. */
  constructor(parts: SweeperParts) {
    this.#parts = parts;
  }

  /** Entries were applied, or this server has begun to lead or ceased to. */
  changed(): void {
    if (this.#isSweeping || this.#isClosed) return;
    if (!this.#leads) return this.#rest();
    if (this.#timer === undefined) return this.#look();
    // What was applied may be due before all that was known.
    this.#wakeIn(Math.min(PACE_MS, this.#wakeAt - this.#parts.clock.now()));
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
    this.#rest();
    if (this.#isClosed || !this.#leads) return;
    const { wallClock, state: { machine } } = this.#parts;
    const due = numberOf(machine.query(DUE));
    if (due === NEVER) return;
    const now = wallClock();
    // Entries are not stamped with less than those before them.
    if (due <= Math.max(now, machine.context.time)) this.#sweep();
    else this.#wakeIn(Math.min(due - now, LOOK_MS));
  }

  #sweep(): void {
    this.#isSweeping = true;
    this.#parts.state.propose(SWEEP, SWEEP_LIMIT_MS, (result) => {
      this.#isSweeping = false;
      // There may be more that is due already.
      if (result.ok && numberOf(result) === MAX_SWEPT) this.#look();
      else if (!this.#isClosed) this.#wakeIn(PACE_MS);
    });
  }

  #wakeIn(ms: number): void {
    const { clock } = this.#parts;
    const wakeAt = clock.now() + ms;
    if (this.#timer !== undefined && this.#wakeAt <= wakeAt) return;
    this.#rest();
    this.#wakeAt = wakeAt;
    this.#timer = clock.setTimer(ms, () => this.#look());
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#wakeAt = Infinity;
  }
}

const DUE = dueQuestion();
const SWEEP = sweepCommand();

function numberOf(result: Result): number {
  return result.ok ? Number(decodeUtf8(result.body)) : NEVER;
}
