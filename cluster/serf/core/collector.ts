/**
 * One own query that is under way: who has answered, and who is waited for (docs/spec/serf.md 11.6).
 *
 * @module
 */

import { ownPayload, type PayloadBytes } from "../../../protocol/payload.ts";
import { BoundedStream } from "./answer_stream.ts";

/**
 * One node's answer.
 *
 * @example
 * ```ts
 * import type { QueryAnswer } from "@skein/agent";
 *
 * const show = ({ from, payload }: QueryAnswer): void => console.log(from, payload);
 * show({ from: "alpha", payload: null });
 * ```
 */
export interface QueryAnswer {
  /** Name of the node, as it says; nothing verifies it. */
  readonly from: string;
  /** What it answered; `null` when it answered without a payload. */
  readonly payload: PayloadBytes | null;
}

/**
 * How a query ended.
 *
 * @example
 * ```ts
 * import { Agent, type QueryOutcome } from "@skein/agent";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const query = agent.query("load", null, { timeoutMs: 50 });
 * const { reason, silent }: QueryOutcome = await query.finished;
 * console.log(reason, silent.length); // deadline 1
 * ```
 */
export interface QueryOutcome {
  /** Everyone who was waited for has answered, the time is up, or the query was closed (also by a shutdown). */
  readonly reason: "complete" | "deadline" | "closed";
  /** Answers, one of each node. */
  readonly responded: number;
  /** Acks, one of each node; 0 unless they were asked for. */
  readonly acked: number;
  /** Expected members, still alive, that did not answer; for `_serf_ping`, that did not acknowledge. */
  readonly silent: readonly string[];
  /** Expected members, still alive, whose ack did not come; none unless acks were asked for. */
  readonly unacked: readonly string[];
}

/**
 * A query that was sent. The streams end when every expected member that is still alive has answered (and, when acks
 * were asked for, acknowledged), at the deadline, or when the query is closed.
 *
 * @example Answers as they come, then who stayed silent
 * ```ts
 * import { Agent } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({ nodeName: "a", bind: "127.0.0.1:0" });
 * agent.subscribe((event) => {
 *   if (event.type === "query") event.respond(new TextEncoder().encode("fine"));
 * });
 * const query = agent.serf.query("health", null);
 * for await (const { from, payload } of query.answers) {
 *   assert.equal(`${from} is ${new TextDecoder().decode(payload!)}`, "a is fine");
 * }
 * const { reason, silent } = await query.finished;
 * assert.deepEqual([reason, silent], ["complete", []]);
 * ```
 */
export interface RunningQuery {
  /** Lamport time of the query. */
  readonly ltime: bigint;
  /** Number that tells queries of one Lamport time apart. */
  readonly id: number;
  /** Clock milliseconds until which answers are taken. */
  readonly deadline: number;
  /** Members, the own one included if it matches, that were alive and match the filters when the query was sent. */
  readonly expected: number;
  /** Names of nodes that have received the query, each once; nothing unless acks were asked for. */
  readonly acks: AsyncIterable<string>;
  /** Answers, one of each node. */
  readonly answers: AsyncIterable<QueryAnswer>;
  /** Whether the query has ended. */
  readonly closed: boolean;
  /** Resolves when the query has ended; never rejects. */
  readonly finished: Promise<QueryOutcome>;
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
  /** Whether members answer at all, beside their acks. */
  readonly wantsAnswers: boolean;
  /** Names of the members that should answer. */
  readonly expected: readonly string[];
  /** Acks, and answers, that may wait for the consumer: the number of nodes. */
  readonly capacity: number;
}

/** What became of an ack or answer. */
export type Verdict = "new" | "duplicate" | "full" | "unwanted";

/** Nodes may join while a query runs; more names than this for each node that was known are forged. */
const NAMES_PER_NODE = 8;

/** Collects the acks and answers of one query. */
export class Collector implements RunningQuery {
  readonly ltime: bigint;
  readonly id: number;
  readonly deadline: number;
  readonly expected: number;
  readonly acks: BoundedStream<string>;
  readonly answers: BoundedStream<QueryAnswer>;
  readonly finished: Promise<QueryOutcome>;
  readonly #wantsAcks: boolean;
  readonly #wantsAnswers: boolean;
  readonly #ackedBy = new Set<string>();
  readonly #answeredBy = new Set<string>();
  readonly #awaitedAcks: Set<string>;
  readonly #awaitedAnswers: Set<string>;
  readonly #maxNames: number;
  readonly #resolve: (outcome: QueryOutcome) => void;
  #closed = false;

  /** A query that takes answers until clock time `deadline`. */
  constructor(slot: QuerySlot, deadline: number) {
    const { wantsAcks, wantsAnswers, expected } = slot;
    this.ltime = slot.ltime;
    this.id = slot.id;
    this.deadline = deadline;
    this.expected = expected.length;
    this.acks = new BoundedStream(slot.capacity);
    this.answers = new BoundedStream(slot.capacity);
    this.#wantsAcks = wantsAcks;
    this.#wantsAnswers = wantsAnswers;
    this.#awaitedAcks = new Set(wantsAcks ? expected : []);
    this.#awaitedAnswers = new Set(wantsAnswers ? expected : []);
    this.#maxNames = NAMES_PER_NODE * slot.capacity;
    const { promise, resolve } = Promise.withResolvers<QueryOutcome>();
    this.finished = promise;
    this.#resolve = resolve;
    if (!wantsAcks) this.acks.close();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether nobody is waited for. */
  get complete(): boolean {
    return this.#awaitedAcks.size === 0 && this.#awaitedAnswers.size === 0;
  }

  /** Takes in that a node has received the query. */
  addAck(from: string): Verdict {
    if (!this.#wantsAcks) return "unwanted";
    return this.#add(this.#ackedBy, this.#awaitedAcks, from, () => this.acks.offer(from));
  }

  /** Takes in an answer. */
  addAnswer(from: string, payload: Uint8Array | null): Verdict {
    const answer = () => ({ from, payload: ownPayload(payload) });
    const offer = () => this.answers.offer(answer());
    return this.#add(this.#answeredBy, this.#awaitedAnswers, from, offer);
  }

  /** Stops waiting for a member, which has failed or leaves. */
  forget(name: string): void {
    const ack = this.#awaitedAcks.delete(name);
    const answer = this.#awaitedAnswers.delete(name);
    if (ack || answer) this.#finishIfComplete();
  }

  /** Ends the query. */
  finish(reason: QueryOutcome["reason"]): void {
    if (this.#closed) return;
    this.#closed = true;
    this.acks.close();
    this.answers.close();
    this.#resolve({
      reason,
      responded: this.#answeredBy.size,
      acked: this.#ackedBy.size,
      silent: [...this.#wantsAnswers ? this.#awaitedAnswers : this.#awaitedAcks],
      unacked: [...this.#awaitedAcks],
    });
  }

  close(): void {
    this.finish("closed");
  }

  /** What the consumer has no room for is not remembered, so that a relayed copy may still get through. */
  #add(seen: Set<string>, awaited: Set<string>, from: string, offer: () => boolean): Verdict {
    if (seen.has(from)) return "duplicate";
    if (this.#closed) return "unwanted";
    if (seen.size >= this.#maxNames || !offer()) return "full";
    seen.add(from);
    if (awaited.delete(from)) this.#finishIfComplete();
    return "new";
  }

  #finishIfComplete(): void {
    if (this.complete) this.finish("complete");
  }
}
