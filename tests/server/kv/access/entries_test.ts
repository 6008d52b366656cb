/**
 * The tokens file: what it may say, and what is said of one that is wrong.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { MAX_ENTRIES, MAX_PREFIXES, readEntries } from "../../../../server/kv/access/entries.ts";
import { readTokensFile } from "../../../../server/kv/access/file.ts";
import {
  hashPassword,
  hashToken,
  makeToken,
  readHash,
} from "../../../../server/kv/access/secrets.ts";
import { ConfigError } from "../../../../server/config/error.ts";

const HASH = await hashToken("secret");

Deno.test("entries say who there is and what they may do", async () => {
  const entries = readEntries(JSON.stringify([
    { name: "web-1", hash: HASH, read: ["app", "^app^a"], write: ["^"], patterns: true },
    { name: "ann", hash: await hashPassword("pass"), admin: true, subscribe: ["e\u0301"] },
  ]));
  const shown = entries.map(({ name, hash, rights }) => [
    name,
    hash.kind,
    Object.entries(rights).map(([right, value]) =>
      typeof value === "boolean"
        ? `${right}:${value}`
        : `${right}:${value.map((path: Uint8Array) => new TextDecoder().decode(path))}`
    ).join(" "),
  ]);
  assert.deepEqual(shown, [
    ["web-1", "token", "read:app,app^a write: publish: subscribe: patterns:true admin:false"],
    ["ann", "password", "read: write: publish: subscribe:é patterns:false admin:true"],
  ]);
  assert.equal(entries[0]?.rights.write.length, 1, "the root");
  assert.deepEqual(readEntries("[]"), []);
});

Deno.test("what is wrong in a tokens file is told by its place, without a hash", () => {
  const wrong: [unknown, RegExp][] = [
    ["{", /^Invalid JSON at line 1, column 2/],
    [{}, /^expected an array of entries$/],
    [[1], /^entry 1: expected an object$/],
    [[null], /^entry 1: expected an object$/],
    [
      [{ name: "a", hash: HASH, reed: [] }],
      /^entry 1: unknown member 'reed', expected name, hash, /,
    ],
    [[{ hash: HASH }], /^entry 1: 'name' has to be 1 to 64 letters/],
    [[{ name: "a b", hash: HASH }], /^entry 1: 'name' has to be/],
    [[{ name: "a" }], /^entry 1: 'hash' of 'a' is none: 'skein kv token' makes one$/],
    [[{ name: "a", hash: "secret" }], /^entry 1: 'hash' of 'a' is none/],
    [
      [{ name: "a", hash: HASH }, { name: "b", hash: HASH, read: "app" }],
      /^entry 2: 'b': 'read' has to be an array of paths$/,
    ],
    [[{ name: "b", hash: HASH, read: [1] }], /'read' has to be an array of paths$/],
    [[{ name: "b", hash: HASH, write: ["a^^b"] }], /'a\^\^b' of 'write' is no path/],
    [[{ name: "b", hash: HASH, write: [""] }], /'' of 'write' is no path; '\^' stands for all/],
    [[{ name: "b", hash: HASH, publish: ["$sys^x"] }], /'\$sys\^x' of 'publish' is reserved$/],
    [[{ name: "b", hash: HASH, admin: 1 }], /'admin' has to be true or false$/],
    [[{ name: "b", hash: HASH, read: Array(MAX_PREFIXES + 1).fill("a") }], /'read' has 65 of 64/],
    [
      [{ name: "a", hash: HASH }, { name: "a", hash: HASH }],
      /^there are two entries of the name 'a'$/,
    ],
    [Array(MAX_ENTRIES + 1).fill(1), /^expected at most 1000 entries, got 1001$/],
  ];
  for (const [value, message] of wrong) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    assert.throws(() => readEntries(text), (error) => {
      assert.match((error as Error).message, message);
      assert.ok(!(error as Error).message.includes(HASH.slice(7)));
      return true;
    });
  }
});

Deno.test("a hash is taken in two forms alone, and one that would cost too much or too little is none", async () => {
  const password = await hashPassword("pass");
  const [, , salt, digest] = password.split(":");
  assert.equal(readHash(HASH)?.kind, "token");
  assert.equal(readHash(password)?.kind, "password");
  const wrong = [
    "",
    "sha256:",
    "sha256",
    `sha256:${digest}A`,
    `sha256:${salt}`,
    `md5:${digest}`,
    `sha256:x:${digest}`,
    `scrypt:13:${salt}:${digest}`,
    `scrypt:18:${salt}:${digest}`,
    `scrypt:1e1:${salt}:${digest}`,
    `scrypt:15:${digest}:${digest}`,
    `scrypt:15:${salt}:`,
    `scrypt:15:${salt}:${digest}:`,
  ];
  for (const text of wrong) assert.equal(readHash(text), undefined, text);
});

Deno.test("each token is another one, and long", () => {
  const [one, other] = [makeToken(), makeToken()];
  assert.notEqual(one, other);
  assert.match(one, /^skein_[\w-]{43}$/);
});

Deno.test("a tokens file that others may write to, or that cannot be read, is refused with one line", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein-tokens-" });
  try {
    const path = join(folder, "tokens.json");
    await Deno.writeTextFile(path, JSON.stringify([{ name: "a", hash: HASH }]), { mode: 0o600 });
    assert.equal((await readTokensFile(path)).length, 1);
    await Deno.chmod(path, 0o644);
    assert.equal((await readTokensFile(path)).length, 1);
    const refused = async (name: string, reason: RegExp): Promise<void> => {
      await assert.rejects(readTokensFile(name), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, reason);
        assert.ok(!error.message.includes("\n"));
        return true;
      });
    };
    for (const mode of [0o620, 0o602]) {
      await Deno.chmod(path, mode);
      await refused(
        path,
        /^Error reading kv.tokens_file '.*': others may write to it \(mode 06[02][02]\)/,
      );
    }
    await refused(join(folder, "none"), /': no such file or directory$/);
    await refused(folder, /': is a directory$/);
    await Deno.chmod(path, 0o600);
    await Deno.writeTextFile(path, "[{}]");
    await refused(path, /': entry 1: 'name' has to be/);
    await Deno.writeTextFile(path, `"${"x".repeat(1024 * 1024)}"`);
    await refused(path, /': file exceeds 1048576 bytes$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
