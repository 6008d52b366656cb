/**
 * What there is of all topics together, and the last ids that were given.
 *
 * @module
 */

import { getU64, putU64 } from "../../../../protocol/bytes.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { TOTALS_KEY } from "./keys.ts";

/** Counts of all topics. What a deleted topic has counts until it is swept. */
export interface Totals {
  /** Topics. */
  topics: number;
  /** Partitions. */
  partitions: number;
  /** Producers, each counted in each partition. */
  producers: number;
  /** Committed offsets. */
  offsets: number;
  /** The last id of a topic that was given. */
  lastTopic: number;
  /** The last id of a producer that was given. */
  lastProducer: number;
  /** Members of groups. */
  members: number;
  /** Bytes of the rows of groups that have members. */
  groupBytes: number;
  /** The last number of a member that was given. */
  lastMember: number;
  /** Ids of messages that are known. */
  ids: number;
}

/** Their names, in the order in which they are kept. */
export const TOTAL_NAMES = [
  "topics",
  "partitions",
  "producers",
  "offsets",
  "lastTopic",
  "lastProducer",
  "members",
  "groupBytes",
  "lastMember",
  "ids",
] as const satisfies readonly (keyof Totals)[];

/** The totals. */
export function getTotals(state: StoreReader): Totals {
  const row = state.get(TOTALS_KEY);
  const at = (place: number): number => row === undefined ? 0 : getU64(row, 8 * place);
  return {
    topics: at(0),
    partitions: at(1),
    producers: at(2),
    offsets: at(3),
    lastTopic: at(4),
    lastProducer: at(5),
    members: at(6),
    groupBytes: at(7),
    lastMember: at(8),
    ids: at(9),
  };
}

/** Keeps the totals. */
export function putTotals(state: Transaction, totals: Totals): void {
  const row = state.allocate(8 * TOTAL_NAMES.length);
  TOTAL_NAMES.forEach((name, i) => putU64(row, 8 * i, totals[name]));
  state.put(TOTALS_KEY, row);
}
