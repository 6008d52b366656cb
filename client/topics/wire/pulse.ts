/**
 * Whether a server still says something: one that stands still, or whose machine is gone, closes no connection.
 *
 * @module
 */

import type { Alarm, Alarms } from "../../net/alarms.ts";

/** What a slow connection takes, in bytes a millisecond. */
const SLOW_BYTES_PER_MS = 512;

/** The part of the time of silence after which there is a last look: what has come by then is read before a server is dead. */
const LAST_LOOK = 1 / 50;

/** What is watched. */
export interface PulseWorld {
  /** What tells the time. */
  readonly alarms: Alarms;
  /** A server that says nothing for so many milliseconds, although it was asked, is dead. */
  readonly silentMs: number;
  /** How many bytes wait for an answer; 0 when nobody does. */
  readonly bytes: () => number;
  /** Asks for a sign of life; whether the server has to give one now. */
  readonly ask: () => boolean;
  /** It gave none. */
  readonly dead: () => void;
}

/** The pulse of the server of one connection. It is felt only while an answer is waited for. */
export class Pulse {
  readonly #world: PulseWorld;
  #alarm: Alarm | undefined;
  /** When there was the last sign of life, or no reason for one, by `performance.now()`. */
  #heardAt = performance.now();
  /** When one was asked for, since then. */
  #askedAt: number | undefined;
  /** Whether it should have come, and the next look is the last one. */
  #isDue = false;

  /** Nothing is asked yet. */
  constructor(world: PulseWorld) {
    this.#world = world;
  }

  /** When something came last. */
  get heardAt(): number {
    return this.#heardAt;
  }

  /** Something has come. */
  heard(): void {
    this.#heardAt = performance.now();
    this.#askedAt = undefined;
  }

  /** Something was asked. */
  asked(): void {
    if (this.#alarm === undefined) this.#feelIn(this.#stepMs);
  }

  /** The connection is over. */
  end(): void {
    if (this.#alarm !== undefined) this.#world.alarms.clear(this.#alarm);
    this.#alarm = undefined;
  }

  get #stepMs(): number {
    return this.#world.silentMs / 2;
  }

  /** Feels it once so much later, and not before: to ask for a sign of life is to ask something, too. */
  #feelIn(ms: number): void {
    this.end();
    this.#alarm = this.#world.alarms.set(ms, () => this.#feel());
  }

  #feel(): void {
    const { bytes, ask, dead } = this.#world;
    const now = performance.now();
    const isLate = this.#alarm === undefined || now - this.#alarm.at >= this.#stepMs;
    this.#alarm = undefined;
    if (bytes() === 0) return;
    // While this program stood still it has heard nobody.
    if (isLate) this.#askedAt = undefined;
    const step = this.#stepMs;
    if (this.#askedAt !== undefined) {
      const left = this.#askedAt + step + bytes() / SLOW_BYTES_PER_MS - now;
      if (left <= 0 && this.#isDue) return dead();
      this.#isDue = left <= 0;
      return this.#feelIn(left > 0 ? left : this.#world.silentMs * LAST_LOOK);
    }
    const left = this.#heardAt + step - now;
    if (left <= 0 && ask()) {
      this.#askedAt = now;
      this.#isDue = false;
    }
    // The connection may have ended with that.
    if (bytes() === 0) return this.end();
    this.#feelIn(left > 0 ? left : step);
  }
}
