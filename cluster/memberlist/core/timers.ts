/**
 * The timers of one memberlist, so that none outlives its shutdown, and its work that nobody waits for.
 *
 * @module
 */

import type { Clock, Timer } from "../../runtime.ts";

const NEVER: Timer = { cancel() {} };

/** Sets timers on a clock and can cancel all that are pending. */
export class Timers {
  readonly #clock: Clock;
  readonly #pending = new Map<Timer, (() => void) | undefined>();
  #closed = false;

  /** Timers of `clock`. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether {@linkcode Timers.close} was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Milliseconds on the clock. */
  now(): number {
    return this.#clock.now();
  }

  /**
   * Runs `fn` once, `ms` milliseconds from now. When the timers are closed before that, or are closed
   * already, `onClosed` runs instead.
   */
  set(ms: number, fn: () => void, onClosed?: () => void): Timer {
    if (this.#closed) {
      onClosed?.();
      return NEVER;
    }
    const timer = this.#clock.setTimer(ms, () => {
      this.#pending.delete(handle);
      fn();
    });
    const handle: Timer = {
      cancel: () => {
        timer.cancel();
        this.#pending.delete(handle);
      },
    };
    this.#pending.set(handle, onClosed);
    return handle;
  }

  /**
   * Lets a task run that nobody waits for. When it rejects, a timer of the clock throws its error, also after
   * {@linkcode Timers.close}: errors that nobody expected all come out of timers.
   */
  background(task: Promise<unknown>): void {
    task.catch((error: unknown) => {
      this.#clock.setTimer(0, () => {
        throw error;
      });
    });
  }

  /** Cancels every pending timer. Timers set from now on never run. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const [timer, onClosed] of [...this.#pending]) {
      timer.cancel();
      onClosed?.();
    }
  }
}
