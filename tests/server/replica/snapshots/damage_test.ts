import assert from "node:assert/strict";
import { DumpError, MemoryStore } from "../../../../cluster/machine/mod.ts";
import type { Disk } from "../../../../cluster/runtime.ts";
import { DamagedSnapshotError } from "../../../../server/replica/snapshots/damaged.ts";
import { encodeTrailer, PieceSums } from "../../../../server/replica/snapshots/trailer.ts";
import { names } from "../../../support/disk_suite.ts";
import { dumped } from "../../../support/machine/fixture.ts";
import {
  FOLDER,
  openSnapshots,
  placeAt,
  saveSnapshot,
  setKeys,
} from "../../../support/replica/snapshots.ts";
import { below } from "../../../support/random_value.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";
import { Simulation } from "../../../support/simulation/simulation.ts";

const HOST = "10.0.0.1";

/** A machine with two snapshots, and the path of the newer one. */
async function machine(keys: number) {
  const simulation = new Simulation(1);
  const { disk } = simulation.addHost(HOST);
  const { files, store } = await simulation.settle(openSnapshots(disk, keys));
  await simulation.settle(saveSnapshot(files, store));
  setKeys(store, 0, 1);
  const newest = await simulation.settle(saveSnapshot(files, store));
  const path = `${FOLDER}/${(await simulation.settle(names(disk, FOLDER)))[1]}`;
  const bytes = await simulation.settle(disk.read(path, 0, 10_000_000));
  return { simulation, disk, files, store, newest, path, bytes };
}

/** Puts other bytes into a file. */
async function put(disk: Disk, path: string, bytes: Uint8Array): Promise<void> {
  await disk.truncate(path, 0);
  await disk.append(path, bytes);
}

Deno.test("a bit flipped in any byte of the newest snapshot stops the start and names the file", async () => {
  const { simulation, disk, path, bytes } = await machine(20);
  const platter = simulation.disk(HOST);
  for (let byte = 0; byte < bytes.length; byte++) {
    platter.flip(path, 8 * byte + byte % 8);
    await assert.rejects(simulation.settle(openSnapshots(disk)), (error) => {
      assert.ok(error instanceof DamagedSnapshotError, `byte ${byte}: ${error}`);
      return error.message.includes(path);
    });
    platter.flip(path, 8 * byte + byte % 8);
  }
  assert.equal((await simulation.settle(openSnapshots(disk))).files.newest?.index, 21);
});

Deno.test("an older snapshot that is damaged is removed", async () => {
  const { simulation, disk, newest } = await machine(20);
  const [older] = await simulation.settle(names(disk, FOLDER));
  simulation.disk(HOST).cut(`${FOLDER}/${older}`, 100);
  const { files } = await simulation.settle(openSnapshots(disk));
  assert.deepEqual(files.newest, newest);
  assert.equal((await simulation.settle(names(disk, FOLDER))).length, 1);
});

Deno.test("damage that comes later is neither sent nor loaded", async () => {
  const { simulation, files, store, newest, path } = await machine(12_000);
  const before = dumped(store).summary;
  for (const bit of [8 * 600_000, 8 * 3]) {
    simulation.disk(HOST).flip(path, bit);
    const offset = bit / 8 - bit / 8 % (512 * 1024);
    await assert.rejects(
      simulation.settle(files.read(newest.index, offset)),
      DamagedSnapshotError,
    );
    await assert.rejects(simulation.settle(files.load(newest)), (error) => {
      assert.ok(error instanceof DamagedSnapshotError, `${error}`);
      return error.cause instanceof DumpError;
    });
    simulation.disk(HOST).flip(path, bit);
  }
  simulation.disk(HOST).cut(path, 1_000);
  await assert.rejects(simulation.settle(files.read(newest.index, 0)), DamagedSnapshotError);
  await assert.rejects(simulation.settle(files.load(newest)), DamagedSnapshotError);
  assert.deepEqual(dumped(store).summary, before);
  const unknown = { ...newest, index: 7 };
  await assert.rejects(simulation.settle(files.load(unknown)), RangeError);
});

Deno.test("random bytes, cuts and additions are no snapshot", async () => {
  const { simulation, disk, path, bytes } = await machine(30);
  const random = new SeededRandom(1);
  for (let i = 0; i < 400; i++) {
    const cut = below(random, bytes.length);
    const kinds = [
      () => random.bytes(below(random, 2_000)),
      () => bytes.slice(0, cut),
      () => bytes.slice(cut + 1),
      () => Uint8Array.from([...bytes, ...random.bytes(1 + below(random, 50))]),
      () => Uint8Array.from([...bytes.subarray(0, cut), ...bytes.subarray(cut + 1)]),
      () => Uint8Array.from([...bytes.subarray(0, -70 + below(random, 60)), ...random.bytes(50)]),
      () => Uint8Array.from([...random.bytes(cut), ...bytes.subarray(-20)]),
    ];
    await simulation.settle(put(disk, path, kinds[i % kinds.length]!()));
    await assert.rejects(simulation.settle(openSnapshots(disk)), DamagedSnapshotError, `${i}`);
  }
});

Deno.test("lengths and contents that only look right are refused", async () => {
  const { simulation, disk, path } = await machine(10);
  const dump = dumped(new MemoryStore());
  const sums = new PieceSums();
  sums.push(dump.bytes);
  const meta = { ...placeAt(11), ...dump.summary, index: 11 };
  const right = { meta, sums: sums.encode() };
  const cases = [
    { ...right, meta: { ...meta, configuration: [] } },
    { ...right, meta: { ...meta, size: meta.size + 1 } },
    { ...right, meta: { ...meta, term: 3 } },
    { ...right, sums: new Uint8Array(8) },
    { ...right, sums: new Uint8Array() },
  ];
  for (const trailer of cases) {
    const bytes = Uint8Array.from([...dump.bytes, ...encodeTrailer(trailer)]);
    await simulation.settle(put(disk, path, bytes));
    await assert.rejects(simulation.settle(openSnapshots(disk)), DamagedSnapshotError);
  }
});
