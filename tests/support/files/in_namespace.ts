/**
 * What `full_disk_test.ts` runs where `/mnt/small` is a disk of 64 KiB, and a file of it is mounted as `/mnt/folder/mounted`,
 * which can only be written in place.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DiskFullError } from "../../../cluster/runtime.ts";
import { HalfWrittenError } from "../../../server/files/replace.ts";
import { replaceText } from "../../../server/files/user_file.ts";

const TOO_LONG = "n".repeat(100_000);

Deno.test("a file that is replaced is as it was", async () => {
  await assert.rejects(replaceText("/mnt/small/beside", TOO_LONG), DiskFullError);
  assert.equal(await Deno.readTextFile("/mnt/small/beside"), "old\n");
});

Deno.test("a file that is written in place gets its content back", async () => {
  const before = await Deno.readTextFile("/mnt/folder/mounted");
  await assert.rejects(replaceText("/mnt/folder/mounted", TOO_LONG), HalfWrittenError);
  assert.equal(await Deno.readTextFile("/mnt/folder/mounted"), before);
  await replaceText("/mnt/folder/mounted", "new");
  assert.equal(await Deno.readTextFile("/mnt/folder/mounted"), "new");
});
