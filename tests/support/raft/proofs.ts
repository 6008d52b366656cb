/**
 * What goes wrong without each rule of the core (docs/CORRECTNESS.md has the same table).
 *
 * @module
 */

import type { Rule } from "../../../cluster/raft/mod.ts";

/** What shows that a rule is needed. */
export interface Proof {
  /** A script that tells what the rule is for. */
  readonly script: string;
  /** A seed whose run without the rule does harm. */
  readonly seed: number;
}

/** One for each rule of the core. */
export const PROOFS: Readonly<Record<Rule, Proof>> = {
  "durable-vote": { script: "election_vote_reaches_disk_first", seed: 1 },
  "durable-entries": { script: "follower_waits_for_its_disk", seed: 1 },
  "durable-own-entries": { script: "election_lone_voter", seed: 19 },
  "durable-apply": { script: "leader_waits_for_its_disk", seed: 2 },
  "newer-log": { script: "election_newer_log", seed: 2 },
  "one-vote": { script: "election_one_vote_a_term", seed: 5 },
  "own-term-commit": { script: "commit_of_own_term_only", seed: 9 },
  "verified-commit": { script: "commit_not_beyond_what_was_shown", seed: 2 },
  "keep-duplicates": { script: "duplicate_append_keeps_what_follows", seed: 1 },
  "stale-term": { script: "stale_leader", seed: 12 },
  "pre-vote": { script: "prevote_after_isolation", seed: 9 },
  stickiness: { script: "stickiness", seed: 2 },
  "check-quorum": { script: "check_quorum", seed: 2 },
  "voters-only": { script: "change_demote_voter", seed: 6 },
  "single-change": { script: "change_one_at_a_time", seed: 86 },
  "own-term-change": { script: "change_waits_for_own_term", seed: 1_488 },
  "own-term-read": { script: "read_after_an_election", seed: 1 },
  "fresh-round": { script: "read_during_a_deposition", seed: 105 },
  "lease-ends": { script: "lease_ends_with_a_transfer", seed: 401 },
};
