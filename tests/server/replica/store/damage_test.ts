import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { DamagedStoreError, StoreFormatError } from "../../../../server/replica/store/errors.ts";
import { dumped } from "../../../support/machine/fixture.ts";
import { crashCopy, inFolder, openStore } from "../../../support/replica/store.ts";
import { setKeys } from "../../../support/replica/snapshots.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";
import { below } from "../../../support/random_value.ts";

const FILE = "state.1.db";

/** Runs a test on the folder of a store of some keys that was closed. */
function onFolder(keys: number, test: (folder: string) => Promise<void>): Promise<void> {
  return inFolder(async (folder) => {
    const store = await openStore(folder);
    setKeys(store, 0, keys);
    await store.close();
    await test(folder);
  });
}

function rowsOf(folder: string): Promise<Map<string, string>> {
  return (async () => {
    await using store = await openStore(folder);
    const rows = store.range(new Uint8Array(), undefined, Infinity);
    return new Map(rows.map(({ key, value }) => [`${key}`, `${value}`]));
  })();
}

Deno.test("a bit flipped anywhere in the file never gives a row that was not written", () =>
  onFolder(400, async (folder) => {
    const right = await rowsOf(folder);
    const bytes = Deno.readFileSync(`${folder}/${FILE}`);
    const random = new SeededRandom(1);
    let refused = 0;
    for (let i = 0; i < 400; i++) {
      const at = i < 100 ? i : below(random, bytes.length);
      const flipped = bytes.slice();
      flipped[at]! ^= 1 << below(random, 8);
      Deno.writeFileSync(`${folder}/${FILE}`, flipped);
      try {
        for (const [key, value] of await rowsOf(folder)) assert.equal(right.get(key), value);
      } catch (error) {
        const isTold = error instanceof DamagedStoreError || error instanceof StoreFormatError;
        assert.ok(isTold && error.message.includes(FILE), `byte ${at}: ${error}`);
        refused++;
      }
    }
    assert.ok(refused > 100, `${refused} refused`);
  }));

Deno.test("a file that is missing, cut or something else is named", () =>
  onFolder(3_000, async (folder) => {
    const bytes = Deno.readFileSync(`${folder}/${FILE}`);
    const refused = (kind: typeof DamagedStoreError | typeof StoreFormatError, what: RegExp) =>
      assert.rejects(rowsOf(folder), (error) => {
        assert.ok(error instanceof kind && error.message.includes(FILE), `${error}`);
        assert.match(error.message, what);
        return true;
      });
    Deno.removeSync(`${folder}/${FILE}`);
    await refused(DamagedStoreError, /missing/);
    for (const text of ["", "something else"]) {
      Deno.writeTextFileSync(`${folder}/${FILE}`, text);
      await refused(DamagedStoreError, /does not begin/);
    }
    Deno.writeFileSync(`${folder}/${FILE}`, bytes.subarray(0, bytes.length >> 1));
    await refused(DamagedStoreError, /cannot make sense/);
    const changed = async (sql: string, what: RegExp) => {
      Deno.writeFileSync(`${folder}/${FILE}`, bytes);
      const connection = new DatabaseSync(`${folder}/${FILE}`);
      connection.exec(sql);
      connection.close();
      await refused(StoreFormatError, what);
    };
    await changed("PRAGMA user_version = 2", /format 2, wanted 1/);
    await changed("PRAGMA application_id = 7", /application id 7/);
    await changed("PRAGMA journal_mode = DELETE", /journal versions 1,1/);
  }));

Deno.test("a row that was changed behind the back is not served", () =>
  onFolder(10, async (folder) => {
    const connection = new DatabaseSync(`${folder}/${FILE}`);
    connection.exec("UPDATE rows SET value = x'00'");
    connection.close();
    await using store = await openStore(folder);
    assert.throws(() => store.range(new Uint8Array(), undefined, 1), DamagedStoreError);
    assert.throws(() => setKeys(store, 0, 1), DamagedStoreError);
  }));

Deno.test("a replacement lasts from the next flush on, and leaves one file", () =>
  inFolder(async (folder) => {
    await using store = await openStore(folder);
    setKeys(store, 0, 100);
    await store.flush();
    const before = dumped(store).summary;
    const replacement = store.replacement();
    const rows = store.range(new Uint8Array(), undefined, 5);
    for (const { key, value } of rows) replacement.put(key, value);
    replacement.commit();
    const after = dumped(store).summary;
    const crashed = (wanted: unknown) =>
      inFolder(async (copy) => {
        crashCopy(folder, copy);
        await using found = await openStore(copy);
        assert.deepEqual(dumped(found).summary, wanted);
      });
    await crashed(before);
    await store.flush();
    await crashed(after);
    const names = Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
    assert.deepEqual(names, ["db", "db-shm", "db-wal", "whole"].map((end) => `state.2.${end}`));
  }));
