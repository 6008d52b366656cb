/**
 * `skein kv token`, and `skein kv` at a port that asks who one is.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { dispatch } from "../../../commands/dispatch.ts";
import { Access } from "../../../server/kv/access/access.ts";
import { type FileEntry, readEntries } from "../../../server/kv/access/entries.ts";
import { readTokensFile } from "../../../server/kv/access/file.ts";
import { hashPassword } from "../../../server/kv/access/secrets.ts";
import { TlsServer } from "../../../server/net/wire/tls.ts";
import { accessOf } from "../../support/kv/access.ts";
import { serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { CERTIFICATE, PRIVATE_KEY } from "../../support/net/certificate.ts";
import { recordingTerminal } from "../../support/recording_terminal.ts";

const HOST = loopback();

/** Runs a command line and shows exit code, standard output and standard error. */
async function run(...argv: string[]): Promise<[number, string, string]> {
  const terminal = recordingTerminal();
  return [await dispatch(argv, terminal), terminal.stdout, terminal.stderr];
}

/** Runs an action of `kv` at a stage. */
function at({ port: { address } }: Stage) {
  return (action: string, ...rest: string[]) =>
    run("kv", action, `-kv-addr=${address.hostname}:${address.port}`, ...rest);
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "skein-kv-" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a token is made with the entry that lets it in", async () => {
  const [code, stdout, stderr] = await run(
    "kv",
    "token",
    "-read=app",
    "-read=^log",
    "-write=app^web",
    "-patterns",
    "-admin",
    "web",
  );
  assert.deepEqual([code, stderr], [0, ""]);
  const [token = "", text = "", ...rest] = stdout.split("\n");
  assert.deepEqual(rest, [""]);
  const { hash, ...entry } = JSON.parse(text) as FileEntry;
  assert.deepEqual(entry, {
    name: "web",
    read: ["app", "^log"],
    write: ["app^web"],
    patterns: true,
    admin: true,
  });
  assert.ok(!hash.includes(token) && !hash.includes(token.slice("skein_".length)));
  const access = new Access(readEntries(`[${text}]`));
  const found = await access.authenticate({ token }, "10.0.0.1");
  assert.equal("ok" in found ? found.reason : found.name, "web");
  const [, json] = await run("kv", "token", "-format=json", "web");
  assert.deepEqual(Object.keys(JSON.parse(json)), ["token", "entry"]);
});

Deno.test("entries are added to a tokens file, which nobody else may read then", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "tokens.json");
    const add = (...rest: string[]) => run("kv", "token", `-tokens-file=${path}`, ...rest);
    const [code, stdout] = await add("-read=^", "one");
    assert.equal(code, 0);
    assert.match(stdout, /^skein_[\w-]{43}\n$/, "the token alone");
    assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
    assert.equal((await add("-write=app", "two"))[0], 0);
    const entries = await readTokensFile(path);
    assert.deepEqual(entries.map(({ name }) => name), ["one", "two"]);
    const before = await Deno.readTextFile(path);
    assert.deepEqual(await add("one"), [
      1,
      "",
      `Error changing '${path}': there are two entries of the name 'one'\n`,
    ]);
    assert.deepEqual(await add("-read=a^^b", "three"), [
      1,
      "",
      "'three': 'a^^b' of 'read' is no path; '^' stands for all of them\n",
    ]);
    assert.equal(await Deno.readTextFile(path), before);
    await Deno.writeTextFile(path, "[{");
    assert.match((await add("four"))[2], /^Error changing '.*': Invalid JSON at line 1, column 3/);
    assert.equal(await Deno.readTextFile(path), "[{", "what is wrong is left as it is");
  });
});

Deno.test("a token or a password of a file is shown to the agent, and what it refuses is told", async () => {
  await withFolder(async (folder) => {
    const access = await accessOf([
      { name: "app", read: ["app"], write: ["app"] },
      { name: "ann", hash: await hashPassword("pass word"), read: ["^"] },
    ]);
    await using stage = serve(HOST, { access });
    const kv = at(stage);
    const file = join(folder, "secret");
    const auth = `-kv-auth-file=${file}`;
    await Deno.writeTextFile(file, "app-token\n");
    assert.deepEqual(await kv("set", auth, "app^k", "v"), [0, "Revision 1\n", ""]);
    assert.deepEqual(await kv("get", auth, "app^k"), [0, "v\n", ""]);
    assert.deepEqual(await kv("get", auth, "k"), [1, "", "Error: No right to this\n"]);
    assert.deepEqual(await kv("get", "app^k"), [1, "", "Error: Authentication required\n"]);
    await Deno.writeTextFile(file, "pass word");
    const refused = "Error connecting to the agent: Wrong token, user or password\n";
    assert.deepEqual(await kv("get", auth, "app^k"), [1, "", refused]);
    assert.deepEqual(await kv("get", auth, "-kv-user=ann", "app^k"), [0, "v\n", ""]);
    assert.deepEqual(await kv("set", auth, "-kv-user=ann", "app^k", "w"), [
      1,
      "",
      "Error: No right to this\n",
    ]);
    assert.deepEqual(await kv("get", "-kv-user=ann", "app^k"), [
      1,
      "",
      "Missing password: -kv-user needs one in -kv-auth-file or SKEIN_KV_TOKEN\n",
    ]);
    assert.deepEqual(await kv("get", `${auth}x`, "app^k"), [
      1,
      "",
      `Error reading -kv-auth-file '${file}x': no such file or directory\n`,
    ]);
  });
});

Deno.test("an agent on TLS is asked when its certificate is trusted", async () => {
  await withFolder(async (folder) => {
    const tls = new TlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY });
    await using stage = serve(HOST, { tls });
    const kv = at(stage);
    const ca = join(folder, "ca.pem");
    await Deno.writeTextFile(ca, CERTIFICATE);
    const trusting = [`-kv-ca-file=${ca}`, "-kv-server-name=localhost"];
    assert.deepEqual(await kv("set", ...trusting, "k", "v"), [0, "Revision 1\n", ""]);
    const [code, stdout, stderr] = await kv("get", "-kv-tls", "k");
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^Error connecting to the agent: dial tcp \S+: tls: invalid peer certificate/,
    );
  });
});

Deno.test("at a terminal it is said what to do when one end alone speaks TLS", async () => {
  await using plain = serve(HOST);
  await using secured = serve(HOST, {
    tls: new TlsServer({ cert: CERTIFICATE, key: PRIVATE_KEY }),
  });
  const asks = async ({ port: { address } }: Stage, ...flags: string[]) => {
    const terminal = recordingTerminal({ interactive: true });
    const at = `-kv-addr=${address.hostname}:${address.port}`;
    assert.equal(await dispatch(["kv", "get", at, ...flags, "k"], terminal), 1);
    return terminal.stderr;
  };
  assert.match(await asks(plain, "-kv-tls"), /\nThe agent speaks no TLS: /);
  assert.match(await asks(secured), /\nAn agent with a kv\.tls_cert takes nothing but TLS: /);
});
