/**
 * How long a suspected node has to prove that it lives: the timer of one suspicion, shortened by
 * independent confirmations (Lifeguard; docs/spec/memberlist.md 8.9).
 *
 * @module
 */

import type { Timer } from "../../runtime.ts";
import type { Timers } from "./timers.ts";

/** Bounds of a suspicion. */
export interface SuspicionLimits {
  /** How many confirmations shorten the wait to `minMs`. */
  readonly confirmations: number;
  /** Wait in milliseconds once enough others agree. */
  readonly minMs: number;
  /** Wait in milliseconds while nobody else agrees. */
  readonly maxMs: number;
}

/** The settings that the bounds come from; see `MemberlistConfig`. */
export interface SuspicionSettings {
  /** Factor of the shortest wait. */
  readonly suspicionMult: number;
  /** Longest wait as a multiple of the shortest. */
  readonly suspicionMaxTimeoutMult: number;
  /** Milliseconds between two probes. */
  readonly probeIntervalMs: number;
}

/** The scale factor for the cluster's size is cut after three decimals. */
const SCALE_STEPS = 1000;

/** The bounds in a cluster of `nodeCount` remembered nodes (docs/spec/memberlist.md 8.9). */
export function suspicionLimits(settings: SuspicionSettings, nodeCount: number): SuspicionLimits {
  // The suspect and the node that suspects cannot confirm.
  const wanted = settings.suspicionMult - 2;
  const confirmations = nodeCount - 2 < wanted ? 0 : wanted;
  const scale = Math.max(1, Math.log10(Math.max(1, nodeCount)));
  const minMs = settings.suspicionMult * Math.floor(scale * SCALE_STEPS) *
    settings.probeIntervalMs / SCALE_STEPS;
  return { confirmations, minMs, maxMs: minMs * settings.suspicionMaxTimeoutMult };
}

/** One running suspicion. */
export class Suspicion {
  readonly #timers: Timers;
  readonly #limits: SuspicionLimits;
  readonly #startedAt: number;
  readonly #seen: Set<string>;
  readonly #onTimeout: (confirmations: number) => void;
  #timer: Timer;

  /**
   * Starts the timer. `from` is the node that suspected first; it does not count as a confirmation.
   * `onTimeout` is called once, with the number of confirmations, unless the suspicion is cancelled.
   */
  constructor(
    timers: Timers,
    limits: SuspicionLimits,
    from: string,
    onTimeout: (confirmations: number) => void,
  ) {
    this.#timers = timers;
    this.#limits = limits;
    this.#startedAt = timers.now();
    this.#seen = new Set([from]);
    this.#onTimeout = onTimeout;
    this.#timer = this.#arm(limits.confirmations < 1 ? limits.minMs : limits.maxMs);
  }

  /** Confirmations so far. */
  get confirmations(): number {
    return this.#seen.size - 1;
  }

  /**
   * Another node suspects too. Returns whether that was news, and shortens the wait if so; it is no news
   * when `from` was heard before or enough others agree already.
   */
  confirm(from: string): boolean {
    const { confirmations: wanted, minMs, maxMs } = this.#limits;
    if (this.confirmations >= wanted || this.#seen.has(from)) return false;
    this.#seen.add(from);
    const agreed = Math.log(this.confirmations + 1) / Math.log(wanted + 1);
    const totalMs = Math.max(minMs, Math.floor(maxMs - (maxMs - minMs) * agreed));
    this.#timer.cancel();
    this.#timer = this.#arm(this.#startedAt + totalMs - this.#timers.now());
    return true;
  }

  /** Ends the suspicion; `onTimeout` will not be called. */
  cancel(): void {
    this.#timer.cancel();
  }

  #arm(ms: number): Timer {
    return this.#timers.set(Math.max(0, ms), () => this.#onTimeout(this.confirmations));
  }
}
