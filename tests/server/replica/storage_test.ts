import assert from "node:assert/strict";
import { DamagedLogError } from "../../../server/replica/log/errors.ts";
import type { Durability } from "../../../server/replica/state_settings.ts";
import { openStorage } from "../../../server/replica/storage.ts";
import { NO_NET } from "../../../server/replica/segments/fetching/net.ts";
import { appended, entriesBetween } from "../../support/replica/writes.ts";

async function opened(path: string, durability: Durability) {
  const never = (error: Error): void => assert.fail(error);
  return await openStorage(path, {
    durability,
    full: never,
    failed: never,
    net: NO_NET,
    logger: { info: () => {}, error: () => {} },
  });
}

Deno.test("a log that was synced late may lack sectors with others behind them, and one that was synced in time may not", async () => {
  const path = await Deno.makeTempDir();
  try {
    {
      const { storage } = await opened(path, "async");
      await using _ = storage;
      for (const entry of entriesBetween(1, 30)) await storage.log.write(appended(entry));
    }
    {
      using file = await Deno.open(`${path}/raft/0000000000000001.log`, { write: true });
      await file.seek(1_024, Deno.SeekMode.Start);
      await file.write(new Uint8Array(512));
    }
    await assert.rejects(opened(path, "sync"), DamagedLogError);
    const { storage, found } = await opened(path, "async");
    await using _ = storage;
    assert.ok(found.cutBytes > 512);
    assert.equal(storage.log.segments, 1);
    await storage.log.write(appended(...entriesBetween(11, 11)));
  } finally {
    await Deno.remove(path, { recursive: true });
  }
});
