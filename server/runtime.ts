/**
 * The real clock and the real source of chance.
 *
 * @module
 */

import type {
  Clock,
  Logger,
  Metrics,
  Random,
  Runtime,
  Timer,
  Transport,
} from "../cluster/runtime.ts";

/** The longest wait that `setTimeout` takes; a longer one would fire at once. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** Monotonic time since the process started, and the event loop's timers. */
export const realClock: Clock = {
  now: () => performance.now(),
  setTimer: (ms, fn) => new TimeoutTimer(ms, fn),
};

/** {@linkcode realClock}, but for what its timers throw, which goes to `unexpected` and not to the event loop. */
export function guardedClock(unexpected: (error: unknown) => void): Clock {
  const setTimer = (ms: number, fn: () => void): Timer =>
    new TimeoutTimer(ms, () => {
      try {
        fn();
      } catch (error) {
        unexpected(error);
      }
    });
  return { now: realClock.now, setTimer };
}

/** Lets others have the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Fast numbers for choices among nodes, bytes from the system's generator for nonces and keys. */
export const realRandom: Random = {
  float: () => Math.random(),
  bytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
};

/**
 * The real clock and random source with the given network, logs, place for figures, and place for errors that nobody
 * expected, by default the event loop: the program ends then, unless it handles them.
 *
 * @example
 * ```ts
 * import { NetTransport, realRuntime } from "@skein/agent";
 *
 * const quiet = { debug() {}, info() {}, warn() {}, error() {} };
 * await using network = await NetTransport.open({ host: "127.0.0.1", port: 0, logger: quiet });
 * const { clock, random } = realRuntime(network, () => quiet);
 * console.log(clock.now(), random.bytes(16));
 * ```
 */
export function realRuntime(
  transport: Transport,
  logger: (subsystem: string) => Logger,
  metrics?: Metrics,
  unexpected?: (error: unknown) => void,
): Runtime {
  const clock = unexpected === undefined ? realClock : guardedClock(unexpected);
  const parts = { clock, random: realRandom, transport, logger };
  return metrics === undefined ? parts : { ...parts, metrics };
}

class TimeoutTimer implements Timer {
  #id: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number, fn: () => void) {
    this.#arm(Math.max(0, ms), fn);
  }

  cancel(): void {
    clearTimeout(this.#id);
  }

  #arm(ms: number, fn: () => void): void {
    const step = Math.min(ms, LONGEST_TIMEOUT_MS);
    this.#id = setTimeout(step < ms ? () => this.#arm(ms - step, fn) : fn, step);
  }
}
