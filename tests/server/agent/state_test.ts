/**
 * Agents that keep state, in one process: alone, three of them, restarted, moved, encrypted.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Agent, AgentStartError } from "../../../server/agent/agent.ts";
import { LeaveRefusedError, NoStateError } from "../../../server/replica/errors.ts";
import type { AgentSettings } from "../../../server/agent/start/settings.ts";
import { ConditionFailedError, KvError, NoLeaderError } from "../../../protocol/kv/errors.ts";
import { eventually } from "../../support/agents.ts";
import { decodeTag } from "../../../server/replica/gossip_tag.ts";
import {
  decodePreamble,
  encodePreamble,
  NONCE_BYTES,
  PREAMBLE_BYTES,
} from "../../../server/replica/peers/hello.ts";
import { loopback } from "../../support/loopback.ts";
import { addressOf, folder, startServer } from "../../support/replica/agents.ts";

const HOST = loopback();

/** Three servers that have found each other. */
async function three(path: string, settings: AgentSettings = {}): Promise<Agent[]> {
  const first = await startServer("a", path, settings);
  const join = { startJoin: [addressOf(first)] };
  const others = await Promise.all(
    ["b", "c"].map((name) => startServer(name, path, { ...settings, ...join })),
  );
  return [first, ...others];
}

async function end(agents: readonly Agent[]): Promise<void> {
  await Promise.all(agents.map((agent) => agent.shutdown()));
}

interface Status {
  readonly role: string;
  readonly leader: string | null;
  readonly term: number;
  readonly peers: readonly { readonly name: string; readonly role: string }[];
}

/** Whether a server seals what it says to others: it tells in its first bytes. */
async function isSealed(agent: Agent): Promise<boolean> {
  const [hostname = "", port] = agent.state?.addresses.peerAddr.split(":") ?? [];
  using conn = await Deno.connect({ hostname, port: Number(port) });
  await conn.write(encodePreamble(false, new Uint8Array(NONCE_BYTES)));
  const bytes = new Uint8Array(PREAMBLE_BYTES);
  assert.equal(await conn.read(bytes), PREAMBLE_BYTES);
  return decodePreamble(bytes).sealed;
}

/** What a server tells through gossip. */
function tagOf(agent: Agent): string | undefined {
  return agent.members().find(({ name }) => name === agent.config.nodeName)?.tags["skein"];
}

async function status(agent: Agent): Promise<Status> {
  return await agent.state?.administer("status") as Status;
}

/** The name of the leader on which all agree. */
async function leaderOf(agents: readonly Agent[]): Promise<string> {
  let name: string | undefined;
  await eventually("all agree on a leader", async () => {
    const names = new Set(await Promise.all(agents.map(async (it) => (await status(it)).leader)));
    const [first] = names;
    name = first ?? undefined;
    return names.size === 1 && agents.some(({ config }) => config.nodeName === name);
  });
  return name as string;
}

Deno.test("a lone server keeps what it was told over a restart", async () => {
  await using data = await folder();
  const settings = { bootstrapExpect: 1 };
  {
    await using agent = await startServer("a", data.path, settings);
    const { rev } = await agent.kv.set("foo", { bar: [1, null] });
    assert.deepEqual(await agent.kv.get("foo"), { value: { bar: [1, null] }, rev });
    assert.equal(await isSealed(agent), false);
    await assert.rejects(agent.kv.set("foo", 1, { ifRev: 7 }), ConditionFailedError);
    assert.equal(await agent.kv.increment("n", 5), 5);
    assert.deepEqual(await agent.kv.exists("n"), { value: true, children: false });
    await assert.rejects(agent.kv.set("a^^b", 1), KvError);
  }
  await using agent = await startServer("a", data.path, settings);
  assert.deepEqual((await agent.kv.get("foo"))?.value, { bar: [1, null] });
  assert.equal(await agent.kv.increment("n"), 6);
  assert.equal(await agent.kv.delete("n"), 1);
  assert.equal(await agent.kv.get("n"), undefined);
});

Deno.test("three servers answer alike, and two go on when the leader ends", async () => {
  await using data = await folder();
  const agents = await three(data.path);
  try {
    for (const [i, { kv }] of agents.entries()) await kv.set(`k${i}`, i);
    for (const { kv } of agents) assert.equal((await kv.get("k2"))?.value, 2);
    const leader = await leaderOf(agents);
    const [ended] = agents.splice(agents.findIndex(({ config }) => config.nodeName === leader), 1);
    await (ended as Agent).shutdown();
    await leaderOf(agents);
    for (const { kv } of agents) await kv.increment("n");
    assert.equal((await agents[0]?.kv.get("n"))?.value, 2);
    const isKnown = () =>
      agents.every((it) => it.members().find(({ name }) => name === leader)?.status === "failed");
    await eventually("its end is known, and its name is free", isKnown);
    // It comes back with another port, and is found.
    const join = { startJoin: [addressOf(agents[0] as Agent)] };
    const again = await startServer(leader, data.path, join);
    agents.push(again);
    assert.equal((await again.kv.get("n"))?.value, 2);
    await eventually("it has caught up", async () => {
      const { value } = await again.kv.get("n", { consistency: "stale" }) ?? {};
      return value === 2;
    });
  } finally {
    await end(agents);
  }
});

Deno.test("all three can end, and come back at other ports with all that was acknowledged", async () => {
  await using data = await folder();
  const first = await three(data.path);
  try {
    for (let i = 0; i < 20; i++) await first[i % 3]?.kv.set(`k${i}`, i);
  } finally {
    await end(first);
  }
  const second = await three(data.path);
  try {
    for (let i = 0; i < 20; i++) assert.equal((await second[i % 3]?.kv.get(`k${i}`))?.value, i);
  } finally {
    await end(second);
  }
});

Deno.test("servers of encrypted agents seal what they say, also with a new key", async () => {
  await using data = await folder();
  const keys = [1, 2].map((n) => new Uint8Array(32).fill(n).toBase64());
  const agents = await three(data.path, { encryptKey: keys[0] as string });
  try {
    for (const agent of agents) assert.equal(await isSealed(agent), true);
    await agents[0]?.kv.set("foo", 1);
    await agents[1]?.installKey(keys[1] as string);
    await agents[1]?.useKey(keys[1] as string);
    await agents[1]?.removeKey(keys[0] as string);
    for (const { kv } of agents) await kv.increment("foo");
    assert.equal((await agents[2]?.kv.get("foo"))?.value, 4);
  } finally {
    await end(agents);
  }
});

Deno.test("a fourth server is taken in, and taken out when it leaves", async () => {
  await using data = await folder();
  const agents = await three(data.path);
  try {
    await agents[0]?.kv.set("foo", 1);
    const join = { startJoin: [addressOf(agents[0] as Agent)] };
    const fourth = await startServer("d", data.path, { ...join, bootstrapExpect: 0 });
    agents.push(fourth);
    assert.equal((await fourth.kv.get("foo"))?.value, 1);
    await eventually("it is a member", async () => (await status(fourth)).peers.length === 4);
    await fourth.leave();
    await eventually(
      "it was taken out",
      async () => (await status(agents[0] as Agent)).peers.length === 3,
    );
    const lines = agents.flatMap((agent) => agent.log.lines("INFO"));
    const changes = lines.filter((line) => line.includes("Changed the members: 'd'"));
    assert.equal(
      changes.length,
      1,
      `taken in once, and not again as it leaves:\n${changes.join("\n")}`,
    );
  } finally {
    await end(agents);
  }
});

Deno.test("a leave that was refused does not come about later", async () => {
  await using data = await folder();
  const agents = await three(data.path);
  try {
    await agents[0]?.kv.set("foo", 1);
    const [first, second, third] = agents as [Agent, Agent, Agent];
    await second.shutdown();
    await third.shutdown();
    await assert.rejects(first.leave(), LeaveRefusedError);
    agents.splice(
      0,
      3,
      first,
      await startServer("b", data.path, {
        startJoin: [addressOf(first)],
        bind: addressOf(second),
      }),
    );
    await agents[1]?.kv.set("foo", 2);
    // That nothing happens can only be watched for a while: a try a second late would come within it.
    const end = performance.now() + 1_500;
    for (let count = 3; performance.now() < end; count = (await status(first)).peers.length) {
      assert.equal(count, 3, "it is a member as before");
      await agents[1]?.kv.increment("n");
    }
    assert.equal(decodeTag(tagOf(first))?.isLeaving, false, "and no more about to leave");
  } finally {
    await end(agents);
  }
});

Deno.test("the tag of a server is its own: it is in no file, and comes back when it is deleted", async () => {
  await using data = await folder();
  const tagsFile = `${data.path}/tags.json`;
  await using agent = await startServer("a", data.path, { bootstrapExpect: 1, tagsFile });
  await agent.updateTags({ set: { role: "web" } });
  assert.deepEqual(JSON.parse(await Deno.readTextFile(tagsFile)), { role: "web" });
  const tag = tagOf(agent);
  await agent.updateTags({ delete: ["skein"] });
  await eventually("it is told again", () => tag !== undefined && tagOf(agent) === tag);
  await agent.updateTags({ set: { skein: "mine" } });
  await eventually("it is told again", () => tagOf(agent) === tag);
});

Deno.test("a server that is alone without a majority says that there is no leader", async () => {
  await using data = await folder();
  await using agent = await startServer("a", data.path);
  await assert.rejects(agent.kv.set("foo", 1, { timeoutMs: 300 }), NoLeaderError);
  await assert.rejects(agent.kv.get("foo", { timeoutMs: 300 }), NoLeaderError);
  assert.equal(await agent.kv.get("foo", { consistency: "stale" }), undefined);
});

Deno.test("what the settings say of the log and of the port holds", async () => {
  await using data = await folder();
  await using agent = await startServer("a", data.path, {
    bootstrapExpect: 1,
    raft: { snapshotEntries: 5 },
    kv: { mode: "echo" },
  });
  for (let i = 0; i < 8; i++) await agent.kv.increment("n");
  await eventually("there is a snapshot", async () => {
    return (await agent.state?.administer("status") as { snapshot_index: number }).snapshot_index >
      4;
  });
  const [hostname = "", port] = agent.state?.addresses.kvAddr?.split(":") ?? [];
  using conn = await Deno.connect({ hostname, port: Number(port) });
  await conn.write(new TextEncoder().encode("no JSON \t\n"));
  const bytes = new Uint8Array(100);
  const count = await conn.read(bytes) ?? 0;
  assert.equal(new TextDecoder().decode(bytes.subarray(0, count)), "no JSON \t\n");
});

Deno.test("a directory in use and a taken port are one line, and nothing is left running", async () => {
  await using data = await folder();
  const settings = { bootstrapExpect: 1 };
  await using agent = await startServer("a", data.path, settings);
  const own = `${data.path}/a`;
  await assert.rejects(
    startServer("b", data.path, { ...settings, dataDir: own }),
    (error: Error) => {
      assert.ok(error instanceof AgentStartError);
      assert.match(error.message, new RegExp(`${own}.*in use by another agent`));
      return !error.message.includes("\n");
    },
  );
  const { kvAddr, peerAddr } = agent.state?.addresses ?? {};
  for (const taken of [{ kvAddr }, { peerAddr }] as AgentSettings[]) {
    await assert.rejects(startServer("b", data.path, { ...settings, ...taken }), AgentStartError);
  }
  // The directory of those that did not start is free.
  await using b = await startServer("b", data.path, settings);
  await b.kv.set("foo", 1);
});

Deno.test("an agent without state says so", async () => {
  await using agent = await Agent.start({ bind: `${HOST}:0` });
  assert.throws(() => agent.kv, NoStateError);
  assert.equal(agent.state, undefined);
});
