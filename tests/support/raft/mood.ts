/**
 * What a simulated run is hard on. Some faults of a core show only when two rare things meet, so each run is after some of them.
 *
 * @module
 */

import type { RaftOptions } from "../../../cluster/raft/mod.ts";

/** What the nemesis of a run does at a time. */
export type Harm =
  | "crash"
  | "crash-all"
  | "pause"
  | "partition"
  | "change"
  | "transfer"
  | "heal";

/** One kind of run. */
export interface Mood {
  readonly name: "all" | "elections" | "members" | "leases";
  /** With how many voters a cluster may begin. */
  readonly sizes: readonly number[];
  /** What happens, each as likely as it is often. */
  readonly harm: readonly Harm[];
  /**
   * What happens when a server has just begun to lead, more often than not: it crashes, or makes a change; or those who think
   * that they lead still stand still, with their clients.
   */
  readonly toLeaders: "nothing" | "crash" | "change" | "pause-others";
  /** How slow disk and network are at most, as a part of what they are elsewhere. */
  readonly slowness: number;
  /** Part of the reads that make do with a lease. */
  readonly leaseReads: number;
  readonly raft: Partial<RaftOptions>;
}

/** The kinds of runs. */
export const MOODS: readonly Mood[] = [
  {
    name: "all",
    sizes: [1, 2, 3, 3, 3, 4, 5],
    harm: [
      "crash",
      "crash",
      "crash-all",
      "pause",
      "partition",
      "partition",
      "change",
      "transfer",
      "heal",
      "heal",
    ],
    toLeaders: "nothing",
    slowness: 1,
    leaseReads: 1 / 3,
    raft: {},
  },
  {
    // What an earlier leader left half done is found by the next one, and replaced by the one after that.
    name: "elections",
    sizes: [3, 5, 5],
    harm: ["crash", "partition", "heal", "transfer"],
    toLeaders: "crash",
    slowness: 1,
    leaseReads: 0,
    raft: { maxEntries: 1, windowMessages: 2 },
  },
  {
    // Leaders that do not know of each other's changes.
    name: "members",
    sizes: [2, 4, 4, 5],
    harm: ["crash", "partition", "partition", "change", "change", "heal"],
    toLeaders: "change",
    slowness: 1,
    leaseReads: 1 / 3,
    raft: { trailing: 5 },
  },
  {
    // Leaders that go on while there is a successor.
    name: "leases",
    sizes: [2, 3, 3, 5],
    harm: ["pause", "partition", "partition", "transfer", "transfer", "heal", "change", "crash"],
    toLeaders: "pause-others",
    slowness: 0.3,
    leaseReads: 2 / 3,
    raft: {},
  },
];
