/**
 * The consensus core under crashes, torn writes, pauses, wrong clocks, loss, repetition, reordering, partitions in one or both
 * directions, messages that come several elections later, and changes of the members; invariants are checked after every step.
 * After the faults the cluster has to agree again, and a majority has to go on in peace whatever the others do.
 *
 * `SKEIN_SEED=n` replays one run, `SKEIN_RAFT_RUNS=n` makes that many with new seeds (default 100, in CI 500).
 *
 * @module
 */

import assert from "node:assert/strict";
import { SimulatedCluster } from "../support/raft/cluster.ts";

/** Runs that found something once: why. */
const FOUND: Readonly<Record<number, string>> = {
  46: "a new voter that knows of no members refused to answer a pre-vote",
  74: "a leader that had removed itself was the only one that could win, and did not campaign",
  3025795479: "the run itself took for granted that nobody loses the lead while messages are slow",
  3572297668:
    "the run itself forgot a snapshot that the machine had and the log had not begun after, and kept the log",
  4065941171:
    "a server did not answer heartbeats while a snapshot replaced its log, and its leader gave up",
};

Deno.test("runs that found faults before find none", () => {
  for (const [seed, why] of Object.entries(FOUND)) run(Number(seed), why);
});

Deno.test("one seed gives one run", () => {
  const report = () => new SimulatedCluster({ seed: 3, steps: 5_000 }).run();
  assert.deepEqual(report(), report());
});

Deno.test("runs with new seeds keep every invariant", () => {
  const replayed = Deno.env.get("SKEIN_SEED");
  const runs = Number(Deno.env.get("SKEIN_RAFT_RUNS") ?? (Deno.env.has("CI") ? 500 : 100));
  const first = replayed === undefined
    ? crypto.getRandomValues(new Uint32Array(1))[0] as number
    : Number(replayed);
  const count = replayed === undefined ? runs : 1;
  console.log(`raft simulation: seeds ${first} to ${first + count - 1}`);
  let [committed, acknowledged, crashes] = [0, 0, 0];
  for (let seed = first; seed < first + count; seed++) {
    const report = run(seed, "a new seed");
    committed += report.committed;
    acknowledged += report.acknowledged;
    crashes += report.crashes;
  }
  console.log(`  ${committed} entries, ${acknowledged} acknowledged, ${crashes} crashes`);
  assert.ok(acknowledged > 0);
});

function run(seed: number, why: string): ReturnType<SimulatedCluster["run"]> {
  try {
    return new SimulatedCluster({ seed }).run();
  } catch (cause) {
    throw new Error(
      `Seed ${seed} (${why}): ${cause}\n` +
        `Replay: SKEIN_SEED=${seed} deno test -A tests/simulation/raft_test.ts`,
      { cause },
    );
  }
}
