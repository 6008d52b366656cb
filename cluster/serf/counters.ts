/**
 * What happened how often since the start: the counters of serf.md 17, for telemetry.
 *
 * @module
 */

/** Each a number that only grows. */
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
}

/** Counters that start at 0. */
export function newCounters(): Counters {
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
  };
}
