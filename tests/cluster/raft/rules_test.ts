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
import { type Proof, PROOFS } from "../../support/raft/proofs.ts";
import { replay } from "../../support/raft/script.ts";

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
