/**
 * Tags in a file.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readTagsFile, TagsFileError, writeTagsFile } from "../../../server/files/tags_file.ts";

async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a new tags file is for its owner only, and reads back", () =>
  withFolder(async (folder) => {
    const path = `${folder}/tags.json`;
    await writeTagsFile(path, { role: "web", dc: "<1>" });
    assert.deepEqual(await readTagsFile(path), { role: "web", dc: "<1>" });
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
  }));

Deno.test("changed tags replace the file as a whole, so that a full disk or a crash leaves the old ones", () =>
  withFolder(async (folder) => {
    const path = `${folder}/tags.json`;
    await writeTagsFile(path, { role: "web" });
    await Deno.chmod(path, 0o640);
    using old = await Deno.open(path);
    await writeTagsFile(path, { role: "database" });
    const before = await new Response(old.readable).text();
    assert.equal(before, '{\n  "role": "web"\n}');
    assert.deepEqual(await readTagsFile(path), { role: "database" });
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o640);
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assert.deepEqual(names, ["tags.json"]);
  }));

Deno.test("tags that cannot be written leave nothing behind", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(`${folder}/tags.json/inner`, { recursive: true });
    await assert.rejects(writeTagsFile(`${folder}/tags.json`, { role: "web" }), TagsFileError);
    const names = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
    assert.deepEqual(names, ["tags.json"]);
  }));
