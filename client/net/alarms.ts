/**
 * Alarms that share one timer. A timer of its own, set and cleared again, costs a call as much as all the rest of it.
 *
 * @module
 */

/** The longest a timer can run: 2^31-1 ms, 24 days. */
const MAX_TIMER_MS = 0x7fff_ffff;

/** Something that is to happen, unless it is taken back. */
export interface Alarm {
  /** When, by `performance.now()`. */
  readonly at: number;
  /** What. */
  readonly ring: () => void;
}

/** Alarms of which nearly all are taken back. While there is none, no timer runs. */
export class Alarms {
  readonly #alarms = new Set<Alarm>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;

  /** Has `ring` called `ms` milliseconds later. */
  set(ms: number, ring: () => void): Alarm {
    const alarm = { at: performance.now() + ms, ring };
    this.#alarms.add(alarm);
    if (alarm.at < this.#timerAt) this.#wakeAt(alarm.at);
    return alarm;
  }

  /** Takes one back. */
  clear(alarm: Alarm): void {
    this.#alarms.delete(alarm);
    if (this.#alarms.size === 0) this.#wakeAt(Infinity);
  }

  #wakeAt(at: number): void {
    clearTimeout(this.#timer);
    this.#timerAt = at;
    if (at === Infinity) return;
    const ms = Math.min(Math.max(0, Math.ceil(at - performance.now())), MAX_TIMER_MS);
    this.#timer = setTimeout(() => this.#ring(), ms);
  }

  #ring(): void {
    const now = performance.now();
    const due = [...this.#alarms].filter(({ at }) => at <= now);
    for (const alarm of due) this.#alarms.delete(alarm);
    let next = Infinity;
    for (const { at } of this.#alarms) next = Math.min(next, at);
    this.#wakeAt(next);
    for (const { ring } of due) ring();
  }
}
