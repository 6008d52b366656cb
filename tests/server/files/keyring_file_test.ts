import assert from "node:assert/strict";
import { join } from "node:path";
import { decodeBase64 } from "../../../protocol/base64.ts";
import { readKeyringFile, writeKeyringFile } from "../../../server/files/keyring_file.ts";

const PRIMARY = "R/eWMl3d9KV0NTbuLGxgO5JbmPOU8uUCJwd4WJutwWg=";
const OTHER = "fr8k1mf3k+C6xQoJU+GC00rd0CcYNsUPsboxZZB1i6k=";

/** The file of a Go agent after an installation (docs/spec/agent.md 6.5). */
const CAPTURED = `[\n  "${PRIMARY}",\n  "${OTHER}"\n]`;

/** Runs `body` with a directory that is removed afterwards. */
async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("keys are written as a Go agent writes them, for the owner's eyes only", () =>
  inDirectory(async (directory) => {
    const path = join(directory, "keyring.json");
    await Deno.writeTextFile(path, '["AAAAAAAAAAAAAAAAAAAAAA=="]', { mode: 0o644 });
    await writeKeyringFile(path, [PRIMARY, OTHER].map(decodeBase64));
    assert.equal(await Deno.readTextFile(path), CAPTURED);
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o600);
    assert.deepEqual(Array.from(Deno.readDirSync(directory), ({ name }) => name), ["keyring.json"]);
    const keyring = await readKeyringFile(path);
    assert.deepEqual(keyring.keys().map((key) => key.toBase64()), [PRIMARY, OTHER]);
  }));

Deno.test("a link to the keyring file stays a link", () =>
  inDirectory(async (directory) => {
    const [path, link] = [join(directory, "keyring.json"), join(directory, "link.json")];
    await Deno.writeTextFile(path, "[]");
    await Deno.symlink(path, link);
    await writeKeyringFile(link, [decodeBase64(PRIMARY)]);
    assert.ok((await Deno.lstat(link)).isSymlink);
    assert.equal(await Deno.readTextFile(path), `[\n  "${PRIMARY}"\n]`);
  }));

Deno.test("keys that cannot be written leave nothing behind", () =>
  inDirectory(async (directory) => {
    await Deno.mkdir(join(directory, "keyring.json"));
    await assert.rejects(writeKeyringFile(join(directory, "keyring.json"), []), {
      name: "KeyringFileError",
      message: /^Failed to write keyring file: /,
    });
    assert.deepEqual(Array.from(Deno.readDirSync(directory), ({ name }) => name), ["keyring.json"]);
    await assert.rejects(writeKeyringFile(join(directory, "none", "keyring.json"), []), {
      message: "Failed to write keyring file: no such file or directory",
    });
  }));

Deno.test("a keyring file without end is refused", async () => {
  await assert.rejects(readKeyringFile("/dev/zero"), {
    name: "KeyringFileError",
    message: "Failed to read keyring file: file exceeds 65536 bytes",
  });
});
