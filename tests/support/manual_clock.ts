/**
 * Time for tests: it stands still until it is moved by hand.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Clock, Timer } from "../../cluster/runtime.ts";

interface Pending {
  readonly at: number;
  readonly id: number;
  readonly fn: () => void;
}

/** Time that stands still until it is moved. */
export class ManualClock implements Clock {
  #now = 0;
  #lastId = 0;
  #isSettling = false;
  readonly #pending = new Map<number, Pending>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, fn: () => void): Timer {
    const id = ++this.#lastId;
    this.#pending.set(id, { at: this.#now + Math.max(0, ms), id, fn });
    return { cancel: () => void this.#pending.delete(id) };
  }

  /** Timers that wait. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Lets `ms` pass: runs what is due, in order, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    while (this.#runNext(end)) await settle();
    this.#now = end;
  }

  /** Like {@linkcode advance}, for code without promises. */
  advanceSync(ms: number): void {
    const end = this.#now + ms;
    while (this.#runNext(end));
    this.#now = end;
  }

  /**
   * Lets time pass until `holds`; fails the test after `limitMs`. Returns the milliseconds it took. However many wait, promises
   * settle between two timers.
   */
  async until(holds: () => boolean, limitMs: number, what = "the state"): Promise<number> {
    const start = this.#now;
    await settle();
    while (!holds()) {
      if (this.#isSettling) {
        await null;
        continue;
      }
      if (!this.#runNext(start + limitMs)) assert.fail(`Waited ${limitMs} ms in vain for ${what}`);
      this.#isSettling = true;
      await settle();
      this.#isSettling = false;
    }
    return this.#now - start;
  }

  #runNext(end: number): boolean {
    let next: Pending | undefined;
    for (const timer of this.#pending.values()) {
      if (timer.at > end) continue;
      if (next === undefined || timer.at < next.at || timer.at === next.at && timer.id < next.id) {
        next = timer;
      }
    }
    if (next === undefined) return false;
    this.#pending.delete(next.id);
    this.#now = next.at;
    next.fn();
    return true;
  }
}

/** Lets every promise settle that does not wait for time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 60; turn++) await null;
}
