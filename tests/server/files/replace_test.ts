import assert from "node:assert/strict";
import { type Disk, DiskRefusedError } from "../../../cluster/runtime.ts";
import { HalfWrittenError, replaceFile, replaceUserFile } from "../../../server/files/replace.ts";
import { bytes, content, names } from "../../support/disk_suite.ts";
import { Simulation } from "../../support/simulation/simulation.ts";

const HOST = "10.0.0.1";
const OLD = "old content";
const NEW = ["new ", "content ", "in pieces"];

const newContent = () => NEW.map(bytes);

/** A machine with a file that is safely on its disk. */
async function machine(seed: number): Promise<{ simulation: Simulation; disk: Disk }> {
  const simulation = new Simulation(seed);
  const { disk } = simulation.addHost(HOST);
  await simulation.settle(replaceFile(disk, "raft/vote", () => [bytes(OLD)]));
  for (const path of ["", "raft"]) await simulation.settle(disk.sync(path));
  return { simulation, disk };
}

Deno.test("a file that is replaced when the machine crashes is the old one or the new one", async () => {
  const seen = new Set<string>();
  let steps = 0;
  for (let step = 0, over = false; !over; step++) {
    for (let seed = 0; seed < 30; seed++) {
      const { simulation, disk } = await machine(seed);
      const platter = simulation.disk(HOST);
      let resolved = false;
      const begun = platter.operations;
      void replaceFile(disk, "raft/vote", newContent).then(() => resolved = true);
      const reached = () => platter.operations - begun >= step;
      over = !await simulation.runUntil(reached, 1_000, 0);
      simulation.crash(HOST);
      const next = simulation.addHost(HOST).disk;
      const found = await simulation.settle(content(next, "raft/vote"));
      seen.add(found);
      assert.ok(found === NEW.join("") || !resolved && found === OLD, `${step} ${seed}: ${found}`);
      await simulation.settle(replaceFile(next, "raft/vote", newContent));
      assert.equal(await simulation.settle(content(next, "raft/vote")), NEW.join(""));
      assert.deepEqual(await simulation.settle(names(next, "raft")), ["vote"]);
    }
    steps = step;
  }
  assert.equal(seen.size, 2);
  assert.equal(steps - 1, 7, "Remove, three appends, sync, rename, sync");
});

Deno.test("a file that cannot be replaced for want of room stays, and nothing is left beside it", async () => {
  const { simulation, disk } = await machine(1);
  simulation.disk(HOST).room = 15;
  await assert.rejects(simulation.settle(replaceFile(disk, "raft/vote", newContent)));
  assert.equal(await simulation.settle(content(disk, "raft/vote")), OLD);
  assert.deepEqual(await simulation.settle(names(disk, "raft")), ["vote"]);
  assert.equal(simulation.disk(HOST).room, 15);
});

Deno.test("a user's file is written in place where the folder refuses another one", async () => {
  const { simulation, disk } = await machine(1);
  for (const refused of ["append", "rename"] as const) {
    const refusing = refuse(disk, refused);
    const written = replaceUserFile(refusing, "raft/vote", () => [bytes(refused)], "raft/fresh");
    await simulation.settle(written);
    assert.equal(await simulation.settle(content(disk, "raft/vote")), refused);
    assert.deepEqual(await simulation.settle(names(disk, "raft")), ["vote"]);
  }
  const none = replaceUserFile(refuse(disk, "rename"), "raft/none", newContent, "raft/fresh");
  await assert.rejects(simulation.settle(none), DiskRefusedError);
  assert.deepEqual(await simulation.settle(names(disk, "raft")), ["vote"]);
});

Deno.test("a user's file that could be written in place only in part is told apart", async () => {
  const { simulation, disk } = await machine(1);
  const refusing = refuse(disk, "append");
  simulation.disk(HOST).room = 0;
  const written = replaceUserFile(refusing, "raft/vote", newContent, "raft/fresh");
  await assert.rejects(simulation.settle(written), HalfWrittenError);
});

Deno.test("a user's file is replaced though its folder cannot be synced", async () => {
  const { simulation, disk } = await machine(1);
  const refusing = { ...refuse(disk, "rename"), rename: disk.rename.bind(disk) };
  refusing.sync = (path) =>
    path === "raft" ? Promise.reject(new DiskRefusedError(path)) : disk.sync(path);
  const replace = (work: typeof replaceFile | typeof replaceUserFile) =>
    simulation.settle(work(refusing, "raft/vote", newContent, "raft/fresh"));
  await replace(replaceUserFile);
  assert.equal(await simulation.settle(content(disk, "raft/vote")), NEW.join(""));
  await assert.rejects(replace(replaceFile), DiskRefusedError);
});

/** A disk whose folder takes no other file: it refuses to make one, or to rename it. */
function refuse(disk: Disk, what: "append" | "rename"): Disk {
  const refused = (path: string) => Promise.reject(new DiskRefusedError(path));
  return {
    append: (path, bytes) =>
      what === "append" && path === "raft/fresh" ? refused(path) : disk.append(path, bytes),
    write: (path, position, bytes) => disk.write(path, position, bytes),
    rename: (from, to) => what === "rename" ? refused(to) : disk.rename(from, to),
    sync: (path) => disk.sync(path),
    read: (path, position, length) => disk.read(path, position, length),
    truncate: (path, length) => disk.truncate(path, length),
    list: (folder) => disk.list(folder),
    remove: (path) => disk.remove(path),
  };
}
