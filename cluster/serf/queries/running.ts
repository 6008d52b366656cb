/**
 * The own queries that are under way, and the answers to them (serf.md 11.6).
 *
 * @module
 */

import type { LimitedLog } from "../../memberlist/limited_log.ts";
import type { Timers } from "../../memberlist/timers.ts";
import type { Counters } from "../counters.ts";
import { QueryError } from "../errors.ts";
import { type QueryResponse, ResponseFlag } from "../messages.ts";
import { BoundedStream } from "./stream.ts";

/** One node's answer. */
export interface QueryAnswer {
  /** Name of the node, as it says; nothing verifies it. */
  readonly from: string;
  /** What it answered; `null` when it answered without a payload. */
  readonly payload: Uint8Array | null;
}

/** A query that was sent. The streams end at the deadline, or when it is closed. */
export interface RunningQuery {
  /** Lamport time of the query. */
  readonly ltime: bigint;
  /** Number that tells queries of one Lamport time apart. */
  readonly id: number;
  /** Clock milliseconds until which answers are taken. */
  readonly deadline: number;
  /** Names of nodes that have received the query, each once; nothing unless acks were asked for. */
  readonly acks: AsyncIterable<string>;
  /** Answers, one of each node. */
  readonly answers: AsyncIterable<QueryAnswer>;
  /** Whether the query was closed. */
  readonly closed: boolean;
  /** Stops taking answers. */
  close(): void;
}

/** What a {@linkcode RunningQuery} is made of. */
export interface QuerySlot {
  /** Lamport time. */
  readonly ltime: bigint;
  /** Random number. */
  readonly id: number;
  /** How long answers are taken, in milliseconds. */
  readonly timeoutMs: number;
  /** Whether acks were asked for. */
  readonly wantsAcks: boolean;
  /** Acks, and answers, that may wait for the consumer: the number of nodes. */
  readonly capacity: number;
}

/** Most own queries at one time. */
export const MAX_RUNNING_QUERIES = 4_096;

/** Nodes may join while a query runs; more names than this for each node that was known are forged. */
const NAMES_PER_NODE = 8;

/** What collects the answers needs to know of its surroundings. */
export interface RunningQueriesOptions {
  /** Time. */
  readonly timers: Timers;
  /** The log for what other machines provoke. */
  readonly noise: LimitedLog;
  /** What happened how often. */
  readonly counters: Counters;
}

/** All own queries that are under way, by Lamport time. */
export class RunningQueries {
  readonly #options: RunningQueriesOptions;
  readonly #queries = new Map<bigint, Collector>();

  /** None yet. */
  constructor(options: RunningQueriesOptions) {
    this.#options = options;
  }

  /**
   * Registers a query; it is closed after its timeout.
   *
   * @throws {QueryError} when {@linkcode MAX_RUNNING_QUERIES} are under way
   */
  add(slot: QuerySlot): RunningQuery {
    if (this.#queries.size >= MAX_RUNNING_QUERIES) {
      throw new QueryError(`Already ${MAX_RUNNING_QUERIES} queries are running`);
    }
    const { timers } = this.#options;
    const query = new Collector(slot, timers.now() + slot.timeoutMs);
    this.#queries.get(slot.ltime)?.close();
    this.#queries.set(slot.ltime, query);
    timers.set(slot.timeoutMs, () => {
      query.close();
      if (this.#queries.get(slot.ltime) === query) this.#queries.delete(slot.ltime);
    });
    return query;
  }

  /** Hands an answer or an ack to the query that it is for. */
  handle(response: QueryResponse): void {
    const { noise, counters, timers } = this.#options;
    const { LTime: ltime, ID: id, From: from } = response;
    const query = this.#queries.get(ltime);
    if (query === undefined || query.id !== id) {
      noise.write(
        "warn",
        "stray reply",
        `reply for non-running query (LTime: ${ltime}, ID: ${id}) From: ${from}`,
      );
      return;
    }
    if (query.closed || timers.now() > query.deadline) return;
    const isAck = (response.Flags & ResponseFlag.ack) !== 0;
    const verdict = isAck ? query.addAck(from) : query.addAnswer(from, response.Payload);
    if (verdict === "new") counters[isAck ? "queryAcks" : "queryResponses"]++;
    else if (verdict === "duplicate") {
      counters[isAck ? "queryDuplicateAcks" : "queryDuplicateResponses"]++;
    } else if (verdict === "full") {
      noise.write("warn", "slow query", `Failed to deliver query response from '${from}'`);
    }
  }

  /** Closes every query. */
  close(): void {
    for (const query of this.#queries.values()) query.close();
    this.#queries.clear();
  }
}

/** What became of an ack or answer. */
type Verdict = "new" | "duplicate" | "full" | "unwanted";

class Collector implements RunningQuery {
  readonly ltime: bigint;
  readonly id: number;
  readonly deadline: number;
  readonly acks: BoundedStream<string>;
  readonly answers: BoundedStream<QueryAnswer>;
  readonly #wantsAcks: boolean;
  readonly #ackedBy = new Set<string>();
  readonly #answeredBy = new Set<string>();
  readonly #maxNames: number;
  #closed = false;

  constructor(slot: QuerySlot, deadline: number) {
    this.ltime = slot.ltime;
    this.id = slot.id;
    this.deadline = deadline;
    this.acks = new BoundedStream(slot.capacity);
    this.answers = new BoundedStream(slot.capacity);
    this.#wantsAcks = slot.wantsAcks;
    this.#maxNames = NAMES_PER_NODE * slot.capacity;
    if (!slot.wantsAcks) this.acks.close();
  }

  get closed(): boolean {
    return this.#closed;
  }

  addAck(from: string): Verdict {
    if (!this.#wantsAcks) return "unwanted";
    return this.#add(this.#ackedBy, from, () => this.acks.offer(from));
  }

  addAnswer(from: string, payload: Uint8Array | null): Verdict {
    const answer = () => ({ from, payload: payload?.slice() ?? null });
    return this.#add(this.#answeredBy, from, () => this.answers.offer(answer()));
  }

  close(): void {
    this.#closed = true;
    this.acks.close();
    this.answers.close();
  }

  /** What the consumer has no room for is not remembered, so that a relayed copy may still get through. */
  #add(seen: Set<string>, from: string, offer: () => boolean): Verdict {
    if (seen.has(from)) return "duplicate";
    if (seen.size >= this.#maxNames || !offer()) return "full";
    seen.add(from);
    return "new";
  }
}
