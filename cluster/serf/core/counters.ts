/**
 * What happened how often since the start: the counters of docs/spec/serf.md 17.2, for telemetry.
 *
 * @module
 */

import type { Metrics } from "../../runtime.ts";

/**
 * Each a number that only grows.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import type { Counters } from "@skein/agent/cluster";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { events, queries }: Readonly<Counters> = agent.serf.counters;
 * console.log(events, queries); // 0 0
 * ```
 */
export interface Counters {
  /** Members that became alive. */
  memberJoin: number;
  /** Members that left. */
  memberLeft: number;
  /** Members that failed. */
  memberFailed: number;
  /** Members whose tags changed. */
  memberUpdate: number;
  /** Members that came back soon after they failed. */
  memberFlap: number;
  /** User events taken in. */
  events: number;
  /** Queries taken in. */
  queries: number;
  /** Acks of own queries. */
  queryAcks: number;
  /** Answers to own queries. */
  queryResponses: number;
  /** Acks that came again, e.g. relayed. */
  queryDuplicateAcks: number;
  /** Answers that came again, e.g. relayed. */
  queryDuplicateResponses: number;
  /** Network coordinates of others that could not be used. */
  coordinateRejected: number;
  /** Round trips too short to be measured. */
  coordinateZeroRtt: number;
  /** Lamport times of others that were too far ahead to be right. */
  lamportRejected: number;
  /** User events of others that came too late, or found no room. */
  eventsDropped: number;
  /** Messages that fell out of a queue before they were sent often enough. */
  broadcastsDropped: number;
}

/** What each counter is called in metrics (docs/spec/serf.md 17.2). */
const METRIC_NAMES: Readonly<Record<keyof Counters, string>> = {
  memberJoin: "serf.member.join",
  memberLeft: "serf.member.left",
  memberFailed: "serf.member.failed",
  memberUpdate: "serf.member.update",
  memberFlap: "serf.member.flap",
  events: "serf.events",
  queries: "serf.queries",
  queryAcks: "serf.query_acks",
  queryResponses: "serf.query_responses",
  queryDuplicateAcks: "serf.query_duplicate_acks",
  queryDuplicateResponses: "serf.query_duplicate_responses",
  coordinateRejected: "serf.coordinate.rejected",
  coordinateZeroRtt: "serf.coordinate.zero-rtt",
  lamportRejected: "serf.lamport.rejected",
  eventsDropped: "serf.events_dropped",
  broadcastsDropped: "serf.broadcasts_dropped",
};

/** Counts what happens, here and in the metrics. */
export class Tally {
  /** The counts so far. */
  readonly counters: Counters = newCounters();
  readonly #metrics: Metrics | undefined;

  /** All counts are 0. */
  constructor(metrics: Metrics | undefined) {
    this.#metrics = metrics;
  }

  /** It happened `n` times more. */
  add(what: keyof Counters, n: number): void {
    this.counters[what] += n;
    this.#metrics?.count(METRIC_NAMES[what], n);
  }

  /** It happened once more. With a `name`, metrics tell it apart by that, too. */
  count(what: keyof Counters, name?: string): void {
    this.counters[what]++;
    const metrics = this.#metrics;
    if (metrics === undefined) return;
    metrics.count(METRIC_NAMES[what]);
    if (name !== undefined) metrics.count(`${METRIC_NAMES[what]}.${name}`);
  }
}

function newCounters(): Counters {
  return {
    memberJoin: 0,
    memberLeft: 0,
    memberFailed: 0,
    memberUpdate: 0,
    memberFlap: 0,
    events: 0,
    queries: 0,
    queryAcks: 0,
    queryResponses: 0,
    queryDuplicateAcks: 0,
    queryDuplicateResponses: 0,
    coordinateRejected: 0,
    coordinateZeroRtt: 0,
    lamportRejected: 0,
    eventsDropped: 0,
    broadcastsDropped: 0,
  };
}
