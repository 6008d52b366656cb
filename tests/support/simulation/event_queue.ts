/**
 * What is going to happen, by time. A run of 1,000 nodes handles some ten million events, so they live in
 * typed arrays under a four-way heap, and no object is made for one.
 *
 * @module
 */

/** What an event is. */
export const EventKind = {
  /** A datagram reaches a host; the payload is its bytes. */
  packet: 0,
  /** A timer of a host is due; the payload is the timer. */
  timer: 1,
  /** Something else happens in a host's process; the payload is a function. */
  process: 2,
  /** Something happens in the network or a host's kernel, also while its process is paused. */
  kernel: 3,
} as const;

/** One of {@linkcode EventKind}. */
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** A taken event. */
export interface SimEvent {
  /** When it happens, in virtual milliseconds. */
  time: number;
  /** What it is. */
  kind: EventKind;
  /** Index of the host it happens to. */
  host: number;
  /** Index of the host it came from. */
  from: number;
  /** See {@linkcode EventKind}. */
  payload: unknown;
}

const FIRST_CAPACITY = 1_024;
const WAYS = 4;

/** A priority queue by time; what was pushed first comes first among equals. */
export class EventQueue {
  #length = 0;
  #pushes = 0;
  #times = new Float64Array(FIRST_CAPACITY);
  #orders = new Float64Array(FIRST_CAPACITY);
  #kinds = new Uint8Array(FIRST_CAPACITY);
  #hosts = new Int32Array(FIRST_CAPACITY);
  #froms = new Int32Array(FIRST_CAPACITY);
  #payloads: unknown[] = new Array(FIRST_CAPACITY);
  /** The first `length` entries are the heap of slots, the others the free slots. */
  #slots: Int32Array = Int32Array.from({ length: FIRST_CAPACITY }, (_, slot) => slot);

  /** Events in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Time of the next event; `Infinity` when there is none. */
  get nextTime(): number {
    return this.#length === 0 ? Infinity : this.#times[this.#slots[0]!]!;
  }

  /** Adds an event. */
  push(time: number, kind: EventKind, host: number, from: number, payload: unknown): void {
    if (this.#length === this.#slots.length) this.#grow();
    const slot = this.#slots[this.#length]!;
    this.#times[slot] = time;
    this.#orders[slot] = this.#pushes++;
    this.#kinds[slot] = kind;
    this.#hosts[slot] = host;
    this.#froms[slot] = from;
    this.#payloads[slot] = payload;
    this.#rise(this.#length++, slot);
  }

  /** Takes the next event into `event`; false when there is none. */
  pop(event: SimEvent): boolean {
    if (this.#length === 0) return false;
    const slots = this.#slots;
    const slot = slots[0]!;
    event.time = this.#times[slot]!;
    event.kind = this.#kinds[slot]! as EventKind;
    event.host = this.#hosts[slot]!;
    event.from = this.#froms[slot]!;
    event.payload = this.#payloads[slot];
    this.#payloads[slot] = undefined;
    const last = slots[--this.#length]!;
    slots[this.#length] = slot;
    if (this.#length > 0) this.#sink(last);
    return true;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#times[a]! - this.#times[b]!;
    return difference < 0 || (difference === 0 && this.#orders[a]! < this.#orders[b]!);
  }

  #rise(at: number, slot: number): void {
    const slots = this.#slots;
    while (at > 0) {
      const parent = (at - 1) >> 2;
      const other = slots[parent]!;
      if (!this.#before(slot, other)) break;
      slots[at] = other;
      at = parent;
    }
    slots[at] = slot;
  }

  #sink(slot: number): void {
    const slots = this.#slots;
    const length = this.#length;
    let at = 0;
    for (;;) {
      const first = at * WAYS + 1;
      if (first >= length) break;
      const end = Math.min(first + WAYS, length);
      let least = first;
      for (let child = first + 1; child < end; child++) {
        if (this.#before(slots[child]!, slots[least]!)) least = child;
      }
      const child = slots[least]!;
      if (!this.#before(child, slot)) break;
      slots[at] = child;
      at = least;
    }
    slots[at] = slot;
  }

  #grow(): void {
    const capacity = 2 * this.#slots.length;
    const copy = <A extends { set(from: A): void }>(to: A, from: A): A => {
      to.set(from);
      return to;
    };
    this.#times = copy(new Float64Array(capacity), this.#times);
    this.#orders = copy(new Float64Array(capacity), this.#orders);
    this.#kinds = copy(new Uint8Array(capacity), this.#kinds);
    this.#hosts = copy(new Int32Array(capacity), this.#hosts);
    this.#froms = copy(new Int32Array(capacity), this.#froms);
    this.#payloads.length = capacity;
    const slots = Int32Array.from({ length: capacity }, (_, slot) => slot);
    this.#slots = copy(slots, this.#slots);
  }
}
