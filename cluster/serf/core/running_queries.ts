/**
 * The own queries that are under way, and which of them an answer is for (docs/spec/serf.md 11.6).
 *
 * @module
 */

import type { LimitedLogger } from "../../memberlist/core/limited_logger.ts";
import type { Timers } from "../../memberlist/core/timers.ts";
import type { Timer } from "../../runtime.ts";
import { QueryError } from "../model/errors.ts";
import { type QueryResponse, ResponseFlag } from "../model/messages.ts";
import { Collector, type QuerySlot, type RunningQuery } from "./collector.ts";
import type { Tally } from "./counters.ts";

/** Most own queries at one time. */
export const MAX_RUNNING_QUERIES = 4_096;

/** What collects the answers needs to know of its surroundings. */
export interface RunningQueriesOptions {
  /** Time. */
  readonly timers: Timers;
  /** The log for what other machines provoke. */
  readonly noise: LimitedLogger;
  /** What happened how often. */
  readonly tally: Tally;
}

/** A query and the timer of its deadline. */
interface Entry {
  readonly query: Collector;
  readonly timer: Timer;
}

/**
 * All own queries, by Lamport time, until their deadlines: one that has ended earlier still tells which answers come
 * twice.
 */
export class RunningQueries {
  readonly #options: RunningQueriesOptions;
  readonly #entries = new Map<bigint, Entry>();

  /** None yet. */
  constructor(options: RunningQueriesOptions) {
    this.#options = options;
  }

  /**
   * Registers a query. It ends when nobody is waited for any more, at the earliest in the next turn, and at the latest
   * after its timeout. Until then late repeats are told apart from answers to no query, unless it is closed.
   *
   * @throws {QueryError} when {@linkcode MAX_RUNNING_QUERIES} are under way
   */
  add(slot: QuerySlot): RunningQuery {
    if (this.#entries.size >= MAX_RUNNING_QUERIES) this.#sweep();
    if (this.#entries.size >= MAX_RUNNING_QUERIES) {
      throw new QueryError(`Already ${MAX_RUNNING_QUERIES} queries are running`);
    }
    const { timers } = this.#options;
    const { ltime, timeoutMs } = slot;
    const query = new Collector(slot, timers.now() + timeoutMs);
    if (query.complete) timers.set(0, () => query.finish("complete"), () => query.close());
    const remove = () => {
      if (this.#entries.get(ltime)?.query === query) this.#entries.delete(ltime);
    };
    const expire = () => {
      query.finish("deadline");
      remove();
    };
    const before = this.#entries.get(ltime);
    before?.query.close();
    before?.timer.cancel();
    const timer = timers.set(timeoutMs, expire, () => query.close());
    this.#entries.set(ltime, { query, timer });
    const tidied = query.finished.then(({ reason }) => {
      if (reason !== "closed") return;
      timer.cancel();
      remove();
    });
    timers.background(tidied);
    return query;
  }

  /** Hands an answer or an ack to the query that it is for. */
  handle(response: QueryResponse): void {
    const { noise, tally, timers } = this.#options;
    const { LTime: ltime, ID: id, From: from } = response;
    const query = this.#entries.get(ltime)?.query;
    if (query === undefined || query.id !== id) {
      noise.write(
        "warn",
        "stray reply",
        `reply for non-running query (LTime: ${ltime}, ID: ${id}) From: ${from}`,
      );
      return;
    }
    if (timers.now() > query.deadline) return;
    const isAck = (response.Flags & ResponseFlag.ack) !== 0;
    const verdict = isAck ? query.addAck(from) : query.addAnswer(from, response.Payload);
    if (verdict === "new") tally.count(isAck ? "queryAcks" : "queryResponses");
    else if (verdict === "duplicate") {
      tally.count(isAck ? "queryDuplicateAcks" : "queryDuplicateResponses");
    } else if (verdict === "full") {
      noise.write("warn", "slow query", `Failed to deliver query response from '${from}'`);
    }
  }

  /** A member has failed or leaves: no query waits for it any more. */
  forget(name: string): void {
    for (const { query } of this.#entries.values()) query.forget(name);
  }

  /** Closes every query. */
  close(): void {
    for (const { query, timer } of this.#entries.values()) {
      timer.cancel();
      query.close();
    }
    this.#entries.clear();
  }

  /** Makes room: forgets queries that have ended before their deadline. */
  #sweep(): void {
    for (const [ltime, { query, timer }] of this.#entries) {
      if (!query.closed) continue;
      timer.cancel();
      this.#entries.delete(ltime);
    }
  }
}
