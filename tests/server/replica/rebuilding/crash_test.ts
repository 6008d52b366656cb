/**
 * A rebuild whose process, or machine, ends at each of its disk operations.
 *
 * @module
 */

import { openWhole } from "../../../support/replica/writes.ts";
import assert from "node:assert/strict";
import type { Entry } from "../../../../cluster/raft/log/entry.ts";
import type { Disk } from "../../../../cluster/runtime.ts";
import { isLogDamage } from "../../../../server/replica/damage.ts";
import { readNodeFile, writeNodeFile } from "../../../../server/replica/directory/node_file.ts";
import { VoteFile } from "../../../../server/replica/log/vote_file.ts";
import { HOST } from "../../../support/replica/disks.ts";
import { CLUSTER, nodeIdOf, rebuild } from "../../../support/replica/simulation/rebuilding.ts";
import { Simulation } from "../../../support/simulation/simulation.ts";

const OLD = nodeIdOf(1, 0);

const ENTRIES: readonly Entry[] = Array.from({ length: 5 }, (_, i) => ({
  index: i + 1,
  term: 3,
  type: "command",
  time: 0,
  data: new Uint8Array(20).fill(i),
}));

/** What a server has promised, as its start finds it. */
interface Found {
  readonly entries: readonly Entry[];
  readonly term: number;
  readonly vote: string | undefined;
}

const PROMISED: Found = { entries: ENTRIES, term: 4, vote: "x" };

/** Makes the directory of a server that has promised something. */
async function prepare(disk: Disk): Promise<void> {
  await writeNodeFile(disk, { nodeId: OLD, clusterId: CLUSTER });
  const { file } = await VoteFile.open(disk, "raft/vote", true);
  await file.write({ seq: 1, term: 4, vote: "x" });
  const { log } = await openWhole(disk, "raft");
  await log.write({ seq: 1, entries: [...ENTRIES] });
  await log.close();
}

async function start(disk: Disk): Promise<Found> {
  const { restored: { entries } } = await openWhole(disk, "raft");
  const { restored: { term, vote } } = await VoteFile.open(disk, "raft/vote", false);
  return { entries, term, vote };
}

/** Rebuilds until so many operations of the disk are done, and lets it end then. Returns whether it was done. */
async function rebuildUntil(
  simulation: Simulation,
  generation: number,
  operations: number,
  end: "kill" | "crash",
): Promise<{ isDone: boolean; hasLostState: boolean }> {
  const { disk } = simulation.addHost(HOST);
  const last = simulation.disk(HOST).operations + operations;
  let [isDone, hasLostState, failure] = [false, false, undefined as unknown];
  const loseState = () => hasLostState = true;
  rebuild({ disk, loseState, nodeId: nodeIdOf(1, generation) }).then(
    () => isDone = true,
    (error) => failure = error,
  );
  const isOver = () => isDone || failure !== undefined || simulation.disk(HOST).operations >= last;
  await simulation.runUntil(isOver, 60_000, 0);
  assert.equal(failure, undefined);
  simulation[end](HOST);
  return { isDone, hasLostState };
}

Deno.test("a rebuild that ends at any of its operations leaves the server that it was, or one that is rebuilt again and has forgotten no id", async () => {
  const outcomes = { old: 0, started: 0, refused: 0 };
  for (let seed = 0; seed < 40; seed++) {
    const end = seed % 2 === 0 ? "crash" : "kill";
    for (let operations = 0, isOver = false; !isOver; operations++) {
      const simulation = new Simulation(seed);
      await simulation.settle(prepare(simulation.addHost(HOST).disk));
      simulation.crash(HOST);
      const { isDone, hasLostState } = await rebuildUntil(simulation, 1, operations, end);
      isOver = isDone;

      const { disk } = simulation.addHost(HOST);
      const identity = await simulation.settle(readNodeFile(disk, ""));
      const found = await simulation.settle(start(disk).catch((error) => error as Error));
      if (identity?.nodeId === OLD) {
        assert.deepEqual(found, PROMISED, "who has voted knows all that it knew");
        assert.ok(!isDone && !hasLostState);
        outcomes.old++;
      } else {
        assert.deepEqual(identity?.rebuilt?.replaces, [OLD], "so that it is taken out");
        assert.ok(!(found instanceof Error) || isLogDamage(found), String(found));
        if (isDone) assert.deepEqual(found, { entries: [], term: 0, vote: undefined });
        outcomes[found instanceof Error ? "refused" : "started"]++;
      }
      simulation.kill(HOST);

      assert.ok((await rebuildUntil(simulation, 2, Infinity, "crash")).isDone);
      const again = simulation.addHost(HOST).disk;
      const after = await simulation.settle(readNodeFile(again, ""));
      assert.equal(after?.nodeId, nodeIdOf(1, 2));
      assert.ok(after.rebuilt?.replaces.includes(OLD));
      const empty = { entries: [], term: 0, vote: undefined };
      assert.deepEqual(await simulation.settle(start(again)), empty);
      assert.ok(operations < 200);
    }
  }
  assert.ok(Object.values(outcomes).every((count) => count > 20), JSON.stringify(outcomes));
});
