/**
 * Questions that wait for the proof that this server leads, and for the machine to have come far enough. They are answered in order,
 * and as many in one turn as leave room for everything else: what may be answered stays so.
 *
 * @module
 */

import type { Result } from "../../../cluster/machine/mod.ts";
import type { Clock, Timer } from "../../../cluster/runtime.ts";
import { NO_LEADER, SHUTTING_DOWN } from "../service.ts";
import type { Request } from "./requests.ts";

/** After so long, in milliseconds, no further question is answered in the same turn. */
const TURN_MS = 10;

/** The clock is looked at after so many bytes of questions: one about many nodes is long, and a look costs as much as some short ones. */
const LOOK_BYTES = 512;

interface Batch {
  /** Those that are not answered, from `next` on. */
  requests: readonly Request[];
  next: number;
  /** What the answers have to see; `undefined` while it is not proven that this server leads. */
  index: number | undefined;
}

/** The questions of one server that leads, in batches with one proof each. */
export class Reads {
  readonly #clock: Clock;
  readonly #query: (question: Uint8Array) => Result;
  readonly #batches = new Map<number, Batch>();
  #lastId = 0;
  /** The machine has come to this entry. */
  #applied = 0;
  #isAnswering = false;
  /** Goes on in a later turn. */
  #timer: Timer | undefined;

  /** `query` asks the machine as it is. */
  constructor(clock: Clock, query: (question: Uint8Array) => Result) {
    this.#clock = clock;
    this.#query = query;
  }

  /** Whether a question waits. */
  get wait(): boolean {
    return this.#batches.size > 0;
  }

  /** Takes questions on and returns the number of their batch. */
  add(requests: readonly Request[]): number {
    const id = ++this.#lastId;
    this.#batches.set(id, { requests, next: 0, index: undefined });
    return id;
  }

  /** A batch may be answered once `index` is applied; `applied` is. */
  ready(id: number, index: number, applied: number): void {
    const batch = this.#batches.get(id);
    if (batch === undefined) return;
    batch.index = index;
    if (index <= applied) this.applied(applied);
  }

  /** The machine has come to this entry. */
  applied(index: number): void {
    this.#applied = index;
    if (this.#timer === undefined && !this.#isAnswering) this.#answer();
  }

  /** Takes out the questions of these batches: somebody else leads. */
  lost(ids: readonly number[]): Request[] {
    return ids.flatMap((id) => {
      const batch = this.#batches.get(id);
      this.#batches.delete(id);
      return batch === undefined ? [] : unanswered(batch);
    });
  }

  /** Answers those whose time is over. */
  expire(now: number): void {
    for (const [id, batch] of this.#batches) {
      const waiting = unanswered(batch);
      const late = waiting.filter(({ deadline }) => deadline <= now);
      if (late.length === 0) continue;
      batch.requests = waiting.filter(({ deadline }) => deadline > now);
      batch.next = 0;
      if (batch.requests.length === 0) this.#batches.delete(id);
      for (const { done } of late) done(NO_LEADER);
    }
  }

  /** Answers all: this server ends. */
  end(): void {
    this.#timer?.cancel();
    const waiting = [...this.#batches.values()].flatMap(unanswered);
    this.#batches.clear();
    for (const { done } of waiting) done(SHUTTING_DOWN);
  }

  #answer(): void {
    this.#timer = undefined;
    this.#isAnswering = true;
    const until = this.#clock.now() + TURN_MS;
    let unseen = 0;
    for (const [id, batch] of this.#batches) {
      if (batch.index === undefined || batch.index > this.#applied) continue;
      while (batch.next < batch.requests.length) {
        if (unseen >= LOOK_BYTES) {
          if (this.#clock.now() >= until) return this.#goOnLater();
          unseen = 0;
        }
        const { bytes, asker, done } = batch.requests[batch.next++] as Request;
        unseen += bytes.length;
        done(asker?.hasRoom() === false ? undefined : this.#query(bytes));
      }
      this.#batches.delete(id);
    }
    this.#isAnswering = false;
  }

  #goOnLater(): void {
    this.#isAnswering = false;
    this.#timer = this.#clock.setTimer(0, () => this.#answer());
  }
}

function unanswered({ requests, next }: Batch): readonly Request[] {
  return requests.slice(next);
}
