/**
 * An agent whose key-value clients have to show who they are, as a person sets it up.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { type AgentProcess, freePort, skein, startAgent } from "../support/agents.ts";
import { loopback } from "../support/loopback.ts";
import {
  CERTIFICATE,
  OTHER_CERTIFICATE,
  OTHER_PRIVATE_KEY,
  PRIVATE_KEY,
} from "../support/net/certificate.ts";

const HOST = loopback();

/** Runs a command; shows exit code, standard output and standard error. */
async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<[number, string, string]> {
  const [program = "", ...rest] = skein.command;
  const child = new Deno.Command(program, { args: [...rest, ...args], env });
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return [code, text(stdout), text(stderr)];
}

Deno.test("a token is made, lets in, is taken away by a reload, and is seen nowhere else", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "skein-access-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  const tokens = path("tokens.json");
  const make = async (...args: string[]): Promise<string> => {
    const [code, stdout, stderr] = await run(["kv", "token", `-tokens-file=${tokens}`, ...args]);
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout.trim();
  };
  const app = await make("-read=app", "-write=app", "app");
  const all = await make("-read=^", "all");
  await Deno.writeTextFile(path("cert.pem"), CERTIFICATE);
  await Deno.writeTextFile(path("key.pem"), PRIVATE_KEY);
  const address = `${HOST}:${await freePort(HOST)}`;
  const flags = [
    "-dev",
    `-peer-addr=${HOST}:0`,
    `-kv-addr=${address}`,
    "-session-addr=none",
    "-topics-addr=none",
    `-kv-tokens-file=${tokens}`,
    `-kv-tls-cert=${path("cert.pem")}`,
    `-kv-tls-key=${path("key.pem")}`,
    "-log-level=debug",
  ];
  const agent: AgentProcess = stack.use(
    await startAgent(skein, { name: "one", host: HOST, flags, env: { TMPDIR: folder } }),
  );
  const kv = (token: string, action: string, ...args: string[]) =>
    run(
      ["kv", action, `-kv-ca-file=${path("cert.pem")}`, "-kv-server-name=localhost", ...args],
      { SKEIN_KV_ADDR: address, SKEIN_KV_TOKEN: token },
    );
  const [code, , stderr] = await kv(app, "set", "app^k", "swordfish");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(await kv(all, "get", "app^k"), [0, "swordfish\n", ""]);
  assert.deepEqual(await kv(all, "set", "app^k", "x"), [1, "", "Error: No right to this\n"]);
  assert.deepEqual(await kv("", "get", "app^k"), [1, "", "Error: Authentication required\n"]);

  // `all` goes, and the certificate is another one.
  const reload = () => run(["reload", `-rpc-addr=${agent.rpc}`]);
  const entries = JSON.parse(await Deno.readTextFile(tokens));
  await Deno.writeTextFile(tokens, "[{");
  const [failed, said] = await reload();
  assert.equal(failed, 1);
  assert.match(said, /Error reading kv.tokens_file '.*': Invalid JSON at line 1, column 3/);
  assert.deepEqual(await kv(all, "get", "app^k"), [0, "swordfish\n", ""], "the old one counts");
  await Deno.writeTextFile(tokens, JSON.stringify(entries.slice(0, 1)));
  await Deno.writeTextFile(path("cert.pem"), OTHER_CERTIFICATE);
  await Deno.writeTextFile(path("key.pem"), OTHER_PRIVATE_KEY);
  assert.deepEqual(await reload(), [
    0,
    "Configuration reloaded. Applied: kv.tokens_file, kv.tls_cert\n",
    "",
  ]);
  assert.deepEqual(await kv(app, "get", "app^k"), [0, "swordfish\n", ""]);
  assert.deepEqual(await kv(all, "get", "app^k"), [
    1,
    "",
    "Error connecting to the agent: Wrong token, user or password\n",
  ]);

  const output = agent.output();
  assert.match(output, /\[DEBUG\] agent\.kv: \S+: SET: ok, \d+ ms/);
  assert.match(
    output,
    /\[DEBUG\] agent\.kv: Closed client: \S+ of 'app' after \S+: requests \d+, failures 0/,
  );
  assert.match(output, /\[WARN\] agent\.kv: \S+: 403 FORBIDDEN/);
  const processes = await Deno.readTextFile(`/proc/${agent.pid}/cmdline`);
  for (const secret of [app, all, "swordfish"]) {
    assert.ok(!(output + processes).includes(secret), secret);
  }
});

Deno.test("an agent that others could use without a token, or with a broken one, does not start and says why", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "skein-access-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const tokens = join(folder, "tokens.json");
  await Deno.writeTextFile(tokens, "[]", { mode: 0o666 });
  await Deno.chmod(tokens, 0o666);
  const start = async (...flags: string[]): Promise<string> => {
    const [code, stdout] = await run([
      "agent",
      "-dev",
      `-bind=${HOST}:0`,
      `-rpc-addr=${HOST}:0`,
      `-peer-addr=${HOST}:0`,
      ...flags,
    ]);
    assert.equal(code, 1);
    return stdout;
  };
  assert.match(
    await start("-kv-addr=0.0.0.0:0"),
    /Invalid kv_addr: other machines reach '0.0.0.0:0', and nobody has to show who it is/,
  );
  assert.match(
    await start(`-kv-addr=${HOST}:0`, `-kv-tokens-file=${tokens}`),
    /Error reading kv.tokens_file '.*': others may write to it \(mode 0666\)/,
  );
});
