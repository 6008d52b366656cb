/**
 * The queries that a client was told of and may still answer (docs/spec/agent.md 1.8).
 *
 * @module
 */

import type { Timer } from "../../cluster/runtime.ts";
import type { QueryEvent } from "../../cluster/serf/mod.ts";
import { realClock } from "../runtime.ts";
import { MAX_PENDING_QUERIES } from "./limits.ts";

/** Answers a query; throws with the text for the client. */
export type Respond = QueryEvent["respond"];

interface Pending {
  readonly deadline: number;
  readonly respond: Respond;
}

/** The queries of one connection by their ID, each until its deadline. Payloads are not kept. */
export class PendingQueries {
  readonly #queries = new Map<number, Pending>();
  #lastId = 0;
  #timer: Timer | undefined;
  #timerAt = Infinity;

  /** How many there are. */
  get size(): number {
    return this.#queries.size;
  }

  /**
   * Gives a query its ID, from 1. A query whose deadline is past gets one, too, but cannot be answered. Above
   * {@linkcode MAX_PENDING_QUERIES} the oldest can no longer be answered.
   */
  add({ deadline, respond }: Pick<QueryEvent, "deadline" | "respond">): number {
    const id = ++this.#lastId;
    if (deadline <= realClock.now()) return id;
    if (this.#queries.size >= MAX_PENDING_QUERIES) {
      const [oldest] = this.#queries.keys();
      if (oldest !== undefined) this.#queries.delete(oldest);
    }
    this.#queries.set(id, { deadline, respond });
    this.#wakeAt(deadline);
    return id;
  }

  /** How to answer a query; `undefined` when it is unknown or over. */
  get(id: number | bigint): Respond | undefined {
    const pending = this.#queries.get(Number(id));
    return pending !== undefined && pending.deadline > realClock.now()
      ? pending.respond
      : undefined;
  }

  /** Forgets a query, as the client was not told of it. */
  remove(id: number): void {
    this.#queries.delete(id);
  }

  /** Forgets all queries. */
  close(): void {
    this.#queries.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Infinity;
  }

  /** One timer serves all: it is set to the earliest deadline. */
  #wakeAt(deadline: number): void {
    if (deadline >= this.#timerAt) return;
    this.#timer?.cancel();
    this.#timerAt = deadline;
    this.#timer = realClock.setTimer(deadline - realClock.now(), () => this.#forgetOver());
  }

  #forgetOver(): void {
    this.#timerAt = Infinity;
    this.#timer = undefined;
    const now = realClock.now();
    let next = Infinity;
    for (const [id, { deadline }] of this.#queries) {
      if (deadline <= now) this.#queries.delete(id);
      else next = Math.min(next, deadline);
    }
    if (next < Infinity) this.#wakeAt(next);
  }
}
