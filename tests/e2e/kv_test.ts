/**
 * `skein kv` as a person uses it, with an agent that keeps state.
 *
 * @module
 */

import assert from "node:assert/strict";
import { freePort, skein, startAgent } from "../support/agents.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

/** Runs `skein kv` with text on standard input; shows exit code, standard output and standard error. */
async function kv(
  address: string,
  args: readonly string[],
  input = "",
): Promise<[number, string, string]> {
  const [program = "", ...rest] = skein.command;
  const child = new Deno.Command(program, {
    args: [...rest, "kv", ...args],
    env: { SKEIN_KV_ADDR: address },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return [code, text(stdout), text(stderr)];
}

Deno.test("values go in and out of a running agent", async () => {
  const address = `${HOST}:${await freePort(HOST)}`;
  const flags = [
    "-dev",
    `-peer-addr=${HOST}:0`,
    `-kv-addr=${address}`,
    "-session-addr=none",
    "-topics-addr=none",
  ];
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const env = { TMPDIR: folder };
  const agent = stack.use(await startAgent(skein, { name: "one", host: HOST, flags, env }));
  const line = (...args: string[]) => kv(address, args);
  // The first one waits until the agent leads itself.
  const [code, stdout, stderr] = await line("set", "greeting", "hello");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^Revision \d+\n$/);
  assert.deepEqual(await line("get", "greeting"), [0, "hello\n", ""]);
  assert.deepEqual(await kv(address, ["set", "-format=json", "text", "-"], "é\n\n"), [
    0,
    '{\n  "key": "text",\n  "rev": 2\n}\n',
    "",
  ]);
  assert.deepEqual(await line("get", "text"), [0, "é\n\n\n", ""]);
  assert.deepEqual(await line("get", "none"), [1, "", "'none' has no value\n"]);
  const transaction =
    '{"if":[{"key":"text","rev":2}],\n"then":[{"action":"GET","key":"greeting"}]}\n';
  assert.deepEqual(await kv(address, ["txn"], transaction), [0, '"hello"\n', ""]);
  assert.deepEqual(await kv(address, ["txn", "-"], '{"if":[{"key":"text","rev":1}]}'), [
    2,
    "\n",
    "",
  ]);
  assert.deepEqual(await kv(address, ["set", "big", "-"], "x".repeat(1024 * 1024 + 1)), [
    1,
    "",
    "The value takes more than 1048576 bytes\n",
  ]);
  assert.deepEqual(await kv(address, ["set", "big", "-"], "x".repeat(1024 * 1024 - 100)), [
    1,
    "",
    "Error: 'value': the value is too large\n",
  ]);
  assert.deepEqual(await line("keys"), [0, "global^greeting\nglobal^text\n", ""]);
  assert.deepEqual(await line("keys", "-format=json", "-values", "-limit=1", "^"), [
    0,
    '{"key":"global^greeting","value":"hello","rev":1}\n',
    "",
  ]);
  // What it keeps goes with it.
  assert.equal([...Deno.readDirSync(folder)].length, 1);
  agent.kill("SIGTERM");
  assert.equal(await agent.exited, 1);
  assert.deepEqual([...Deno.readDirSync(folder)], []);
});
