/** What is kept beside the rows is there before the rows that tell of it, and goes after those that told of it. */

import assert from "node:assert/strict";
import { DiskFullError } from "../../../../cluster/runtime.ts";
import type { Companion, SqliteStore } from "../../../../server/replica/store/sqlite_store.ts";
import { nextTurn } from "../../../../server/runtime.ts";
import { crashCopy, inFolder, openStore } from "../../../support/replica/store.ts";
import { withPatience } from "../../../support/rpc/peer.ts";

const KEY = Uint8Array.of(1);

function set(store: SqliteStore, value: number): void {
  store.transaction((state) => state.put(KEY, Uint8Array.of(value)));
}

/** What a crash would leave now. */
async function kept(folder: string): Promise<number | undefined> {
  let value: number | undefined;
  await inFolder(async (copy) => {
    crashCopy(folder, copy);
    await using store = await openStore(copy);
    value = store.get(KEY)?.[0];
  });
  return value;
}

/** A companion that does what a test tells it. */
class Beside implements Companion {
  syncs: PromiseWithResolvers<void>[] = [];
  forget: (() => Promise<void>) | undefined;

  sync(): Promise<void> {
    const sync = Promise.withResolvers<void>();
    this.syncs.push(sync);
    return sync.promise;
  }

  /** Lets the sync of that number do what it does, once it is asked for. */
  async answer(number: number, how: (sync: PromiseWithResolvers<void>) => unknown): Promise<void> {
    await withPatience((async () => {
      while (this.syncs.length <= number) await nextTurn();
    })());
    await how(this.syncs[number] as PromiseWithResolvers<void>);
  }

  forgettable(): (() => Promise<void>) | undefined {
    const { forget } = this;
    this.forget = undefined;
    return forget;
  }
}

for (const work of ["flush", "sync"] as const) {
  Deno.test(`${work}: no row is in the file before what it tells of beside it`, () =>
    inFolder(async (folder) => {
      const beside = new Beside();
      const store = await openStore(folder, undefined, beside);
      set(store, 1);
      const first = store[work]();
      await beside.answer(0, async ({ resolve }) => {
        assert.equal(await kept(folder), undefined);
        // It comes with the next ones.
        set(store, 2);
        resolve();
      });
      await first;
      assert.equal(await kept(folder), 1);
      const second = store[work]();
      await beside.answer(1, async ({ resolve }) => {
        assert.equal(await kept(folder), 1);
        resolve();
      });
      await second;
      assert.equal(await kept(folder), 2);
      assert.equal(beside.syncs.length, 2);
      await store.close();
    }));
}

Deno.test("without changes nothing beside the rows is asked for", () =>
  inFolder(async (folder) => {
    const beside = new Beside();
    const store = await openStore(folder, undefined, beside);
    await store.flush();
    await store.sync();
    await store.close();
    assert.equal(beside.syncs.length, 0);
  }));

Deno.test("without room beside them rows stay in memory, and go when there is", () =>
  inFolder(async (folder) => {
    const beside = new Beside();
    const store = await openStore(folder, undefined, beside);
    set(store, 1);
    const first = assert.rejects(store.flush(), DiskFullError);
    await beside.answer(0, ({ reject }) => reject(new DiskFullError("topics")));
    await first;
    assert.equal(await kept(folder), undefined);
    assert.equal(store.get(KEY)?.[0], 1);
    set(store, 2);
    const second = store.flush();
    for (const i of [1, 2]) await beside.answer(i, ({ resolve }) => resolve());
    await second;
    assert.equal(await kept(folder), 2);
    await store.close();
  }));

Deno.test("what is not needed any more goes once the rows without it are in the file", () =>
  inFolder(async (folder) => {
    const beside = new Beside();
    const store = await openStore(folder, undefined, beside);
    const seen: (number | undefined)[] = [];
    set(store, 1);
    beside.forget = async () => void seen.push(await kept(folder));
    const first = assert.rejects(store.flush(), DiskFullError);
    await beside.answer(0, ({ reject }) => {
      // This one goes with the rows that come next.
      set(store, 2);
      beside.forget = async () => void seen.push(await kept(folder));
      reject(new DiskFullError("topics"));
    });
    await first;
    assert.deepEqual(seen, []);
    const second = store.flush();
    for (const i of [1, 2]) await beside.answer(i, ({ resolve }) => resolve());
    await second;
    assert.deepEqual(seen, [2, 2]);
    await store.close();
  }));

Deno.test("what is not needed any more goes once the rows without it outlive the loss of power", () =>
  inFolder(async (folder) => {
    const beside = new Beside();
    const store = await openStore(folder, undefined, beside);
    const { sync } = Deno.FsFile.prototype;
    let synced = 0;
    let before: number | undefined;
    Deno.FsFile.prototype.sync = function () {
      synced++;
      return sync.call(this);
    };
    try {
      set(store, 1);
      beside.forget = () => Promise.resolve(void (before = synced));
      const flushed = store.flush();
      await beside.answer(0, ({ resolve }) => {
        synced = 0;
        resolve();
      });
      await flushed;
      assert.equal(before, 1);
    } finally {
      Deno.FsFile.prototype.sync = sync;
      await store.close();
    }
  }));
