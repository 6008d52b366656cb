import assert from "node:assert/strict";
import { type Disk, DiskFullError, FileNotFoundError } from "../../../cluster/runtime.ts";
import { bytes, content, diskSuite, names, text } from "../../support/disk_suite.ts";
import type { SimDisk } from "../../support/simulation/disk/sim_disk.ts";
import { Simulation } from "../../support/simulation/simulation.ts";

const HOST = "10.0.0.1";

/** Enough that every outcome comes up. */
const CRASHES = 200;

diskSuite("simulated disk", async (test) => {
  const { simulation, disk } = machine(1);
  await simulation.settle(test(disk));
});

/** A machine whose process has a disk. */
function machine(seed: number): { simulation: Simulation; disk: Disk; platter: SimDisk } {
  const simulation = new Simulation(seed);
  return { simulation, disk: simulation.addHost(HOST).disk, platter: simulation.disk(HOST) };
}

/** What a new process finds, by seed, when the machine crashed after `work`. */
async function afterCrashes<T>(
  work: (disk: Disk) => Promise<void>,
  look: (disk: Disk) => Promise<T>,
): Promise<T[]> {
  const found: T[] = [];
  for (let seed = 0; seed < CRASHES; seed++) {
    const { simulation, disk } = machine(seed);
    await simulation.settle(work(disk));
    simulation.crash(HOST);
    found.push(await simulation.settle(look(simulation.addHost(HOST).disk)));
  }
  return found;
}

/** How often each of some outcomes came up; asserts that all of them did, and nothing else. */
function assertOutcomes(found: readonly string[], wanted: readonly string[]): void {
  assert.deepEqual([...new Set(found)].toSorted(), wanted.toSorted());
}

Deno.test("what was synced, with its folder, outlives every crash", async () => {
  const found = await afterCrashes(async (disk) => {
    await disk.append("log", bytes("synced"));
    await disk.sync("log");
    await disk.sync("");
  }, (disk) => content(disk, "log"));
  assertOutcomes(found, ["synced"]);
});

Deno.test("of appends that were not synced a crash leaves the first ones, and tears one", async () => {
  const found = await afterCrashes(async (disk) => {
    await disk.append("log", bytes("synced "));
    await disk.sync("log");
    await disk.sync("");
    for (const entry of ["one ", "two ", "three "]) await disk.append("log", bytes(entry));
  }, (disk) => content(disk, "log"));
  const whole = "synced one two three ";
  for (const left of found) {
    const begin = left.replace(/\0+$/, "");
    assert.ok(whole.startsWith(begin) && begin.startsWith("synced "), JSON.stringify(left));
    assert.ok(left.length <= whole.length);
  }
  const seen = (holds: (left: string) => boolean, what: string) =>
    assert.ok(found.some(holds), `Never ${what}`);
  for (const outcome of ["synced ", "synced one ", "synced one two ", whole]) {
    seen((left) => left === outcome, JSON.stringify(outcome));
  }
  seen((left) => /^synced o(n|ne)?$/.test(left), "torn");
  seen((left) => /^synced o(n|ne)?\0+$/.test(left), "torn, with zeros");
});

Deno.test("of a write that was not synced a crash leaves any sectors, and the length or not", async () => {
  const found = await afterCrashes(async (disk) => {
    await disk.append("log", bytes("0".repeat(1_000)));
    await disk.sync("log");
    await disk.sync("");
    await disk.write("log", 500, bytes("x".repeat(1_000)));
  }, (disk) => content(disk, "log"));
  const sectors = found.map((left) => {
    assert.ok(left.length >= 1_000 && left.length <= 1_500);
    assert.equal(left.slice(0, 500), "0".repeat(500));
    return [[500, 512], [512, 1_000], [1_024, 1_500]].map(([begin, end]) =>
      [...new Set(left.slice(begin, end))].join("")
    ).join(" ");
  });
  assert.ok(sectors.every((it) => /^[0x] [0x] [\0x]?$/.test(it)), sectors.join("\n"));
  for (const outcome of ["0 0 ", "x x ", "x x x", "0 x x", "x 0 x", "0 x \0", "0 0 \0", "0 0 x"]) {
    assert.ok(sectors.includes(outcome), `Never ${JSON.stringify(outcome)}`);
  }
  assert.ok(found.some(({ length }) => length > 1_100 && length < 1_400), "Never cut");
});

Deno.test("of several writes that were not synced a crash leaves any sectors, of a later one without an earlier one", async () => {
  const found = await afterCrashes(async (disk) => {
    await disk.append("log", bytes("-".repeat(1_536)));
    await disk.sync("log");
    await disk.sync("");
    await disk.write("log", 0, bytes("a".repeat(600)));
    await disk.write("log", 600, bytes("b".repeat(936)));
  }, (disk) => content(disk, "log"));
  const sectors = found.map((left) => [left[0], left[512], left[600], left[1_024]].join(""));
  // The second sector has both, none, or the first one alone where all of that is there.
  const wanted = ["----", "a---", "aa-b", "aa--", "-ab-", "aab-", "---b", "a--b", "-abb", "aabb"];
  assertOutcomes(sectors, wanted);
});

Deno.test("a synced file may vanish while its folder is not synced, and so may the folder", async () => {
  const found = await afterCrashes(async (disk) => {
    await disk.append("raft/log", bytes("synced"));
    await disk.sync("raft/log");
  }, async (disk) => {
    if ((await names(disk, "")).length === 0) return "no folder";
    return (await names(disk, "raft")).length === 0 ? "no file" : await content(disk, "raft/log");
  });
  assertOutcomes(found, ["no folder", "no file", "synced"]);
});

Deno.test("a rename that was not synced holds or does not, and is never half done", async () => {
  const found = await afterCrashes(async (disk) => {
    await disk.append("vote", bytes("old"));
    await disk.append("vote.new", bytes("new"));
    for (const path of ["vote", "vote.new", ""]) await disk.sync(path);
    await disk.rename("vote.new", "vote");
  }, async (disk) => `${await names(disk, "")} ${await content(disk, "vote")}`);
  assertOutcomes(found, ["vote,vote.new old", "vote new"]);
});

Deno.test("a rename that was synced holds, but not what the file lacked", async () => {
  const found = await afterCrashes(async (disk) => {
    await disk.append("vote.new", bytes("n"));
    await disk.rename("vote.new", "vote");
    await disk.sync("");
  }, (disk) => content(disk, "vote"));
  assertOutcomes(found, ["", "n", "\0"]);
});

Deno.test("a removal that was not synced may come undone", async () => {
  const found = await afterCrashes(async (disk) => {
    await disk.append("log", bytes("x"));
    await disk.sync("log");
    await disk.sync("");
    await disk.remove("log");
  }, async (disk) => String(await names(disk, "")));
  assertOutcomes(found, ["", "log"]);
});

Deno.test("what a truncation cut off may come back until it is synced", async () => {
  for (const synced of [true, false]) {
    const found = await afterCrashes(async (disk) => {
      await disk.append("log", bytes("0123456789"));
      await disk.sync("log");
      await disk.sync("");
      await disk.truncate("log", 4);
      await disk.append("log", bytes("x"));
      if (synced) await disk.sync("log");
    }, (disk) => content(disk, "log"));
    assertOutcomes(
      found,
      synced ? ["0123x"] : ["0123x", "0123", "0123\0", "0123456789"],
    );
  }
});

Deno.test("a killed process loses nothing that resolved, and of what was under way some", async () => {
  const found: string[] = [];
  for (let seed = 0; seed < CRASHES; seed++) {
    const { simulation, disk } = machine(seed);
    await simulation.settle(disk.append("log", bytes("done ")));
    let resolved = false;
    void disk.append("log", bytes("ab")).then(() => resolved = true);
    await simulation.runFor(0);
    simulation.kill(HOST);
    simulation.addHost(HOST);
    simulation.kill(HOST);
    const next = simulation.addHost(HOST).disk;
    found.push(await simulation.settle(content(next, "log")));
    await simulation.runFor(1_000);
    assert.ok(!resolved, "The dead process was told");
  }
  assertOutcomes(found, ["done ", "done a"]);
});

Deno.test("a process that is dead does nothing to the disk any more", async () => {
  const { simulation, disk } = machine(1);
  simulation.kill(HOST);
  void disk.append("log", bytes("x"));
  await simulation.runFor(1_000);
  simulation.kill(HOST);
  assert.deepEqual(await simulation.settle(names(simulation.addHost(HOST).disk, "")), []);
});

Deno.test("a full disk takes what fits, and more when there is room again", async () => {
  const { simulation, disk, platter } = machine(1);
  const run = <T>(work: Promise<T>): Promise<T> => simulation.settle(work);
  await run(disk.append("log", bytes("0123")));
  platter.room = 3;
  await assert.rejects(run(disk.append("log", bytes("456789"))), DiskFullError);
  assert.equal(await run(content(disk, "log")), "0123456");
  await run(disk.truncate("log", 4));
  await run(disk.append("log", bytes("xyz")));
  await assert.rejects(run(disk.append("other", bytes("x"))), DiskFullError);
  await run(disk.remove("log"));
  await run(disk.append("other", bytes("0123456")));
  assert.equal(platter.room, 0);
  await run(disk.append("more", bytes("")));
  await run(disk.rename("more", "other"));
  assert.equal(platter.room, 7);
});

Deno.test("bits flip and files are cut without an error", async () => {
  const { simulation, disk, platter } = machine(1);
  await simulation.settle(disk.append("log", bytes("AAAA")));
  platter.flip("log", 8);
  assert.equal(await simulation.settle(content(disk, "log")), "A@AA");
  platter.flip("log");
  const damaged = text(await simulation.settle(disk.read("log", 0, 4)));
  assert.notEqual(damaged, "A@AA");
  platter.cut("log", 2);
  assert.equal(await simulation.settle(content(disk, "log")), damaged.slice(0, 2));
  assert.throws(() => platter.flip("log", 16), RangeError);
  assert.throws(() => platter.flip("none", 0), FileNotFoundError);
});

Deno.test("operations take virtual time, a sync the most, and one process's files do not wait for each other", async () => {
  const { simulation, disk, platter } = machine(1);
  platter.times = { accessMs: [1, 1], syncMs: [10, 10] };
  const took = async (work: () => Promise<unknown>): Promise<number> => {
    const begun = simulation.now;
    await simulation.settle(work());
    return simulation.now - begun;
  };
  assert.equal(await took(() => disk.append("a", bytes("x"))), 1);
  assert.equal(await took(() => disk.sync("a")), 10);
  assert.equal(await took(() => Promise.all([disk.sync("a"), disk.append("a", bytes("x"))])), 11);
  assert.equal(await took(() => Promise.all([disk.sync("a"), disk.append("b", bytes("x"))])), 10);
  assert.equal(await took(() => Promise.all([disk.sync("a"), disk.read("a", 0, 1)])), 10);
});

Deno.test("one seed gives one disk, another seed another", async () => {
  const run = async (seed: number): Promise<string> => {
    const { simulation, disk } = machine(seed);
    for (let i = 0; i < 20; i++) void disk.append(`log${i % 3}`, bytes(`${i}`));
    await simulation.runFor(1);
    simulation.crash(HOST);
    const next = simulation.addHost(HOST).disk;
    const left = await simulation.settle(next.list(""));
    return `${JSON.stringify(left)} ${simulation.traceHash}`;
  };
  assert.equal(await run(5), await run(5));
  assert.notEqual(await run(5), await run(6));
});
