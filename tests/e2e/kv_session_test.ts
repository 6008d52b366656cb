/**
 * `skein kv get`, `set` and `watch` through a session, as a person uses them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually, freePort, skein, startAgent } from "../support/agents.ts";
import { run } from "../support/e2e/cli.ts";
import { Cluster } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";
import { startScriptedServer } from "../support/sessions/scripted_server.ts";

const HOST = loopback();
const hosts = [loopback(), loopback(), loopback()];

async function kv(address: string, ...args: string[]): Promise<[number, string, string]> {
  const [action = "", ...rest] = args;
  const { code, stdout, stderr } = await run([
    "kv",
    action,
    "-session",
    `-session-addr=${address}`,
    ...rest,
  ]);
  return [code, stdout, stderr];
}

Deno.test("values go in and out through a session", async () => {
  const address = `${HOST}:${await freePort(HOST)}`;
  const flags = [
    "-dev",
    `-peer-addr=${HOST}:0`,
    `-kv-addr=${HOST}:0`,
    `-session-addr=${address}`,
    "-topics-addr=none",
  ];
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const env = { TMPDIR: folder };
  const agent = stack.use(await startAgent(skein, { name: "one", host: HOST, flags, env }));
  const line = (...args: string[]) => kv(address, ...args);
  assert.deepEqual(await line("set", "greeting", "hello"), [0, "OK\n", ""]);
  assert.deepEqual(await line("get", "greeting"), [0, "greeting = hello\n", ""]);
  assert.deepEqual(await line("get", "none"), [0, "none = <none>\n", ""]);
  assert.deepEqual(await line("set", "-json", "^a^b", '{"n":1}'), [0, "OK\n", ""]);
  assert.deepEqual(await line("get", "^a^b"), [0, '^a^b = {"n":1}\n', ""]);
  assert.deepEqual(await line("set", "-format=json", "greeting", "é"), [
    0,
    '{\n  "key": "greeting",\n  "rev": 3\n}\n',
    "",
  ]);
  assert.deepEqual(await line("get", "-format=json", "greeting"), [
    0,
    '{\n  "key": "greeting",\n  "value": "é",\n  "rev": 3\n}\n',
    "",
  ]);
  assert.deepEqual(await line("get", "-format=json", "none"), [
    1,
    `{\n  "error": "'none' has no value"\n}\n`,
    "",
  ]);
  const failures: readonly (readonly [args: string[], said: RegExp])[] = [
    [["set", "-nx", "greeting", "x"], /^Error: .*condition/i],
    [["set", "x".repeat(256), "x"], /^Error: 'key': not a key\n$/],
    [["get", "-kv-addr=127.0.0.1:1", "x"], /^-session and -kv-addr exclude each other: /],
    [["watch", "-once", "x"], /^-session and -once exclude each other: /],
    [["watch", "-from-rev=1", "x"], /^-session and -from-rev exclude each other: /],
  ];
  for (const [args, said] of failures) {
    const [code, stdout, stderr] = await line(...args);
    assert.deepEqual([code, stdout], [1, ""], `${args}`);
    assert.match(stderr, said);
  }
  const alone = await run(["kv", "get", `-session-addr=${address}`, "x"]);
  assert.deepEqual([alone.code, alone.stderr], [1, "-session-addr needs -session\n"]);
  agent.kill("SIGTERM");
  assert.equal(await agent.exited, 1);
});

Deno.test("servers that do not answer are waited for 5 s, and no longer", async () => {
  const address = `${HOST}:${await freePort(HOST)}`;
  await using mute = startScriptedServer(HOST, { script: () => true });
  await using deaf = startScriptedServer(HOST, {
    script: ({ kind }) => kind === "clientRequest" || kind === "query",
  });
  const commands: readonly (readonly [address: string, args: string[], said: RegExp])[] = [
    [
      address,
      ["get", "k"],
      /^Error connecting to the servers: No session within 5000 ms: .*connection refused\n$/,
    ],
    [
      mute.address,
      ["set", "k", "v"],
      /^Error connecting to the servers: No session within 5000 ms/,
    ],
    [deaf.address, ["get", "k"], /^Error: .*5000 ms/],
    [deaf.address, ["set", "k", "v"], /^Error: It is not known whether this was done\n$/],
    [deaf.address, ["watch", "k"], /^Error: It is not known whether this was done\n$/],
  ];
  await Promise.all(commands.map(async ([address, args, said]) => {
    const since = performance.now();
    const [code, stdout, stderr] = await kv(address, ...args);
    const took = performance.now() - since;
    assert.deepEqual([code, stdout], [1, ""], `${args}: ${stderr}`);
    assert.match(stderr, said);
    assert.ok(took > 4_900 && took < 15_000, `${args} took ${took} ms`);
  }));
});

Deno.test("a watch through a session tells the time, the number, the key and the value, also when the leader is killed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein-session-watch-" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const address = hosts.map((host) => `${host}:7375`).join(",");
    const count = 12;
    const args = ["kv", "watch", "-session", `-session-addr=${address}`, "-tree"];
    const begun = Promise.withResolvers<void>();
    const watching = run([...args, `-count=${count}`, "^c"], {
      limitMs: 60_000,
      watch: (stdout) => {
        if (stdout.includes("\n")) begun.resolve();
        return stdout.includes("\n");
      },
    });
    await begun.promise;
    const write = async (from: number): Promise<void> => {
      for (let i = from; i < from + count / 2; i++) {
        const said = await eventually("it is set", async () => {
          const answer = await kv(address, "set", `^c^${i}`, `v${i}`);
          return answer[0] === 0 ? answer : undefined;
        });
        assert.deepEqual(said, [0, "OK\n", ""]);
      }
    };
    await write(1);
    await cluster.kill(await cluster.leader() ?? assert.fail("nobody leads"));
    await write(1 + count / 2);
    const { code, stdout, stderr } = await watching;
    assert.equal(code, 0, stderr);
    const [banner, ...lines] = stdout.trimEnd().split("\n");
    assert.equal(banner, "Watching ^c, Ctrl-C ends it");
    const told = lines.map((line) => /^\d{4}-\d\d-\d\dT[\d:.]+Z (#.*)$/.exec(line)?.[1]);
    assert.deepEqual(
      told,
      Array.from({ length: count }, (_, i) => `#${i + 1} c^${i + 1} = v${i + 1}`),
    );
    assert.match(stderr, /^Connection lost, looking for the leader\n[^]*Connected again\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
