/**
 * Tags in a file.
 *
 * @module
 */

import assert from "node:assert/strict";
import { encodeUtf8 } from "../../../protocol/text.ts";
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

Deno.test("an agent that may write only the tags file itself writes it in place", () =>
  withFolder(async (folder) => {
    const path = `${folder}/tags.json`;
    await Deno.writeTextFile(path, '{"role":"web, and longer than what comes"}');
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-check", "--allow-read", `--allow-write=${path}`, "-"],
      stdin: "piped",
      stderr: "piped",
    }).spawn();
    const module = import.meta.resolve("../../../server/files/tags_file.ts");
    const script = `import { writeTagsFile } from ${JSON.stringify(module)};
      await writeTagsFile(${JSON.stringify(path)}, { role: "db" });`;
    await new Blob([script]).stream().pipeTo(child.stdin);
    const { success, stderr } = await child.output();
    assert.ok(success, new TextDecoder().decode(stderr));
    assert.deepEqual(await readTagsFile(path), { role: "db" });
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

Deno.test("bytes that are no UTF-8 outlive a restart, also those that another editor wrote", () =>
  withFolder(async (folder) => {
    const path = `${folder}/tags.json`;
    const tags = { "st\udce4dte": "Z\udcfcrich, \udcff" };
    await writeTagsFile(path, tags);
    assert.deepEqual(await readTagsFile(path), tags);
    assert.match(await Deno.readTextFile(path), /^[\x20-\x7e\n]*$/);
    await Deno.writeFile(path, encodeUtf8(`\ufeff{"a": "Z\udcfcrich"}`));
    assert.deepEqual(await readTagsFile(path), { a: "Z\udcfcrich" });
  }));
