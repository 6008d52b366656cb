/**
 * Two skein agents and two Go agents live through everything that a member list goes through, as one cluster:
 * joins from either side, events, tag changes, sudden deaths, comebacks and graceful leaves.
 *
 * Four is the size at which gossip misses nobody: a packet goes to three others at a time. From five on a
 * broadcast may miss a member, which then waits up to 30 s for the next push/pull; and a suspicion that two
 * others confirm lasts 4 s, one that a single other confirms 11 s, so only one member is killed at a time
 * (docs/spec/memberlist.md 8.9).
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually, type Program, skein } from "../agents.ts";
import { allShow, allShowMember, join, LIMIT_MS, type Node, startNode } from "./cluster.ts";
import type { RpcRecord } from "./rpc.ts";

/** The whole life of a cluster whose agents all run with `flags`. */
export async function lifeTime(go: Program, host: string, flags: string[]): Promise<void> {
  await using cleanUp = new AsyncDisposableStack();
  const start = async (program: Program, name: string, bindPort?: number) => {
    const at = bindPort === undefined ? {} : { bindPort };
    return cleanUp.use(await startNode(program, name, host, { flags, ...at }));
  };
  const [s1, s2, g1, g2] = await Promise.all([
    start(skein, "s1"),
    start(skein, "s2"),
    start(go, "g1"),
    start(go, "g2"),
  ]);
  const nodes = [s1, s2, g1, g2];

  await join(g1, s1);
  await join(s2, g2);
  await allShow([s1, g1], { s1: "alive", g1: "alive" });
  await allShow([s2, g2], { s2: "alive", g2: "alive" });
  await join(s1, g2);
  const everyone = { s1: "alive", s2: "alive", g1: "alive", g2: "alive" };
  await allShow(nodes, everyone);
  await sameRecords(nodes);

  await exchangeEvents(nodes);

  for (const node of [s1, g1]) {
    await node.rpc.must("tags", { Tags: { role: "lead", empty: "" }, DeleteTags: ["kind"] });
    await allShowMember(nodes, node.name, "its new tags", ({ Tags }) => {
      return Tags["role"] === "lead" && Tags["empty"] === "" && !("kind" in Tags);
    });
  }

  s2.agent.kill("SIGKILL");
  await allShow([s1, g1, g2], { ...everyone, s2: "failed" });
  const s2Again = await start(skein, "s2", portOf(s2.agent.gossip));
  await join(s2Again, g1);
  await allShow([s1, s2Again, g1, g2], everyone);

  g2.agent.kill("SIGKILL");
  await allShow([s1, s2Again, g1], { ...everyone, g2: "failed" });
  const g2Again = await start(go, "g2", portOf(g2.agent.gossip));
  await join(g2Again, s1);
  await allShow([s1, s2Again, g1, g2Again], everyone);

  s2Again.agent.kill("SIGINT");
  await allShow([s1, g1, g2Again], { ...everyone, s2: "left" });
  await g2Again.rpc.must("leave");
  await allShow([s1, g1], { ...everyone, s2: "left", g2: "left" });
  for (const { agent } of [s2Again, g2Again]) {
    assert.equal(await agent.exited, 0, agent.output());
  }
}

/** All agents hold the same record of every member: address, port, tags and versions. */
async function sameRecords(nodes: Node[]): Promise<void> {
  const [first, ...rest] = await Promise.all(nodes.map(async ({ rpc }) => {
    return (await rpc.members()).sort((a, b) => a.Name < b.Name ? -1 : 1);
  }));
  for (const other of rest) assert.deepEqual(other, first);
}

/**
 * Every agent sends each kind of payload; every agent, the sender too, gets each exactly once and unchanged.
 *
 * What is on its way at one time fits into one packet, or some of it would miss a member. An empty payload may
 * arrive as none: 0.9.4 makes that of it, its successor does not.
 */
async function exchangeEvents(nodes: Node[]): Promise<void> {
  const payloads = [
    null,
    new Uint8Array(0),
    Uint8Array.from({ length: 256 }, (_, i) => i),
    new Uint8Array(478).fill(0xc1), // The longest that fits beside a name of four letters.
  ];
  const received = await Promise.all(
    nodes.map((node) => node.rpc.subscribe("stream", { Type: "user" })),
  );
  const sent = new Map<string, Uint8Array | null>();
  const allArrived = () =>
    eventually(`${sent.size} events are everywhere`, () => {
      return received.every((records) => records.length >= sent.size);
    }, LIMIT_MS);
  for (const [i, payload] of payloads.entries()) {
    for (const [sender, node] of nodes.entries()) {
      const Name = `ev${sender}${i}`;
      await node.rpc.must("event", { Name, Payload: payload, Coalesce: payload === null });
      sent.set(Name, noneIfEmpty(payload));
      if (payload?.length === 478) await allArrived();
    }
    await allArrived();
  }
  for (const [i, records] of received.entries()) {
    const name = nodes[i]?.name ?? "";
    const got = records.map(({ Name = "", Payload }) => [Name, noneIfEmpty(Payload)] as const);
    assert.deepEqual(new Map(got), sent, name);
    assert.equal(got.length, sent.size, `${name} got an event twice`);
    assert.deepEqual(times(records), times(received[0] ?? []), `${name} has other Lamport times`);
  }
}

function times(records: RpcRecord[]): Record<string, number | undefined> {
  return Object.fromEntries(records.map(({ Name = "", LTime }) => [Name, LTime]));
}

function noneIfEmpty(payload: Uint8Array | null | undefined): Uint8Array | null {
  return payload?.length ? payload : null;
}

function portOf(address: string): number {
  return Number(address.split(":")[1]);
}
