/**
 * Three servers as processes: one with a damaged file is rebuilt while the others are written to, and one goes on alone.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type AgentProcess, eventually, freePort, skein, startAgent } from "../support/agents.ts";
import { run } from "../support/e2e/cli.ts";
import { loopback } from "../support/loopback.ts";

const HOSTS = [loopback(), loopback(), loopback()];

Deno.test("a server is rebuilt, compared, and goes on alone, by the command line", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "skein-rebuild-" });
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const ports = await Promise.all(
    HOSTS.map(async (host) => [await freePort(host), await freePort(host), await freePort(host)]),
  );
  const running = new Map<number, AgentProcess>();
  const pathOf = (n: number): string => `${folder}/s${n}`;
  const kvOf = (n: number): string => `${HOSTS[n]}:${ports[n]?.[2]}`;
  const start = async (n: number): Promise<AgentProcess> => {
    const [gossip, rpcPort, kv] = ports[n] as [number, number, number];
    const host = HOSTS[n] as string;
    const joins = HOSTS.map((other, i) => `-retry-join=${other}:${ports[i]?.[0]}`);
    const agent = await startAgent(skein, {
      name: `s${n}`,
      host,
      bindPort: gossip,
      rpcPort,
      flags: [
        "-server",
        `-data-dir=${pathOf(n)}`,
        "-bootstrap-expect=3",
        `-peer-addr=${host}:0`,
        `-kv-addr=${host}:${kv}`,
        "-session-addr=none",
        "-topics-addr=none",
        "-profile=local",
        "-retry-interval=1s",
        ...joins.filter((_, i) => i !== n),
      ],
    });
    running.set(n, stack.use(agent));
    return agent;
  };
  const kill = async (n: number): Promise<void> => {
    await running.get(n)?.stop();
    running.delete(n);
  };
  const set = (n: number, key: string, value: string) =>
    run(["kv", "set", `-kv-addr=${kvOf(n)}`, key, value]);
  const verify = (n: number) =>
    run(["raft", "verify", "-format=json", "-timeout=5s"], {
      env: { SERF_RPC_ADDR: running.get(n)?.rpc ?? "" },
    });

  await Promise.all([0, 1, 2].map(start));
  await eventually("they work", async () => (await set(0, "k", "first")).code === 0, 20_000);

  const log = `${pathOf(1)}/raft/0000000000000001.log`;
  await eventually("all have it", () => Deno.statSync(log).size > 100);
  await kill(1);
  const bytes = await Deno.readFile(log);
  bytes[60] = (bytes[60] as number) ^ 4;
  await Deno.writeFile(log, bytes);
  await assert.rejects(start(1), (error: Error) => {
    const line = error.message.split("\n").find((line) => line.includes("is damaged")) ?? "";
    assert.match(line, /Log file 'raft\/0000000000000001\.log' is damaged at byte 52: /);
    assert.ok(line.includes(`'skein raft rebuild -data-dir ${pathOf(1)}'`), line);
    return true;
  });
  await eventually("two go on", async () => (await set(0, "k", "second")).code === 0, 20_000);

  const unasked = await run(["raft", "rebuild", `-data-dir=${pathOf(1)}`]);
  assert.equal(unasked.code, 1);
  assert.match(unasked.stdout, /^Standard input is no terminal, so nobody can be asked: -yes goes/);
  // What is damaged is the entry that says who founded the cluster.
  assert.match(
    unasked.stderr,
    /is damaged at byte 52: .*\nWho the members are cannot be read\. .*\nAll of it is moved aside\./,
  );
  const rebuilt = await run(["raft", "rebuild", "-yes", `-data-dir=${pathOf(1)}`]);
  assert.equal(rebuilt.code, 0, rebuilt.stdout + rebuilt.stderr);
  assert.match(rebuilt.stderr, /^Who the members are cannot be read\..* it waits for ever: /);
  assert.match(rebuilt.stdout, /^Moved to .*\/damaged-\d{8}T\d{6}Z: node\.json, raft, state\nId /);
  await start(1);
  await eventually("all are equal", async () => {
    const { code, stdout } = await verify(0);
    const { servers = [] } = JSON.parse(stdout) as { servers?: unknown[] };
    return code === 0 && servers.length === 3;
  }, 20_000);
  const inUse = await run(["raft", "rebuild", "-yes", "-force", `-data-dir=${pathOf(1)}`]);
  assert.match(inUse.stdout, /^Error: raft rebuild: Data directory '.*' is in use by another/);

  for (const n of [0, 1, 2]) await kill(n);
  const single = await run(["raft", "rebuild", "-force-single", `-data-dir=${pathOf(0)}`]);
  assert.equal(single.code, 1);
  assert.match(single.stderr, /^THIS CAN LOSE WHAT WAS ACKNOWLEDGED/);
  const made = await run(["raft", "rebuild", "-force-single", "-yes", `-data-dir=${pathOf(0)}`]);
  assert.equal(made.code, 0, made.stdout + made.stderr);
  assert.match(
    made.stdout,
    /\nskein raft rebuild -force -cluster-id [0-9a-f]{32} -data-dir DIR\n$/,
  );
  await start(0);
  await eventually("it has all it had", async () => {
    return (await run(["kv", "get", `-kv-addr=${kvOf(0)}`, "k"])).stdout === "second\n";
  }, 20_000);
});
