/**
 * What `full_disk_test.ts` runs where `/mnt` is a disk of 64 KiB, and `/mnt/mounted` a file of another one, of 8 KiB, which can
 * only be written in place.
 *
 * @module
 */

import assert from "node:assert/strict";
import { DiskFullError } from "../../../cluster/runtime.ts";
import { HalfWrittenError } from "../../../server/files/replace.ts";
import { replaceText } from "../../../server/files/user_file.ts";

const TOO_LONG = "n".repeat(100_000);

Deno.test("a file that is replaced is as it was", async () => {
  await assert.rejects(replaceText("/mnt/beside", TOO_LONG), DiskFullError);
  assert.equal(await Deno.readTextFile("/mnt/beside"), "old\n");
});

Deno.test("a file that is written in place gets its content back", async () => {
  const before = await Deno.readTextFile("/mnt/mounted");
  await assert.rejects(replaceText("/mnt/mounted", "n".repeat(16_000)), HalfWrittenError);
  assert.equal(await Deno.readTextFile("/mnt/mounted"), before);
  await replaceText("/mnt/mounted", "new");
  assert.equal(await Deno.readTextFile("/mnt/mounted"), "new");
});
