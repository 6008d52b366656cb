/**
 * Tasks that run again and again: probe, gossip, push/pull (docs/spec/memberlist.md 9).
 *
 * @module
 */

import type { Random } from "../../runtime.ts";
import type { Timers } from "../core/timers.ts";

/** What to run and how often. */
export interface PeriodicTask {
  /** Milliseconds from one tick to the next; asked anew before each wait. 0 or less: never runs. */
  intervalMs(): number;
  /** One round. The next one does not begin before `done` was called; call it exactly once. */
  run(done: () => void): void;
}

/**
 * Runs `task` at every tick. The first tick comes after a random part of the interval, so that nodes
 * which started together do not act together. Of the ticks that pass while a round is under way one is
 * remembered and follows at once, the others are dropped. Ends when `timers` is closed.
 */
export function startPeriodic(timers: Timers, random: Random, task: PeriodicTask): void {
  const firstInterval = task.intervalMs();
  if (firstInterval <= 0) return;
  let tickAt = timers.now() + random.float() * firstInterval;
  const tick = (): void => task.run(scheduleNext);
  const scheduleNext = (): void => {
    const now = timers.now();
    const interval = task.intervalMs();
    tickAt += interval;
    if (tickAt < now) tickAt += Math.floor((now - tickAt) / interval) * interval;
    timers.set(tickAt - now, tick);
  };
  timers.set(tickAt - timers.now(), tick);
}
