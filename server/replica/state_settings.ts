/**
 * How a server of the replicated state is to be, with every default in place.
 *
 * @module
 */

import type { Address } from "../../cluster/runtime.ts";

/** When something counts as kept: once a majority's disks have it, within 100 ms of that, or in memory. */
export type Durability = "sync" | "async" | "memory";

/**
 * Timing and habits of a server's log, and of what it answers.
 *
 * @example
 * ```ts
 * import { DEFAULT_AGENT_CONFIG, type RaftConfig } from "@skein/agent";
 *
 * const raft: RaftConfig = { ...DEFAULT_AGENT_CONFIG.raft, electionTimeoutMs: 3_000 };
 * console.log(raft.heartbeatMs); // 100
 * ```
 */
export interface RaftConfig {
  /** A server that hears no leader for this long, or up to twice as long by chance, asks for votes. Default 1,000. */
  readonly electionTimeoutMs: number;
  /** Pause between two signs of life of the leader, at most a third of `electionTimeoutMs`. Default 100. */
  readonly heartbeatMs: number;
  /** Entries of the log from one snapshot to the next. Default 8,192. */
  readonly snapshotEntries: number;
  /** Entries before a snapshot that stay in the log. Default 10,240. */
  readonly trailing: number;
  /** Let the leader take in the servers that gossip shows. Default true. */
  readonly autopilot: boolean;
  /**
   * Rebuild a damaged data directory at the start without an operator, once a majority of the other voters is seen to run. Default
   * false.
   */
  readonly autoRebuild: boolean;
  /** After this time the leader takes out a silent server; 0 for never. Default 0. */
  readonly cleanupDeadMs: number;
}

/**
 * How sessions of clients are kept.
 *
 * @example
 * ```ts
 * import { DEFAULT_AGENT_CONFIG, type SessionsConfig } from "@skein/agent";
 *
 * const sessions: SessionsConfig = { ...DEFAULT_AGENT_CONFIG.sessions, timeoutMs: 30_000 };
 * console.log(sessions.maxConnections); // 12000
 * ```
 */
export interface SessionsConfig {
  /** A session ends when nothing was heard of its client for this long. Default 90,000. */
  readonly timeoutMs: number;
  /** Connections of their clients in all. Default 12,000. */
  readonly maxConnections: number;
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
  readonly raft: RaftConfig;
  /** How sessions are kept. */
  readonly sessions: SessionsConfig;
}
