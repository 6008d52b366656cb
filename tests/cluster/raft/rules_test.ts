/**
 * Shows of each rule of the core that something goes wrong without it: a script that tells another story then, and a simulated
 * run that finds the damage.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { Rule } from "../../../cluster/raft/mod.ts";
import { SimulatedCluster } from "../../support/raft/cluster.ts";
import { replay } from "../../support/raft/script.ts";

interface Proof {
  /** A script that tells what the rule is for. */
  readonly script: string;
  /** A seed whose run without the rule does harm. */
  readonly seed: number;
}

const PROOFS: Readonly<Record<Rule, Proof>> = {
  "durable-vote": { script: "election_vote_reaches_disk_first", seed: 1 },
  "durable-entries": { script: "follower_waits_for_its_disk", seed: 1 },
  "durable-own-entries": { script: "election_lone_voter", seed: 13 },
  "durable-apply": { script: "leader_waits_for_its_disk", seed: 2 },
  "newer-log": { script: "election_newer_log", seed: 2 },
  "one-vote": { script: "election_one_vote_a_term", seed: 5 },
  "own-term-commit": { script: "commit_of_own_term_only", seed: 9 },
  "verified-commit": { script: "commit_not_beyond_what_was_shown", seed: 2 },
  "keep-duplicates": { script: "duplicate_append_keeps_what_follows", seed: 1 },
  "stale-term": { script: "stale_leader", seed: 6 },
  "pre-vote": { script: "prevote_after_isolation", seed: 9 },
  stickiness: { script: "stickiness", seed: 2 },
  "check-quorum": { script: "check_quorum", seed: 2 },
  "voters-only": { script: "change_demote_voter", seed: 6 },
  "single-change": { script: "change_one_at_a_time", seed: 86 },
  "own-term-change": { script: "change_waits_for_own_term", seed: 314 },
  "own-term-read": { script: "read_after_an_election", seed: 1 },
  "fresh-round": { script: "read_during_a_deposition", seed: 26 },
  "lease-ends": { script: "lease_ends_with_a_transfer", seed: 401 },
};

for (const [rule, { script, seed }] of Object.entries(PROOFS) as [Rule, Proof][]) {
  Deno.test(`without "${rule}" the script ${script} tells another story`, () => {
    const path = join(import.meta.dirname ?? ".", "scripts", `${script}.txt`);
    const text = Deno.readTextFileSync(path);
    assert.equal(replay(text), text);
    assert.notEqual(storyWithout(text, rule), text);
  });

  Deno.test(`without "${rule}" the simulated run of seed ${seed} does harm`, () => {
    assert.throws(() => new SimulatedCluster({ seed, raft: { without: [rule] } }).run());
  });
}

function storyWithout(text: string, rule: Rule): string {
  try {
    return replay(text, [rule]);
  } catch (error) {
    return String(error);
  }
}
