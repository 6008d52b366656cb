/**
 * Channels between processes, which are killed and stopped.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually, startSkeinAgent } from "../support/agents.ts";
import { KvPeer } from "../support/kv/stage.ts";
import { Cluster, type Server } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";
import { LineClient } from "../support/net/line_client.ts";
import { run } from "../support/e2e/cli.ts";

const hosts = [loopback(), loopback(), loopback()];
const host = loopback();

/** Nobody who publishes waits longer for others than this, in milliseconds. */
const PUBLISH_LIMIT_MS = 1_000;

/** Long enough for agents to find each other, in milliseconds. */
const FIND_LIMIT_MS = 30_000;

async function clientAt({ hostname, port }: { hostname: string; port: number }): Promise<KvPeer> {
  return new KvPeer(await LineClient.connect({ transport: "tcp", hostname, port }));
}

/** Publishes, in time; returns how many it went to. */
async function publish(client: KvPeer, message: unknown): Promise<unknown> {
  const start = performance.now();
  const { result } = await client.ask({ action: "PUBLISH", channel: "x", message });
  const took = performance.now() - start;
  assert.ok(took < PUBLISH_LIMIT_MS, `publishing took ${took} ms`);
  return result;
}

/** Publishes until so many get it. */
async function reach(client: KvPeer, count: number): Promise<void> {
  await eventually(
    `${count} are reached`,
    async () => await publish(client, "ready") === count,
    FIND_LIMIT_MS,
  );
}

/** Waits for a message. */
async function hears(client: KvPeer, message: unknown): Promise<void> {
  while ((await client.pushes(1))[0]?.["message"] !== message);
}

Deno.test("publishers do not wait for processes that are killed or stopped, and those hear again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_channels_" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const [one, two, three] = cluster.servers as [Server, Server, Server];
    using publisher = await clientAt(one.place);
    using stays = await clientAt(two.place);
    await stays.ask({ action: "SUBSCRIBE", channel: "x" });
    const dies = await clientAt(three.place);
    await dies.ask({ action: "SUBSCRIBE", channel: "x" });
    await reach(publisher, 2);

    await cluster.kill(three);
    await eventually("the killed one is forgotten", async () => await publish(publisher, 1) === 1);
    for (let i = 0; i < 50; i++) assert.equal(await publish(publisher, "alone"), 1);
    await hears(stays, "alone");
    dies[Symbol.dispose]();

    await cluster.start(three);
    using again = await clientAt(three.place);
    await again.ask({ action: "SUBSCRIBE", channel: "x" });
    await reach(publisher, 2);
    await publish(publisher, "again");
    await hears(again, "again");

    three.agent?.kill("SIGSTOP");
    try {
      // As long as nobody has noticed, and after that.
      await eventually(
        "the stopped one is left",
        async () => await publish(publisher, "stopped") === 1,
        FIND_LIMIT_MS,
      );
    } finally {
      three.agent?.kill("SIGCONT");
    }
    await reach(publisher, 2);
    await publish(publisher, "awake");
    await hears(again, "awake");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a gateway is a process without data, and goes on when the leader is killed", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_gateway_" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    await using gateway = await startSkeinAgent({
      name: "gateway",
      host,
      flags: [
        `-kv-addr=${host}:8379`,
        `-peer-addr=${host}`,
        "-profile=local",
        `-retry-join=${hosts[0]}:7946`,
      ],
    });
    const peerAddr = `Peer addr: '${host}:7376'`;
    await eventually("the banner is out", () => gateway.output().includes(peerAddr));
    const kv = (...args: string[]) => run(["kv", `-kv-addr=${host}:8379`, ...args]);
    await eventually("it knows the servers", async () => {
      return (await kv("set", "k", "before")).code === 0;
    }, FIND_LIMIT_MS);
    const leader = await cluster.leader() as Server;
    await cluster.kill(leader);
    const got = await kv("get", "k");
    assert.deepEqual([got.code, got.stdout], [0, "before\n"], got.stderr);
    assert.equal((await kv("set", "k", "after")).code, 0);
    await cluster.start(leader);
    await cluster.settle();
    const there = await run(["kv", `-kv-addr=${leader.place.hostname}:8379`, "get", "k"]);
    assert.equal(there.stdout, "after\n");
    gateway.kill("SIGINT");
    assert.equal(await gateway.exited, 0);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
