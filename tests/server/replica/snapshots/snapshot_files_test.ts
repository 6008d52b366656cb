import assert from "node:assert/strict";
import { Machine, MemoryStore, type StoreView } from "../../../../cluster/machine/mod.ts";
import { concatBytes } from "../../../../protocol/bytes.ts";
import { type Disk, DiskFullError } from "../../../../cluster/runtime.ts";
import { FileDisk } from "../../../../server/files/disk.ts";
import { SnapshotFiles } from "../../../../server/replica/snapshots/snapshot_files.ts";
import { names } from "../../../support/disk_suite.ts";
import { dumped } from "../../../support/machine/fixture.ts";
import {
  FOLDER,
  openSnapshots,
  piecesOf,
  placeAt,
  saveSnapshot,
  setKeys,
} from "../../../support/replica/snapshots.ts";
import { inFolder, openStore } from "../../../support/replica/store.ts";
import { WatchedDisk } from "../../../support/replica/watched_disk.ts";
import { Simulation } from "../../../support/simulation/simulation.ts";

const HOST = "10.0.0.1";

function onDisk(test: (disk: FileDisk) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    await using disk = new FileDisk(folder);
    await test(disk);
  });
}

Deno.test("a snapshot is there after a restart, in pieces and to be loaded", () =>
  onDisk(async (disk) => {
    const { files, store } = await openSnapshots(disk, 6_000, undefined);
    setKeys(store, 0, 6_000, 200);
    assert.equal(files.newest, undefined);
    const meta = await saveSnapshot(files, store);
    assert.deepEqual(meta, { ...placeAt(12_000), ...dumped(store).summary });
    const again = await openSnapshots(disk);
    assert.deepEqual(again.files.newest, meta);
    const pieces = await piecesOf(again.files, meta);
    assert.ok(pieces.length > 2, `${pieces.length} pieces`);
    assert.deepEqual(concatBytes(pieces), dumped(store).bytes);
    assert.deepEqual(await again.files.read(meta.index, 10), pieces[0]!.subarray(10));
    assert.equal(await again.files.read(meta.index, meta.size), undefined);
    assert.equal(await again.files.read(meta.index + 1, 0), undefined);
    await again.files.load(meta);
    assert.deepEqual(dumped(again.store), dumped(store));
  }));

Deno.test("what was found after the end of a process outlives a crash of the machine", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const simulation = new Simulation(seed);
    const written = async (disk: Disk): Promise<void> => {
      const { files, store } = await openSnapshots(disk, 10);
      const { index } = await saveSnapshot(files, store);
      const path = `${FOLDER}/${String(index).padStart(16, "0")}-0000000000000002.snapshot`;
      await disk.rename(path, `${path}.new`);
      await disk.sync(FOLDER);
      await disk.rename(`${path}.new`, path);
    };
    await simulation.settle(written(simulation.addHost(HOST).disk));
    simulation.kill(HOST);
    const found = await simulation.settle(openSnapshots(simulation.addHost(HOST).disk));
    assert.equal(found.files.newest?.index, 10);
    simulation.crash(HOST);
    const again = await simulation.settle(openSnapshots(simulation.addHost(HOST).disk));
    assert.equal(again.files.newest?.index, 10, `seed ${seed}`);
  }
});

/** A disk whose reads wait until they may go on. */
class HeldDisk extends WatchedDisk {
  held: Promise<void> = Promise.resolve();

  override async read(path: string, position: number, length: number): Promise<Uint8Array> {
    await this.held;
    return await super.read(path, position, length);
  }
}

Deno.test("a snapshot that is being loaded stays until it is, though newer ones come", () =>
  onDisk(async (real) => {
    const disk = new HeldDisk(real);
    const { files, store: target } = await openSnapshots(disk);
    const source = new MemoryStore();
    setKeys(source, 0, 10);
    const meta = await saveSnapshot(files, source);
    const { promise, resolve } = Promise.withResolvers<void>();
    disk.held = promise;
    const loading = files.load(meta);
    for (let i = 0; i < 3; i++) {
      setKeys(source, i, i + 1);
      await saveSnapshot(files, source);
    }
    resolve();
    await loading;
    assert.equal(dumped(target).summary.hash, meta.hash);
    setKeys(source, 0, 1);
    await saveSnapshot(files, source);
    assert.equal((await names(disk, FOLDER)).length, 2);
  }));

Deno.test("the newest two are kept", () =>
  onDisk(async (disk) => {
    const { files, store } = await openSnapshots(disk, 10);
    for (let i = 0; i < 4; i++) {
      await saveSnapshot(files, store);
      setKeys(store, 0, 1);
    }
    const kept = [12, 13].map((index) => `00000000000000${index}-0000000000000002.snapshot`);
    assert.deepEqual(await names(disk, FOLDER), kept);
    assert.equal(await files.read(11, 0), undefined);
    assert.ok(await files.read(12, 0));
    const again = await openSnapshots(disk);
    assert.equal(again.files.newest?.index, 13);
    assert.ok(await again.files.read(12, 0));
  }));

Deno.test("the same snapshot made twice is one", () =>
  onDisk(async (disk) => {
    const { files, store } = await openSnapshots(disk, 10);
    const meta = await saveSnapshot(files, store);
    assert.deepEqual(await saveSnapshot(files, store), meta);
    assert.equal((await names(disk, FOLDER)).length, 1);
    assert.ok(await files.read(10, 0));
  }));

Deno.test("a snapshot of another server is one of the own when it is whole", () =>
  onDisk(async (disk) => {
    const source = await openSnapshots(disk, 3_000);
    setKeys(source.store, 0, 3_000, 300);
    const snapshot = await saveSnapshot(source.files, source.store);
    await inFolder(async (folder) => {
      await using other = new FileDisk(folder);
      const { files, store } = await openSnapshots(other, 5);
      let offset = 0;
      for (const chunk of await piecesOf(source.files, snapshot)) {
        assert.equal(files.newest, undefined);
        assert.equal(
          await files.store({ snapshot, offset, chunk }),
          offset += chunk.length,
        );
      }
      assert.deepEqual(files.newest, snapshot);
      assert.equal((await openSnapshots(other)).files.newest?.hash, snapshot.hash);
      await files.load(snapshot);
      assert.deepEqual(dumped(store), dumped(source.store));
    });
  }));

Deno.test("pieces that do not fit have the snapshot begin anew", () =>
  onDisk(async (disk) => {
    const { bytes, summary } = dumped(setAndGet(50));
    const snapshot = { ...placeAt(50), ...summary };
    const { files } = await openSnapshots(disk);
    const half = bytes.length >> 1;
    const store = (offset: number, chunk: Uint8Array, of = snapshot) =>
      files.store({ snapshot: of, offset, chunk });
    assert.equal(await store(half, bytes.subarray(half)), 0, "not begun");
    for (
      const unfit of [
        () => store(half + 1, bytes.subarray(half + 1)),
        () => store(half, bytes.subarray(half), { ...snapshot, hash: "0".repeat(64) }),
        () => store(half, concatBytes([bytes.subarray(half), bytes])),
        () => store(half, bytes.subarray(half).map((byte) => byte ^ 1)),
      ]
    ) {
      assert.equal(await store(0, bytes.subarray(0, half)), half);
      assert.equal(await unfit(), 0);
      assert.equal(await store(half, bytes.subarray(half)), 0, "what there was is gone");
      assert.deepEqual(await names(disk, FOLDER), []);
    }
    await store(0, bytes.subarray(0, half));
    const reopened = (await openSnapshots(disk)).files;
    assert.equal(await reopened.store({ snapshot, offset: half, chunk: bytes.subarray(half) }), 0);
    const both = [
      store(0, bytes.subarray(0, half)),
      store(half, bytes.subarray(half)),
    ];
    assert.deepEqual(await Promise.all(both), [half, bytes.length]);
  }));

Deno.test("a snapshot of 100,000 keys is the state at its index though transactions go on", () =>
  onDisk((disk) =>
    inFolder(async (folder) => {
      await using store = await openStore(folder, {});
      const { files } = await openSnapshots(disk, 100_000, store);
      await store.flush();
      const machine = setKeys(store, 50_000, 51_000);
      const wanted = dumped(store);
      const saved = files.save(store.view(), placeAt(machine.context.index));
      const flushed = store.flush();
      let isSaved = false;
      const done = saved.finally(() => isSaved = true);
      let changed = 0;
      for (; !isSaved; changed += 512) {
        setKeys(store, changed, changed + 512, 30);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await Promise.all([done, flushed]);
      assert.ok(changed > 2_000, `${changed} changes meanwhile`);
      assert.equal((await saved).hash, wanted.summary.hash);
      assert.notEqual(dumped(store).summary.hash, wanted.summary.hash);
      assert.deepEqual(concatBytes(await piecesOf(files, await saved)), wanted.bytes);
      const memory = new MemoryStore();
      await (await openSnapshots(disk, 0, memory)).files.load(await saved);
      assert.equal(dumped(memory).summary.hash, wanted.summary.hash);
    })
  ));

Deno.test("a snapshot that cannot be written leaves nothing, and the next one can", async () => {
  const simulation = new Simulation(1);
  const { disk } = simulation.addHost(HOST);
  const { files, store } = await simulation.settle(openSnapshots(disk, 200));
  simulation.disk(HOST).room = 3_000;
  await assert.rejects(simulation.settle(saveSnapshot(files, store)), DiskFullError);
  const { bytes, summary } = dumped(store);
  const piece = { snapshot: { ...placeAt(200), ...summary }, offset: 0, chunk: bytes };
  await assert.rejects(simulation.settle(files.store(piece)), DiskFullError);
  assert.equal(simulation.disk(HOST).room, 3_000);
  simulation.disk(HOST).room = Infinity;
  assert.equal(await simulation.settle(files.store(piece)), bytes.length);
  assert.equal((await simulation.settle(saveSnapshot(files, store))).hash, summary.hash);
});

Deno.test("a view is closed whatever becomes of its snapshot", async () => {
  const simulation = new Simulation(1);
  const { disk } = simulation.addHost(HOST);
  const { files, store } = await simulation.settle(openSnapshots(disk, 5));
  let open = 0;
  const view = (): StoreView => {
    open++;
    const view = store.view();
    return { ...view, close: () => (open--, view.close()) };
  };
  const first = files.save(view(), placeAt(5));
  await assert.rejects(files.save(view(), placeAt(5)), /beside another/);
  await simulation.settle(first);
  await assert.rejects(simulation.settle(files.save(view(), placeAt(6))), RangeError);
  assert.equal(open, 0);
  assert.equal((await simulation.settle(names(disk, FOLDER))).length, 1);
});

Deno.test("what was acknowledged is whole after a crash at any call", async () => {
  const crashes = await crashEverywhere(async (files, store, acknowledged) => {
    acknowledged((await saveSnapshot(files, store)).index);
    setKeys(store, 0, 1);
    acknowledged((await saveSnapshot(files, store)).index);
    setKeys(store, 0, 1);
    acknowledged((await saveSnapshot(files, store)).index);
  });
  assert.ok(crashes > 15, `${crashes} calls`);
});

Deno.test("what was received is whole after a crash at any call", async () => {
  const store = setAndGet(103);
  const { bytes, summary } = dumped(store);
  const snapshot = { ...placeAt(103), ...summary };
  await crashEverywhere(async (files, own, acknowledged) => {
    acknowledged((await saveSnapshot(files, own)).index);
    for (let offset = 0; offset < bytes.length;) {
      const chunk = bytes.subarray(offset, offset + 2_000);
      offset = await files.store({ snapshot, offset, chunk });
    }
    acknowledged(103);
  });
});

/** Does `work` on a store of 100 keys again and again, with a crash one call later each time. Returns how many there are. */
async function crashEverywhere(
  work: (
    files: SnapshotFiles,
    store: MemoryStore,
    acknowledged: (index: number) => void,
  ) => Promise<void>,
): Promise<number> {
  for (let step = 0;; step++) {
    let over = false;
    for (let seed = 0; seed < 8; seed++) {
      const simulation = new Simulation(seed);
      const { disk } = simulation.addHost(HOST);
      const store = new MemoryStore();
      const { files } = await simulation.settle(openSnapshots(disk, 100, store));
      const platter = simulation.disk(HOST);
      const begun = platter.operations;
      let newest = 0;
      void work(files, store, (index) => newest = index);
      over = !await simulation.runUntil(() => platter.operations - begun >= step, 1_000, 0);
      simulation.crash(HOST);
      await checkAfterCrash(simulation, simulation.addHost(HOST).disk, newest, `${step} ${seed}`);
    }
    if (over) return step;
  }
}

async function checkAfterCrash(
  simulation: Simulation,
  disk: Disk,
  acknowledged: number,
  what: string,
): Promise<void> {
  const { files, store } = await simulation.settle(openSnapshots(disk));
  const { newest } = files;
  assert.ok((newest?.index ?? 0) >= acknowledged, `${what}: ${newest?.index} of ${acknowledged}`);
  if (newest === undefined) return;
  await simulation.settle(files.load(newest));
  assert.equal(new Machine(store).context.index, newest.index);
  assert.equal(dumped(store).summary.hash, newest.hash);
  const left = await simulation.settle(names(disk, FOLDER));
  assert.ok(left.length <= 2 && left.every((name) => name.endsWith(".snapshot")), left.join(" "));
}

function setAndGet(keys: number): MemoryStore {
  const store = new MemoryStore();
  setKeys(store, 0, keys);
  return store;
}
