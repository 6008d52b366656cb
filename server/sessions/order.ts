/**
 * Questions after the requests that came before them on the same connection: so a client reads what it has written, also when it
 * has not waited for the answer.
 *
 * @module
 */

/** The requests of one connection that are not answered, and the questions that wait for them. */
export class Order {
  readonly #running = new Set<number>();
  #waiting: { readonly last: number; left: number; readonly ask: () => void }[] = [];
  #last = 0;

  /** Requests and questions that wait. */
  get size(): number {
    return this.#running.size + this.#waiting.length;
  }

  /** A request begins; returns its number. */
  begin(): number {
    this.#running.add(++this.#last);
    return this.#last;
  }

  /** A request has its answer. */
  end(number: number): void {
    this.#running.delete(number);
    const ready = [];
    for (const one of this.#waiting) {
      if (number <= one.last && --one.left === 0) ready.push(one);
    }
    if (ready.length === 0) return;
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    for (const { ask } of ready) ask();
  }

  /** Asks once all requests before are answered. */
  ask(ask: () => void): void {
    const left = this.#running.size;
    if (left === 0) ask();
    else this.#waiting.push({ last: this.#last, left, ask });
  }
}
