/**
 * A request of each kind.
 *
 * @module
 */

import type { RequestKind, Requests } from "../../../protocol/topics/mod.ts";
import { fetching, producing } from "./raw_client.ts";

const UNCHANGED = {
  retentionMs: -2,
  retentionBytes: -2,
  segmentBytes: -2,
  segmentMs: -2,
  dedupeMs: -2,
};

const SAMPLES: { readonly [K in RequestKind]: Requests[K] } = {
  produce: producing("t", ["a"]),
  fetch: fetching("t", 0),
  getOffset: { topic: "t", partition: 0 },
  createTopic: { topic: "t", partitions: 1, replicationFactor: 1 },
  deleteTopic: { topic: "t" },
  listTopics: {},
  healthCheck: {},
  commitOffsets: { group: "g", generation: 0, member: "", offsets: [] },
  fetchOffsets: { group: "g", partitions: [] },
  initProducer: { transactionalId: "" },
  hello: { client: "c", token: "" },
  metadata: { topics: [] },
  describeTopic: { topic: "t" },
  alterTopic: { topic: "t", settings: UNCHANGED },
  deleteRecords: { topic: "t", partition: 0, offset: 0 },
  transact: {
    producerId: 0,
    epoch: 0,
    parts: [{
      topic: "t",
      partition: 0,
      baseSequence: 0,
      messages: producing("t", ["a"]).messages,
    }],
    group: "",
    generation: 0,
    member: "",
    offsets: [],
  },
  joinGroup: {
    group: "g",
    member: "",
    client: "c",
    sessionTimeoutMs: 30_000,
    rebalanceTimeoutMs: 60_000,
    topics: ["t"],
  },
  syncGroup: { group: "g", generation: 1, member: "m", held: [] },
  heartbeat: { group: "g", generation: 1, member: "m" },
  leaveGroup: { group: "g", member: "m" },
  describeGroup: { group: "g" },
  listGroups: {},
};

/** One of a kind. */
export function sampleOf<K extends RequestKind>(kind: K): Requests[K] {
  return SAMPLES[kind];
}
