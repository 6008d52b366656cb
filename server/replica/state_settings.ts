/**
 * How a server of the replicated state is to be, with every default in place.
 *
 * @module
 */

import type { Address } from "../../cluster/runtime.ts";

/** When something counts as kept: once a majority's disks have it, within 100 ms of that, or in memory. */
export type Durability = "sync" | "async" | "memory";

/** Timing and habits of the log. Times are milliseconds. */
export interface LogSettings {
  /** A follower that hears no leader for this long, or up to twice as long by chance, campaigns. */
  readonly electionTimeoutMs: number;
  /** Pause between two heartbeats of a leader. */
  readonly heartbeatMs: number;
  /** A snapshot is made when so many entries were applied since the last one. */
  readonly snapshotEntries: number;
  /** Entries before a snapshot that stay in the log. */
  readonly trailing: number;
  /** Whether the leader takes servers in that gossip shows, and out when they have left. */
  readonly autopilot: boolean;
  /** After this time a silent member is taken out; 0: never. */
  readonly cleanupDeadMs: number;
}

/** A server of the replicated state. */
export interface StateSettings {
  /** The data directory; `undefined`: one that is gone afterwards. */
  readonly dataDir: string | undefined;
  /** How many servers found the cluster; 0: it is added to one. */
  readonly bootstrapExpect: number;
  /** Where it listens for other servers. */
  readonly peer: Address;
  /** When something counts as kept. */
  readonly durability: Durability;
  /** Timing and habits of the log. */
  readonly raft: LogSettings;
}
