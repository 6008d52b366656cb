/**
 * What `full_disk_test.ts` of the store runs where `/mnt` is a disk of 2 MiB.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DiskFullError } from "../../../cluster/runtime.ts";
import { SqliteStore } from "../../../server/replica/store/sqlite_store.ts";
import { dumped } from "../machine/fixture.ts";
import { setKeys } from "./snapshots.ts";
import { BY_HAND, openStore } from "./store.ts";

Deno.test("what finds no room stays in memory and is written when there is room", async () => {
  const told: unknown[] = [];
  const store = await SqliteStore.open("/mnt/state", {
    failed: (error) => told.push(error),
    limits: BY_HAND,
  });
  setKeys(store, 0, 100);
  await store.flush();
  Deno.writeFileSync("/mnt/other", new Uint8Array(1_600_000));
  setKeys(store, 0, 4_000);
  const wanted = dumped(store).summary;
  for (let i = 0; i < 3; i++) await assert.rejects(store.flush(), DiskFullError);
  await assert.rejects(store.sync(), DiskFullError);
  assert.deepEqual(dumped(store).summary, wanted);
  for (const room of [0, 150_000]) {
    Deno.truncateSync("/mnt/other", 1_600_000 - room);
    let replacement: ReturnType<SqliteStore["replacement"]> | undefined;
    assert.throws(() => {
      replacement = store.replacement();
      for (let i = 0; i < 2_000; i++) {
        replacement.put(Uint8Array.of(i >> 8, i, 1), new Uint8Array(1_000));
      }
    }, DiskFullError);
    replacement?.abort();
  }
  assert.deepEqual(dumped(store).summary, wanted);
  Deno.removeSync("/mnt/other");
  await store.close();
  await using again = await openStore("/mnt/state");
  assert.deepEqual(dumped(again).summary, wanted);
  assert.deepEqual(told, []);
});
