import assert from "node:assert/strict";
import { DiskFullError } from "../../../../cluster/runtime.ts";
import {
  DamagedVoteError,
  VoteFailedError,
  VoteFile,
} from "../../../../server/replica/log/vote_file.ts";
import { below } from "../../../support/random_value.ts";
import { HOST, onBothDisks, onSimDisk } from "../../../support/replica/disks.ts";
import { MemoryDisk } from "../../../support/replica/memory_disk.ts";
import { WatchedDisk } from "../../../support/replica/watched_disk.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";
import { Simulation } from "../../../support/simulation/simulation.ts";

const PATH = "raft/vote";

function vote(
  term: number,
  vote?: string,
): { seq: number; term: number; vote: string | undefined } {
  return { seq: term, term, vote };
}

onBothDisks("nothing is promised at first, and what is promised is found again", async (disk) => {
  const { file, restored } = await VoteFile.open(disk, PATH, true);
  assert.deepEqual(restored, { term: 0, vote: undefined });
  for (const [term, id] of [[1, undefined], [2, "a".repeat(32)], [2 ** 53 - 1, "größe"]] as const) {
    await file.write(vote(term, id));
    assert.deepEqual((await VoteFile.open(disk, PATH, true)).restored, { term, vote: id });
  }
  await file.close();
});

onBothDisks("of the votes that wait only the newest is written", async (disk) => {
  const watched = new WatchedDisk(disk);
  const { file } = await VoteFile.open(watched, PATH, true);
  watched.calls = [];
  const done: number[] = [];
  const writes = [1, 2, 3, 4, 5].map(async (term) => {
    await file.write(vote(term, "a"));
    done.push(term);
    const { restored } = await VoteFile.open(disk, PATH, true);
    assert.ok(restored.term >= term, "At least as new");
  });
  await Promise.all(writes);
  assert.deepEqual(done, [1, 2, 3, 4, 5]);
  assert.equal(watched.count("append"), 2);
  await file.close();
});

Deno.test("a vote that was acknowledged outlives every end of the process", async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    const simulation = new Simulation(seed);
    const random = new SeededRandom(seed, 9);
    let [least, most] = [0, 0];
    for (let lives = 0; lives < 6; lives++) {
      const { disk } = simulation.addHost(HOST);
      const { file, restored } = await simulation.settle(VoteFile.open(disk, PATH, true));
      assert.ok(least <= restored.term && restored.term <= most, `${seed}: ${restored.term}`);
      assert.equal(restored.vote, restored.term === 0 ? undefined : `node ${restored.term}`);
      // Whoever has read it has promised it.
      least = restored.term;
      const platter = simulation.disk(HOST);
      const end = platter.operations + below(random, 20);
      const write = async (): Promise<void> => {
        while (most < 1_000) {
          most++;
          const term = most;
          await file.write(vote(term, `node ${term}`));
          least = term;
        }
      };
      void write().catch(assert.ifError);
      await simulation.runUntil(() => platter.operations >= end, 60_000, 0);
      const how = random.float() < 0.5 ? "kill" : "crash";
      simulation[how](HOST);
      seen.add(`${how} ${most - least}`);
    }
  }
  assert.ok(seen.has("crash 1") && seen.has("kill 1"), [...seen].join());
});

Deno.test("a vote file that is damaged is never taken for one without a vote", async () => {
  const disk = new MemoryDisk();
  const { file } = await VoteFile.open(disk, PATH, true);
  await file.write(vote(7, "abc"));
  const whole = disk.files.get(PATH) as Uint8Array;
  const files: Uint8Array[] = [];
  for (let bit = 0; bit < 8 * whole.length; bit++) {
    const bytes = whole.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    files.push(bytes);
  }
  for (let length = 0; length < whole.length; length++) {
    files.push(whole.slice(0, length));
    const zeroed = whole.slice();
    files.push(zeroed.fill(0, length));
  }
  files.push(new Uint8Array([...whole, 0]), new Uint8Array(100_000));
  for (const bytes of files) {
    disk.files.set(PATH, bytes);
    await assert.rejects(VoteFile.open(disk, PATH, true), (error) => {
      assert.ok(error instanceof DamagedVoteError, String(error));
      assert.match(error.message, /^Vote file 'raft\/vote' is damaged: [A-Z]/);
      return true;
    });
  }
});

Deno.test("without a file only a new server may go on", async () => {
  const disk = new MemoryDisk();
  await assert.rejects(VoteFile.open(disk, PATH, false), DamagedVoteError);
  assert.deepEqual((await VoteFile.open(disk, PATH, true)).restored, { term: 0, vote: undefined });
  assert.deepEqual((await VoteFile.open(disk, PATH, false)).restored, { term: 0, vote: undefined });
});

Deno.test("no vote is written after one that failed", () =>
  onSimDisk(async (disk) => {
    for (
      const [call, end] of [["append", ".new"], ["sync", ".new"], ["rename", ""], ["sync", "raft"]]
    ) {
      const watched = new WatchedDisk(disk);
      const { file } = await VoteFile.open(watched, PATH, true);
      watched.failure = (it, path) =>
        it === call && path.endsWith(end as string) ? new Error("I/O") : undefined;
      const tasks = [1, 2].map((term) => file.write(vote(term)));
      for (const task of tasks) await assert.rejects(task, VoteFailedError);
      watched.failure = () => undefined;
      watched.calls = [];
      await assert.rejects(file.write(vote(3)), VoteFailedError);
      assert.deepEqual(watched.calls, []);
      await file.close();
    }
  }));

Deno.test("a vote for which there was no room is tried again with the next one", async () => {
  const simulation = new Simulation(1);
  const { disk } = simulation.addHost(HOST);
  const work = async (): Promise<void> => {
    const { file } = await VoteFile.open(disk, PATH, true);
    await file.write(vote(1, "a"));
    simulation.disk(HOST).room = 3;
    await assert.rejects(file.write(vote(2, "b")), DiskFullError);
    assert.deepEqual((await VoteFile.open(disk, PATH, true)).restored, { term: 1, vote: "a" });
    simulation.disk(HOST).room = Infinity;
    await file.write(vote(2, "b"));
    assert.deepEqual((await VoteFile.open(disk, PATH, true)).restored, { term: 2, vote: "b" });
    await file.close();
  };
  await simulation.settle(work());
});

Deno.test("a vote for no name is refused", async () => {
  for (const id of ["", "x".repeat(256)]) {
    const { file } = await VoteFile.open(new MemoryDisk(), PATH, true);
    await assert.rejects(file.write(vote(1, id)), VoteFailedError);
  }
});
