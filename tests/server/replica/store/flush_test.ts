import assert from "node:assert/strict";
import type { Store, StoreView } from "../../../../cluster/machine/mod.ts";
import { Machine, MemoryStore } from "../../../../cluster/machine/mod.ts";
import type { SqliteStore } from "../../../../server/replica/store/sqlite_store.ts";
import { dumped } from "../../../support/machine/fixture.ts";
import { below } from "../../../support/random_value.ts";
import { crashCopy, inFolder, openStore, withStore } from "../../../support/replica/store.ts";
import { setKeys } from "../../../support/replica/snapshots.ts";
import { withPatience } from "../../../support/rpc/peer.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

const encoder = new TextEncoder();

/** Changes `count` random rows of so many keys, as transaction `index`, which is a row as well. */
function change(store: Store, random: SeededRandom, index: number, count: number, keys: number) {
  store.transaction((state) => {
    state.put(encoder.encode("!index"), encoder.encode(`${index}`));
    for (let i = 0; i < count; i++) {
      const key = encoder.encode(`key ${below(random, keys)}`);
      if (random.float() < 0.3) state.delete(key);
      else state.put(key, random.bytes(below(random, 60)));
    }
  });
}

/** All rows, as a text. */
function shown(reader: Store | StoreView): string {
  return reader.range(new Uint8Array(), undefined, Infinity)
    .map(({ key, value }) => `${key} ${value}`).join("\n");
}

/** Which transaction came last. */
function indexOf(reader: Store): number {
  return Number(new TextDecoder().decode(reader.get(encoder.encode("!index"))));
}

/** What a crash at this moment would leave. */
async function afterCrash(folder: string, look: (store: SqliteStore) => void): Promise<void> {
  await inFolder(async (copy) => {
    crashCopy(folder, copy);
    await using store = await openStore(copy);
    look(store);
  });
}

Deno.test("the store shows the same rows while they are written, and after a restart", () =>
  inFolder(async (folder) => {
    for (let seed = 1; seed <= 10; seed++) {
      const random = new SeededRandom(seed);
      const memory = new MemoryStore();
      const store = await openStore(folder);
      memory.replacement().commit();
      store.replacement().commit();
      const twin = [store, memory];
      const views: [StoreView, StoreView][] = [];
      const flushes: Promise<void>[] = [];
      const keys = 1 + below(random, 3_000);
      for (let batch = 0; batch < 40; batch++) {
        const state = below(random, 1_000_000);
        const count = below(random, 300);
        for (const store of twin) change(store, new SeededRandom(state), batch, count, keys);
        if (random.float() < 0.3) flushes.push(store.flush());
        if (random.float() < 0.1) flushes.push(store.sync());
        if (random.float() < 0.1) views.push([store.view(), memory.view()]);
        if (random.float() < 0.1) views.shift()?.forEach((view) => view.close());
        if (random.float() < 0.05) { for (const store of twin) replace(store, batch); }
        await new Promise((resolve) => setTimeout(resolve, below(random, 3)));
        assert.equal(shown(store), shown(memory), `seed ${seed}, batch ${batch}`);
        for (const [one, other] of views) assert.equal(shown(one), shown(other), `seed ${seed}`);
      }
      await Promise.all(flushes);
      for (const view of views.flat()) view.close();
      await store.close();
      await using again = await openStore(folder);
      assert.equal(shown(again), shown(memory), `seed ${seed}`);
    }
  }));

function replace(store: Store, batch: number): void {
  const replacement = store.replacement();
  for (let i = 100; i < 300; i++) replacement.put(encoder.encode(`key ${i}`), Uint8Array.of(batch));
  replacement.commit();
}

Deno.test("a crash at any moment of a flush leaves the state after one transaction", () =>
  withStore((store, folder) =>
    inFolder(async (copies) => {
      const random = new SeededRandom(1);
      const states = new Map([[0, ""]]);
      const seen = new Map<number, number>();
      for (let index = 1; index <= 3; index++) {
        // More than one chunk of notes.
        change(store, random, index, 8_000, 20_000);
        states.set(index, shown(store));
        let isOver = false;
        let crashes = 0;
        const flushed = store.flush().finally(() => isOver = true);
        for (; !isOver; crashes++) {
          Deno.mkdirSync(`${copies}/${index}.${crashes}`);
          crashCopy(folder, `${copies}/${index}.${crashes}`);
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
        await flushed;
        for (let i = 0; i < crashes; i++) {
          await using found = await openStore(`${copies}/${index}.${i}`);
          const at = indexOf(found);
          assert.ok(at === index || at === index - 1, `${at} while ${index} is written`);
          assert.equal(shown(found), states.get(at), `${at} while ${index} is written`);
          seen.set(at, (seen.get(at) ?? 0) + 1);
        }
      }
      assert.ok(seen.size === 4 && (seen.get(1) as number) > 4, JSON.stringify([...seen]));
    })
  ));

Deno.test("of a WAL that is cut anywhere the state after one flush is left", () =>
  withStore(async (store, folder) => {
    const random = new SeededRandom(2);
    const states = new Map<string, string>();
    for (let index = 1; index <= 3; index++) {
      change(store, random, index, 200, 1_000);
      states.set(`${index}`, shown(store));
      await store.flush();
    }
    const wal = `${folder}/state.1.db-wal`;
    const { size } = await Deno.stat(wal);
    const seen = new Set<string>();
    for (let i = 0; i <= 60; i++) {
      await inFolder(async (copy) => {
        crashCopy(folder, copy);
        await Deno.truncate(`${copy}/state.1.db-wal`, Math.floor(size * i / 60));
        await using found = await openStore(copy);
        const at = `${indexOf(found)}`;
        seen.add(at);
        assert.equal(shown(found), states.get(at) ?? "", `cut at ${i}/60`);
      });
    }
    assert.deepEqual([...seen].sort(), ["0", "1", "2", "3"]);
  }));

Deno.test("what is synced is in the file itself, and the WAL is empty", () =>
  withStore(async (store, folder) => {
    setKeys(store, 0, 3_000);
    await store.sync();
    assert.equal((await Deno.stat(`${folder}/state.1.db-wal`)).size, 0);
    await inFolder(async (copy) => {
      crashCopy(folder, copy);
      await Deno.remove(`${copy}/state.1.db-wal`);
      await using found = await openStore(copy);
      assert.deepEqual(dumped(found).summary, dumped(store).summary);
    });
  }));

Deno.test("equal states have equal dumps in memory and on the disk", () =>
  withStore(async (store) => {
    const memory = new MemoryStore();
    setKeys(memory, 0, 5_000);
    for (let from = 0; from < 5_000; from += 1_000) {
      setKeys(store, from, from + 1_000);
      await store.flush();
    }
    assert.equal(new Machine(store).context.index, 5_000);
    assert.deepEqual(dumped(store).summary, dumped(memory).summary);
  }));

Deno.test("many changes are written behind, and a few after their time", async () => {
  const waiting = (store: SqliteStore, folder: string) => async (): Promise<boolean> => {
    let found = false;
    await afterCrash(folder, (copy) => found = shown(copy) === shown(store));
    return found;
  };
  const written = (store: SqliteStore, folder: string) =>
    withPatience((async () => {
      while (!await waiting(store, folder)()) await new Promise((done) => setTimeout(done, 5));
    })());
  await withStore(async (store, folder) => {
    setKeys(store, 0, 10);
    await written(store, folder);
  }, { flushMs: 10 });
  await withStore(async (store, folder) => {
    setKeys(store, 0, 1_000);
    await written(store, folder);
  }, { flushMs: 2 ** 30, flushRows: 500 });
  await withStore(async (store, folder) => {
    setKeys(store, 0, 1_000);
    await written(store, folder);
  }, { flushMs: 2 ** 30, flushBytes: 10_000 });
});

Deno.test("whoever changes must wait when too much is in memory", () =>
  withStore(async (store) => {
    setKeys(store, 0, 400);
    assert.equal(store.mustWait, false);
    setKeys(store, 400, 1_200);
    assert.equal(store.mustWait, true);
    const flushed = store.flush();
    assert.equal(store.mustWait, true);
    await flushed;
    assert.equal(store.mustWait, false);
  }, { flushMs: 2 ** 30, mostRows: 1_000 }));

Deno.test("a view holds writing up until too much is in memory", () =>
  withStore(async (store, folder) => {
    const view = store.view();
    const turns = async () => {
      for (let i = 0; i < 20; i++) await new Promise((done) => setTimeout(done, 1));
    };
    setKeys(store, 0, 400);
    await turns();
    await afterCrash(folder, (found) => assert.equal(shown(found), ""));
    setKeys(store, 400, 1_200);
    await store.flush();
    await afterCrash(folder, (found) => assert.equal(shown(found), shown(store)));
    assert.equal(shown(view), "");
    view.close();
  }, { flushMs: 2, flushRows: 100, mostRows: 1_000 }));

Deno.test("while a view is open half of what may be in memory is written", () =>
  withStore(async (store, folder) => {
    const view = store.view();
    setKeys(store, 0, 600);
    await withPatience((async () => {
      let found = false;
      while (!found) {
        await new Promise((done) => setTimeout(done, 5));
        await afterCrash(folder, (copy) => found = shown(copy) === shown(store));
      }
    })());
    view.close();
  }, { flushMs: 2 ** 30, flushRows: 100, mostRows: 1_000 }));

Deno.test("what is written while a view is open is not synced slice by slice", () =>
  withStore(async (store) => {
    setKeys(store, 0, 10);
    await store.flush();
    const view = store.view();
    const { sync } = Deno.FsFile.prototype;
    let syncs = 0;
    Deno.FsFile.prototype.sync = function () {
      syncs++;
      return sync.call(this);
    };
    try {
      setKeys(store, 0, 50_000);
      await store.flush();
      assert.equal(syncs, 0);
    } finally {
      Deno.FsFile.prototype.sync = sync;
      view.close();
    }
  }));
