/**
 * Questions that wait for the proof that this server leads, and for the machine to have come far enough.
 *
 * @module
 */

import type { Result } from "../../../cluster/machine/mod.ts";
import { NO_LEADER, SHUTTING_DOWN } from "../service.ts";
import type { Request } from "./requests.ts";

interface Batch {
  requests: readonly Request[];
  /** What the answers have to see; `undefined` while it is not proven that this server leads. */
  index: number | undefined;
}

/** The questions of one server that leads, in batches with one proof each. */
export class Reads {
  readonly #query: (question: Uint8Array) => Result;
  readonly #batches = new Map<number, Batch>();
  #lastId = 0;

  /** `query` asks the machine as it is. */
  constructor(query: (question: Uint8Array) => Result) {
    this.#query = query;
  }

  /** Whether a question waits. */
  get wait(): boolean {
    return this.#batches.size > 0;
  }

  /** Takes questions on and returns the number of their batch. */
  add(requests: readonly Request[]): number {
    const id = ++this.#lastId;
    this.#batches.set(id, { requests, index: undefined });
    return id;
  }

  /** A batch may be answered once `index` is applied; `applied` is. */
  ready(id: number, index: number, applied: number): void {
    const batch = this.#batches.get(id);
    if (batch === undefined) return;
    batch.index = index;
    if (index <= applied) this.#answer(id, batch);
  }

  /** The machine has come to this entry. */
  applied(index: number): void {
    for (const [id, batch] of this.#batches) {
      if (batch.index !== undefined && batch.index <= index) this.#answer(id, batch);
    }
  }

  /** Takes out the questions of these batches: somebody else leads. */
  lost(ids: readonly number[]): Request[] {
    return ids.flatMap((id) => {
      const { requests = [] } = this.#batches.get(id) ?? {};
      this.#batches.delete(id);
      return [...requests];
    });
  }

  /** Answers those whose time is over. */
  expire(now: number): void {
    for (const [id, batch] of this.#batches) {
      const late = batch.requests.filter(({ deadline }) => deadline <= now);
      if (late.length === 0) continue;
      batch.requests = batch.requests.filter(({ deadline }) => deadline > now);
      if (batch.requests.length === 0) this.#batches.delete(id);
      for (const { done } of late) done(NO_LEADER);
    }
  }

  /** Answers all: this server ends. */
  end(): void {
    const batches = [...this.#batches.values()];
    this.#batches.clear();
    for (const { requests } of batches) for (const { done } of requests) done(SHUTTING_DOWN);
  }

  #answer(id: number, { requests }: Batch): void {
    this.#batches.delete(id);
    for (const { bytes, hasRoom, done } of requests) {
      done(hasRoom?.() === false ? undefined : this.#query(bytes));
    }
  }
}
