/**
 * Go agents ask, and never notice that some of those who answer are not Go: acknowledgements, relays, the
 * reachability test and the vote on a name that two agents claim.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { eventually, runCli, skein } from "../support/agents.ts";
import { allShow, join, LIMIT_MS, type Node, startNode } from "../support/interop/cluster.ts";
import { goTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

goTest("a query from a Go agent is acknowledged by every agent", async (go) => {
  const answers = { flags: ["-event-handler=query:load=echo ok"] };
  await using s1 = await startNode(skein, "s1", HOST);
  await using s2 = await startNode(skein, "s2", HOST);
  await using g1 = await startNode(go, "g1", HOST);
  await using g2 = await startNode(go, "g2", HOST, answers);
  for (const node of [s1, s2, g2]) await join(node, g1);
  await allShow([s1, s2, g1, g2], { s1: "alive", s2: "alive", g1: "alive", g2: "alive" });

  // One after another: Go files the queries that it waits for under their Lamport time alone, and two asked in one
  // moment have the same, so that the second takes the answers of the first.
  const query = await runCli(go, ["query", "load", "now"], g1.agent.rpc);
  const relayed = await runCli(go, ["query", "-relay-factor=3", "load"], g1.agent.rpc);
  const filtered = await runCli(
    go,
    ["query", "-tag=kind=skein", "-node=s2", "-node=g2", "load"],
    g1.agent.rpc,
  );
  const reachability = await runCli(go, ["reachability", "-verbose"], g1.agent.rpc);
  for (const result of [query, relayed]) {
    assert.deepEqual(result.stdout.trimEnd().split("\n").sort(), [
      "Ack from 'g1'",
      "Ack from 'g2'",
      "Ack from 's1'",
      "Ack from 's2'",
      "Query 'load' dispatched",
      "Response from 'g2': ok",
      "Total Acks: 4",
      "Total Responses: 1",
    ]);
  }
  assert.deepEqual(filtered.stdout.trimEnd().split("\n").sort(), [
    "Ack from 's2'",
    "Query 'load' dispatched",
    "Total Acks: 1",
    "Total Responses: 0",
  ]);
  assert.equal(reachability.code, 0, reachability.stdout);
  assert.match(reachability.stdout, /Successfully contacted all live nodes/);
  for (const name of ["g1", "g2", "s1", "s2"]) {
    assert.match(reachability.stdout, new RegExp(`\tAck from '${name}'`));
  }
});

goTest("a relayed answer is passed on as a Go agent passes it on", async (go) => {
  await using s1 = await startNode(skein, "s1", HOST);
  await using g1 = await startNode(go, "g1", HOST);
  const passedOn = await Promise.all([relayThrough(s1, HOST), relayThrough(g1, HOST)]);
  assert.deepEqual(passedOn[0], passedOn[1]);
  assert.deepEqual(passedOn[0], [USER_MESSAGE, ...ANSWER]);
});

goTest(
  "the agent that comes second with a name gives up, by the votes of both kinds",
  async (go) => {
    await using s1 = await startNode(skein, "s1", HOST);
    await using s2 = await startNode(skein, "s2", HOST);
    await using g1 = await startNode(go, "g1", HOST);
    await using skeinFirst = await startNode(skein, "one", HOST);
    await using goFirst = await startNode(go, "two", HOST);
    const first = [s1, s2, g1, skeinFirst, goFirst];
    for (const node of first) if (node !== s1) await join(node, s1);
    const everyone = { s1: "alive", s2: "alive", g1: "alive", one: "alive", two: "alive" };
    await allShow(first, everyone);

    await using goSecond = await startNode(go, "one", HOST);
    await using skeinSecond = await startNode(skein, "two", HOST);
    await Promise.all([join(goSecond, s1), join(skeinSecond, s1)]);
    // Serf ends as if all were well.
    for (const [{ agent }, code] of [[goSecond, 0], [skeinSecond, 1]] as const) {
      await eventually(`${agent.program.label} gives up\n${agent.output()}`, async () => {
        return await Promise.race([agent.exited, undefined]) === code;
      }, LIMIT_MS);
      // Four may vote besides the two claimants, two of them skein agents.
      assert.match(agent.output(), /minority in name conflict resolution, quit\w+ \[0 \/ [34]\]/);
    }
    await allShow(first, everyone);
    const ports = (await s1.rpc.members()).map(({ Name, Port }) => `${Name} ${Port}`).sort();
    assert.deepEqual(
      ports,
      first.map(({ name, agent }) => `${name} ${portOf(agent.gossip)}`).sort(),
    );
  },
);

/** Type byte of a memberlist user message (docs/spec/memberlist.md 1.1). */
const USER_MESSAGE = 8;

/** An acknowledgement to a query (docs/spec/serf.md 20.10). */
const ANSWER = [
  ...[0x05, 0x85, 0xa5, ...text("Flags"), 0x01, 0xa4, ...text("From"), 0xa1, ...text("a")],
  ...[0xa2, ...text("ID"), 0xce, 0x0b, 0xad, 0xca, 0xff, 0xa5, ...text("LTime"), 0x33],
  ...[0xa7, ...text("Payload"), 0xc0],
];

/** Asks the agent to relay {@linkcode ANSWER} to a socket of ours, and gives the packet that arrives there. */
async function relayThrough(node: Node, host: string): Promise<number[]> {
  const socket = createSocket("udp4");
  const { promise: packet, resolve } = Promise.withResolvers<number[]>();
  socket.on("message", (bytes) => resolve([...bytes]));
  await new Promise<void>((ready) => socket.bind(0, host, ready));
  const { port } = socket.address();
  const request = Uint8Array.from([
    ...[USER_MESSAGE, 0x09, 0x82, 0xa8, ...text("DestAddr"), 0x83],
    ...[0xa2, ...text("IP"), 0xa4, ...host.split(".").map(Number)],
    ...[0xa4, ...text("Port"), 0xcd, port >> 8, port & 255, 0xa4, ...text("Zone"), 0xa0],
    ...[0xa8, ...text("DestName"), 0xa1, ...text("z"), ...ANSWER],
  ]);
  const limit = setTimeout(() => resolve([]), 5_000);
  try {
    socket.send(request, portOf(node.agent.gossip), host);
    return await packet;
  } finally {
    clearTimeout(limit);
    await new Promise<void>((closed) => socket.close(() => closed()));
  }
}

function text(ascii: string): Uint8Array {
  return new TextEncoder().encode(ascii);
}

function portOf(address: string): number {
  return Number(address.split(":")[1]);
}
