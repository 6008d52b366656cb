/**
 * The timings and bounds of the consensus core, and the rules that a test may switch off.
 *
 * @module
 */

/**
 * Each rule that keeps the log safe or the cluster live, by the name under which a test switches it off to see what goes wrong
 * without it.
 */
export type Rule =
  /** Term and vote are on the disk before a message shows them. */
  | "durable-vote"
  /** Entries are on the disk before a follower says that it has them. */
  | "durable-entries"
  /** A leader counts its own entries once they are on its disk. */
  | "durable-own-entries"
  /** A server votes for a log that is at least as new as its own. */
  | "newer-log"
  /** A server gives one vote a term. */
  | "one-vote"
  /** Only entries of the leader's own term are committed by counting. */
  | "own-term-commit"
  /** A follower commits no more than what this message has shown to be the leader's. */
  | "verified-commit"
  /** Entries that are there already are not cut off. */
  | "keep-duplicates"
  /** Messages of earlier terms change nothing. */
  | "stale-term"
  /** Whoever wants to campaign asks first. */
  | "pre-vote"
  /** Who hears a leader votes for nobody. */
  | "stickiness"
  /** A leader that hears no majority steps down. */
  | "check-quorum"
  /** Learners count for nothing. */
  | "voters-only"
  /** One change of the members at a time. */
  | "single-change"
  /** No change of the members before an entry of the own term is committed. */
  | "own-term-change"
  /** Reads wait for an entry of the own term. */
  | "own-term-read"
  /** Reads wait for a round that began after them. */
  | "fresh-round"
  /** A leader that hands over serves no lease reads. */
  | "lease-ends"
  /** What is applied is on the own disk. */
  | "durable-apply";

/** How a server behaves. */
export interface RaftOptions {
  /** A follower that hears no leader for this long, or up to twice as long by chance, campaigns. Default 1,000 ms. */
  readonly electionTimeoutMs: number;
  /**
   * Pause between two rounds of heartbeats; at most a third of the election timeout. While nothing is written it is a fifth of
   * that, if that is more. Default 100 ms.
   */
  readonly heartbeatMs: number;
  /** Part of the election timeout for which a confirmed round is a lease. Default 0.9. */
  readonly leaseFraction: number;
  /** Entries in one message. Default 512. */
  readonly maxEntries: number;
  /** Bytes of entries in one message; one larger entry travels alone. Default 1 MiB. */
  readonly maxBytes: number;
  /** Messages with entries that may be on their way to one peer. Default 256. */
  readonly windowMessages: number;
  /** Bytes of entries that may be on their way to one peer. Default 4 MiB. */
  readonly windowBytes: number;
  /** Largest data of one entry. Default 12 MiB. */
  readonly maxEntryBytes: number;
  /** Proposed entries that may wait for their commit; more are refused. Default 65,536. */
  readonly maxUncommitted: number;
  /** Bytes of proposed entries that may wait for their commit. Default 64 MiB. */
  readonly maxUncommittedBytes: number;
  /** Entries before a snapshot that stay in the log, for peers that are a little late. Default 10,240. */
  readonly trailing: number;
  /** Bytes of entries before a snapshot that stay in the log; about, and of `trailing` what is less. Default 128 MiB. */
  readonly trailingBytes: number;
  /** Bytes of entries that stay in memory; small ones take up to three times that. Default 4 MiB. */
  readonly cacheBytes: number;
  /** How long a staging member has to keep up before it becomes a voter. Default 10,000 ms. */
  readonly stagingMs: number;
  /** A staging member keeps up while it lacks at most so many entries. Default 250. */
  readonly stagingGap: number;
  /** The rules that a test does without, to see what goes wrong then. Default: none. */
  readonly without?: readonly Rule[];
}

/** The defaults. */
export const DEFAULT_RAFT_OPTIONS: RaftOptions = {
  electionTimeoutMs: 1_000,
  heartbeatMs: 100,
  leaseFraction: 0.9,
  maxEntries: 512,
  maxBytes: 1024 * 1024,
  windowMessages: 256,
  windowBytes: 4 * 1024 * 1024,
  maxEntryBytes: 12 * 1024 * 1024,
  maxUncommitted: 65_536,
  maxUncommittedBytes: 64 * 1024 * 1024,
  trailing: 10_240,
  trailingBytes: 128 * 1024 * 1024,
  cacheBytes: 4 * 1024 * 1024,
  stagingMs: 10_000,
  stagingGap: 250,
};

/**
 * What is wrong with options, `undefined` when nothing is. The lease must end before any follower's patience does, and a
 * follower must hear several heartbeats before it campaigns.
 */
export function optionsProblem(options: RaftOptions): string | undefined {
  const { electionTimeoutMs, heartbeatMs, leaseFraction } = options;
  if (!(heartbeatMs > 0) || heartbeatMs > electionTimeoutMs / 3) {
    return `Heartbeat of ${heartbeatMs} ms is not within a third of the election timeout of ` +
      `${electionTimeoutMs} ms`;
  }
  if (!(leaseFraction > 0 && leaseFraction < 1)) {
    return `Lease fraction is ${leaseFraction}, wanted more than 0 and less than 1`;
  }
  if (options.maxBytes > options.windowBytes) {
    return `A message of ${options.maxBytes} bytes does not fit the window of ` +
      `${options.windowBytes}`;
  }
  return undefined;
}
