/**
 * What is to happen in virtual time, in its order.
 *
 * @module
 */

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Events by time; those of one instant in the order in which they were added. */
export class EventQueue {
  /** The time of the event that runs, in milliseconds. */
  now = 0;
  #heap: Event[] = [];
  #order = 0;

  /** How many wait. */
  get size(): number {
    return this.#heap.length;
  }

  /** Runs `run` so many milliseconds from now. */
  after(ms: number, run: () => void): void {
    const heap = this.#heap;
    const event = { at: this.now + ms, order: this.#order++, run };
    let place = heap.length;
    heap.push(event);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[place] = heap[parent] as Event;
      place = parent;
    }
    heap[place] = event;
  }

  /** Runs the next event; returns false when there is none. */
  runNext(): boolean {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined) return false;
    const last = heap.pop() as Event;
    if (heap.length > 0) {
      let place = 0;
      for (;;) {
        let child = 2 * place + 1;
        if (child >= heap.length) break;
        const right = heap[child + 1];
        if (right !== undefined && isBefore(right, heap[child] as Event)) child++;
        if (!isBefore(heap[child] as Event, last)) break;
        heap[place] = heap[child] as Event;
        place = child;
      }
      heap[place] = last;
    }
    this.now = first.at;
    first.run();
    return true;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
