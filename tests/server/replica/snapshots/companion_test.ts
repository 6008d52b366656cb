/** A snapshot of another server counts as received once what is kept beside its rows is there as well. */

import assert from "node:assert/strict";
import { MemoryStore } from "../../../../cluster/machine/mod.ts";
import type { SnapshotMeta } from "../../../../cluster/raft/mod.ts";
import { DiskFullError } from "../../../../cluster/runtime.ts";
import { concatBytes } from "../../../../protocol/bytes.ts";
import {
  type SnapshotCompanion,
  SnapshotFiles,
} from "../../../../server/replica/snapshots/snapshot_files.ts";
import { dumped } from "../../../support/machine/fixture.ts";
import { MemoryDisk } from "../../../support/replica/memory_disk.ts";
import {
  FOLDER,
  openSnapshots,
  piecesOf,
  saveSnapshot,
  setKeys,
} from "../../../support/replica/snapshots.ts";

/** Completes what a test lets it. */
class Beside implements SnapshotCompanion {
  readonly asked: {
    readonly meta: SnapshotMeta;
    readonly signal: AbortSignal;
    end: PromiseWithResolvers<void>;
  }[] = [];
  readonly settled: boolean[] = [];
  dump: Uint8Array = new Uint8Array();

  async complete(dump: AsyncIterable<Uint8Array>, meta: SnapshotMeta, signal: AbortSignal) {
    this.dump = concatBytes(await Array.fromAsync(dump));
    const end = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => end.reject(signal.reason));
    this.asked.push({ meta, signal, end });
    this.wake.resolve();
    this.wake = Promise.withResolvers();
    await end.promise;
  }

  settle(mayRemove: () => boolean): Promise<void> {
    this.settled.push(mayRemove());
    return Promise.resolve();
  }

  wake = Promise.withResolvers<void>();
}

/** A snapshot of another server with so many keys, in pieces. */
async function sent(
  keys: number,
): Promise<{ meta: SnapshotMeta; pieces: Uint8Array[]; dump: Uint8Array }> {
  const { files, store } = await openSnapshots(new MemoryDisk(), keys);
  const meta = await saveSnapshot(files, store);
  return { meta, pieces: await piecesOf(files, meta), dump: dumped(store).bytes };
}

async function stage() {
  const disk = new MemoryDisk();
  const companion = new Beside();
  const options = { disk, folder: FOLDER, store: new MemoryStore(), companion };
  return { disk, companion, files: await SnapshotFiles.open(options) };
}

/** Stores all pieces but the last, and begins with that. */
async function storeAll(
  files: SnapshotFiles,
  { meta, pieces }: { meta: SnapshotMeta; pieces: Uint8Array[] },
): Promise<{ last: Promise<number> }> {
  let offset = 0;
  for (const chunk of pieces.slice(0, -1)) {
    offset = await files.store({ snapshot: meta, offset, chunk });
  }
  return { last: files.store({ snapshot: meta, offset, chunk: pieces.at(-1)! }) };
}

Deno.test("a snapshot is none of the own before what is beside it has come", async () => {
  const { disk, companion, files } = await stage();
  const one = await sent(12_000);
  assert.ok(one.pieces.length > 1);
  const { wake } = companion;
  const { last } = await storeAll(files, one);
  await wake.promise;
  assert.deepEqual(companion.asked[0]?.meta, one.meta);
  assert.deepEqual(companion.dump, one.dump);
  assert.equal(files.newest, undefined);
  assert.equal(
    (await SnapshotFiles.open({
      disk: new MemoryDisk(disk.files),
      folder: FOLDER,
      store: new MemoryStore(),
    })).newest,
    undefined,
  );
  companion.asked[0]?.end.resolve();
  assert.equal(await last, one.meta.size);
  assert.deepEqual(files.newest, one.meta);
});

Deno.test("a piece of another snapshot ends the waiting for one, and that one comes", async () => {
  const { companion, files } = await stage();
  const [one, other] = [await sent(100), await sent(200)];
  const { wake } = companion;
  const { last } = await storeAll(files, one);
  await wake.promise;
  const again = companion.wake;
  const next = await storeAll(files, other);
  assert.equal(await last, 0);
  assert.ok(companion.asked[0]?.signal.aborted);
  await again.promise;
  companion.asked[1]?.end.resolve();
  assert.equal(await next.last, other.meta.size);
  assert.deepEqual(files.newest, other.meta);
});

Deno.test("without room beside it a snapshot is sent again", async () => {
  const { companion, files } = await stage();
  const one = await sent(100);
  for (const isFull of [true, false]) {
    const { wake } = companion;
    const { last } = await storeAll(files, one);
    await wake.promise;
    const end = companion.asked.at(-1)?.end;
    if (isFull) {
      end?.reject(new DiskFullError("topics"));
      await assert.rejects(last, DiskFullError);
      assert.equal(files.newest, undefined);
    } else {
      end?.resolve();
      assert.equal(await last, one.meta.size);
    }
  }
});

Deno.test("once a snapshot is loaded what is beside it goes by its rows, unless a later one has come", async () => {
  const { companion, files } = await stage();
  for (const keys of [100, 200]) {
    const one = await sent(keys);
    const { wake } = companion;
    const { last } = await storeAll(files, one);
    await wake.promise;
    companion.asked.at(-1)?.end.resolve();
    await last;
  }
  const newest = files.newest as SnapshotMeta;
  const { meta: older } = await sent(100);
  await files.load(older);
  await files.load(newest);
  const third = await sent(12_000);
  await files.store({ snapshot: third.meta, offset: 0, chunk: third.pieces[0]! });
  await files.load(newest);
  assert.deepEqual(companion.settled, [false, true, false]);
});

Deno.test("own snapshots ask for nothing beside them", async () => {
  const { companion, files } = await stage();
  const store = new MemoryStore();
  setKeys(store, 0, 10);
  await saveSnapshot(files, store);
  assert.equal(companion.asked.length, 0);
});
