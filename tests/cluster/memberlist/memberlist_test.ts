import assert from "node:assert/strict";
import { parseCidr } from "../../../cluster/memberlist/core/cidr.ts";
import { Keyring, type MemberlistConfig, NodeState } from "../../../cluster/memberlist/mod.ts";
import { Memberlist } from "../../../cluster/memberlist/memberlist.ts";
import { loadCiphers } from "../../../cluster/memberlist/wire/seal.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { FakeNetwork, PORT } from "../../support/memberlist/fake_network.ts";
import { fakeHost, startNode } from "../../support/memberlist/fakes.ts";
import { cluster, finish, type Node, state } from "../../support/memberlist/running.ts";

await loadCiphers();

Deno.test("a node alone knows itself, and its calls end at once", async () => {
  const { clock, nodes: [node], stop } = await cluster(1);
  assert.deepEqual(node.list.members(), [node.list.localNode]);
  assert.equal(node.list.localNode.name, "n1");
  assert.deepEqual([node.list.numAlive, node.list.numNodes, node.list.healthScore], [1, 1, 0]);
  await node.list.updateNode(1_000);
  assert.equal(node.list.localNode.incarnation, 2);
  await clock.advance(120_000);
  assert.equal(node.list.queuedBroadcasts, 1, "nobody there to tell");
  await node.list.leave(1_000);
  assert.equal(node.list.localNode.state, NodeState.left);
  await clock.advance(120_000);
  assert.equal(node.list.localNode.state, NodeState.left, "never forgets itself");
  await stop();
});

for (
  const [what, overrides] of [
    ["in clear", { compression: false }],
    ["compressed", {}],
    ["encrypted", { keyring: new Keyring([new Uint8Array(32).fill(1)]) }],
    ["labelled and encrypted", { label: "dc1", keyring: new Keyring([new Uint8Array(16)]) }],
    ["in protocol 1", { protocolVersion: 1, keyring: new Keyring([new Uint8Array(24)]) }],
    ["in protocol 5", { protocolVersion: 5 }],
  ] as [string, Partial<MemberlistConfig>][]
) {
  Deno.test(`three nodes join and stay healthy, ${what}`, async () => {
    const { clock, nodes, stop } = await cluster(3, { overrides });
    await clock.advance(60_000);
    for (const { list, delegate, log } of nodes) {
      assert.deepEqual(list.members().map(({ name }) => name).sort(), ["n1", "n2", "n3"]);
      assert.deepEqual(delegate.events.filter((event) => !event.startsWith("state")), []);
      assert.ok(delegate.roundTrips.length > 30);
      assert.equal(list.healthScore, 0);
      assert.deepEqual(log.filter((line) => !line.startsWith("debug")), []);
    }
    await stop();
  });
}

Deno.test("a node that falls silent is suspected, then dead, then forgotten", async () => {
  const { clock, network, nodes: [a, b, c], stop } = await cluster(3);
  const start = clock.now();
  network.silence("10.0.0.3");
  await clock.until(
    () => state(a, "n3") === NodeState.suspect && state(b!, "n3") === NodeState.suspect,
    10_000,
    "a suspicion",
  );
  assert.deepEqual(a.delegate.events.filter((event) => event.endsWith("n3")), []);
  await clock.until(
    () => [a, b!].every((node) => state(node, "n3") === NodeState.dead),
    10_000,
    "the verdict",
  );
  const tookMs = clock.now() - start;
  // At worst two rounds of the ring, the probe, and 4 s to refute.
  assert.ok(tookMs >= 4_000 && tookMs <= 10_000, `${tookMs} ms`);
  for (const node of [a, b!]) {
    assert.deepEqual(node.delegate.events.filter((event) => event.endsWith("n3")), ["leave n3"]);
    assert.equal(node.list.numAlive, 2);
  }
  assert.ok(a.log.some((line) => /^info Suspect n3 has failed, no acks received$/.test(line)));
  await clock.advance(40_000);
  assert.equal(a.list.numNodes, 2);
  assert.ok(c!.list.healthScore > 1, "who is cut off doubts itself");
  await stop();
});

Deno.test("a node that was paused for a while refutes and is never declared dead", async () => {
  const { clock, network, nodes, stop } = await cluster(3, { overrides: { suspicionMult: 8 } });
  const [a, b, c] = nodes as [Node, Node, Node];
  network.silence("10.0.0.3");
  await clock.until(() => state(a, "n3") === NodeState.suspect, 10_000);
  network.restore("10.0.0.3");
  const isBack = () => [a, b].every((node) => state(node, "n3") === NodeState.alive);
  await clock.until(isBack, 8_000, "the refutation");
  assert.ok(c.list.localNode.incarnation > 1);
  assert.ok(c.log.some((line) => line.startsWith("warn Refuting a suspect message (from: n")));
  for (const { delegate } of [a, b]) {
    assert.deepEqual(delegate.events.filter((event) => event.endsWith("n3")), []);
  }
  await stop();
});

Deno.test("a dead node that comes back within the gossip time is told and rejoins", async () => {
  const { clock, network, nodes, stop } = await cluster(3);
  const [a, b, c] = nodes as [Node, Node, Node];
  network.silence("10.0.0.3");
  const isDead = () => [a, b].every((node) => state(node, "n3") === NodeState.dead);
  await clock.until(isDead, 20_000);
  network.restore("10.0.0.3");
  await finish(clock, c.list.join(["10.0.0.1"]));
  await clock.until(
    () => nodes.every(({ list }) => list.numAlive === 3),
    40_000,
    "one cluster again",
  );
  await stop();
});

Deno.test("a node that leaves is left, and goes on to answer pings until its shutdown", async () => {
  const { clock, nodes, stop } = await cluster(3);
  const [a, b, c] = nodes as [Node, Node, Node];
  const start = clock.now();
  await finish(clock, c.list.leave(5_000));
  assert.ok(clock.now() - start <= 1_000, "four transmissions to two nodes take two rounds");
  await clock.until(
    () => nodes.every((node) => state(node, "n3") === NodeState.left),
    1_000,
    "everybody to know",
  );
  for (const { delegate } of nodes) {
    assert.deepEqual(delegate.events.filter((event) => event.endsWith("n3")), ["leave n3"]);
  }
  assert.ok(await finish(clock, a.list.ping("n3", { host: "10.0.0.3", port: PORT })) >= 2);
  await assert.rejects(c.list.updateNode(1_000), { name: "LeftError" });
  await c.list.leave(1);
  await clock.advance(70_000);
  assert.equal(b.list.numNodes, 2, "left nodes are forgotten");
  assert.equal(state(c, "n3"), NodeState.left, "but not by themselves");
  await stop();
});

Deno.test("a node that left comes back under a new address", async () => {
  const { clock, network, nodes, stop } = await cluster(3);
  const [a, b, c] = nodes as [Node, Node, Node];
  await finish(clock, c.list.leave(5_000));
  await finish(clock, c.list.shutdown());
  const again = startNode(network, "n3", "10.0.0.30");
  await finish(clock, again.list.join(["10.0.0.1"]));
  const isBack = (node: Node) =>
    node.list.members().some(({ name, addr }) => name === "n3" && addr[3] === 30);
  await clock.until(() => isBack(a) && isBack(b), 10_000, "the new address");
  await again.list.shutdown();
  await stop();
});

Deno.test("a crashed node that restarts with incarnation 1 overtakes its old record", async () => {
  const { clock, network, nodes, stop } = await cluster(2);
  const [a, b] = nodes as [Node, Node];
  for (let i = 0; i < 3; i++) await finish(clock, b.list.updateNode(5_000));
  await b.list.shutdown();
  const again = startNode(network, "n2", "10.0.0.2");
  await finish(clock, again.list.join(["10.0.0.1"]));
  await clock.until(
    () => a.list.nodes().find(({ name }) => name === "n2")?.incarnation === 5,
    5_000,
    "the refutation",
  );
  assert.equal(again.list.localNode.incarnation, 5);
  await again.list.shutdown();
  await stop();
});

Deno.test("a leave or update that cannot be spread in time says so", async () => {
  const { clock, network, nodes: [a], stop } = await cluster(2, {
    overrides: { gossipIntervalMs: 0, probeIntervalMs: 60_000 },
  });
  network.silence("10.0.0.2");
  await assert.rejects(finish(clock, a.list.updateNode(500)), {
    name: "UpdateTimeoutError",
    message: "timeout waiting for update broadcast",
  });
  await assert.rejects(finish(clock, a.list.leave(500)), {
    name: "LeaveTimeoutError",
    message: "timeout waiting for leave broadcast",
  });
  assert.equal(a.list.localNode.state, NodeState.left);
  await stop();
});

Deno.test("new meta reaches every node as an update", async () => {
  const { clock, nodes, stop } = await cluster(3);
  const [a, b, c] = nodes as [Node, Node, Node];
  c.delegate.meta = new TextEncoder().encode("role=db");
  await finish(clock, c.list.updateNode(5_000));
  const knows = ({ list }: Node) =>
    list.members().find(({ name }) => name === "n3")?.meta.length === 7;
  await clock.until(() => knows(a) && knows(b), 5_000, "the new meta");
  for (const { delegate } of nodes) {
    assert.deepEqual(delegate.events.filter((event) => event.endsWith("n3")), ["update n3"]);
  }
  await stop();
});

Deno.test("application messages reach a node by packet, by stream and by gossip", async () => {
  const { clock, nodes, stop } = await cluster(3);
  const [a, b, c] = nodes as [Node, Node, Node];
  const to = { host: "10.0.0.2", port: PORT };
  a.list.sendTo(to, Uint8Array.of(1));
  await clock.advance(5);
  await finish(clock, a.list.sendReliable(to, new Uint8Array(100_000).fill(2)));
  await clock.advance(5);
  assert.deepEqual(b.delegate.messages.map(({ length }) => length), [1, 100_000]);
  a.delegate.broadcasts.push(Uint8Array.of(3));
  await clock.until(
    () => b.delegate.messages.length + c.delegate.messages.length > 2,
    1_000,
    "the gossip",
  );
  await assert.rejects(
    finish(clock, a.list.sendReliable({ host: "10.0.0.9", port: 1 }, Uint8Array.of(1))),
    {
      message: /connection refused/,
    },
  );
  await stop();
});

Deno.test("a ping that nobody answers rejects after the probe timeout", async () => {
  const { clock, nodes: [a], stop } = await cluster(2);
  const start = clock.now();
  await assert.rejects(finish(clock, a.list.ping("n9", { host: "10.0.0.2", port: PORT })), {
    name: "PingTimeoutError",
    message: "No response from node n9",
  });
  assert.equal(clock.now() - start, 500);
  await stop();
});

Deno.test("two nodes with one name conflict, and the first keeps it", async () => {
  const { clock, network, nodes: [a], stop } = await cluster(2);
  const second = startNode(network, "n2", "10.0.0.77");
  await finish(clock, second.list.join(["10.0.0.1"]));
  await clock.advance(5_000);
  assert.ok(a.delegate.events.includes("conflict n2"));
  assert.ok(second.delegate.events.includes("conflict n2"));
  assert.deepEqual(a.list.members().find(({ name }) => name === "n2")?.addr[3], 2);
  await second.list.shutdown();
  await stop();
});

Deno.test("clusters with other labels or keys do not mix", async () => {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  const variants: Partial<MemberlistConfig>[] = [
    {},
    { label: "a" },
    { label: "b" },
    { keyring: new Keyring([new Uint8Array(32)]) },
    { keyring: new Keyring([new Uint8Array(16)]) },
  ];
  const nodes = variants.map((overrides, i) =>
    startNode(network, `n${i}`, `10.0.0.${i + 1}`, { overrides })
  );
  for (const node of nodes) {
    const others = nodes.filter((other) => other !== node)
      .map(({ transport }) => transport.localAddress.host);
    await assert.rejects(finish(clock, node.list.join(others)), { name: "JoinError" });
  }
  for (const { list } of nodes) {
    assert.equal(list.numNodes, 1);
    await list.shutdown();
  }
});

Deno.test("after joins in a row, states are exchanged once more, a little after the last one", async () => {
  const { clock, nodes, stop } = await cluster(2, { overrides: { pushPullIntervalMs: 0 } });
  const [, b] = nodes as [Node, Node];
  await clock.advance(2_500);
  const exchanges = () => b.log.filter((line) => line.includes("Initiating push/pull")).length;
  for (let i = 0; i < 3; i++) await finish(clock, b.list.join(["10.0.0.1"]));
  const joined = exchanges();
  await clock.advance(1_200);
  assert.equal(exchanges(), joined, "not at once");
  await clock.advance(1_300);
  assert.equal(exchanges(), joined + 1);
  await clock.advance(10_000);
  assert.equal(exchanges(), joined + 1, "once");
  await stop();
});

Deno.test("an update leaves without waiting for the tick of gossip", async () => {
  const { clock, network, nodes: [a], stop } = await cluster(3, {
    overrides: { gossipIntervalMs: 10_000, pushPullIntervalMs: 0, probeIntervalMs: 0 },
  });
  await clock.advance(100_000);
  network.packets.length = 0;
  const update = a.list.updateNode(60_000);
  await clock.advance(5);
  assert.equal(
    new Set(network.packets.filter(({ from }) => from === "10.0.0.1").map(({ to }) => to)).size,
    2,
  );
  await finish(clock, update);
  await stop();
});

Deno.test("a key rotation keeps the cluster together", async () => {
  const keys = [1, 2].map((byte) => new Uint8Array(32).fill(byte)) as [Uint8Array, Uint8Array];
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  const nodes = [1, 2, 3].map((i) =>
    startNode(network, `n${i}`, `10.0.0.${i}`, { overrides: { keyring: new Keyring([keys[0]]) } })
  );
  for (const { list } of nodes.slice(1)) await finish(clock, list.join(["10.0.0.1"]));
  for (const step of ["add", "use", "remove"] as const) {
    for (const { list } of nodes) {
      list.keyring?.[step](step === "remove" ? keys[0] : keys[1]);
      await clock.advance(3_000);
    }
  }
  await clock.advance(30_000);
  for (const { list, log } of nodes) {
    assert.equal(list.numAlive, 3);
    assert.equal(list.healthScore, 0);
    assert.deepEqual(log.filter((line) => !line.startsWith("debug")), []);
    await list.shutdown();
  }
});

Deno.test("a shutdown ends every call under way and can be repeated", async () => {
  const { clock, nodes: [a, b], stop } = await cluster(2);
  const waiting = [
    a.list.updateNode(60_000),
    a.list.leave(60_000),
    a.list.ping("n2", { host: "10.0.0.2", port: PORT }),
    a.list.join(["10.0.0.2"]),
  ].map((promise) => promise.then(() => "done", (error) => error.name));
  await a.list.shutdown();
  await a.list.shutdown();
  await clock.advance(5);
  // The leave displaces the update, which is therefore over.
  assert.deepEqual(await Promise.all(waiting), [
    "done",
    "ShutdownError",
    "ShutdownError",
    "ShutdownError",
  ]);
  a.list.sendTo({ host: "10.0.0.2", port: PORT }, Uint8Array.of(1));
  await assert.rejects(a.list.updateNode(1), { name: "ShutdownError" });
  await b!.list[Symbol.asyncDispose]();
  await stop();
});

Deno.test("nothing works before the start, which is to be called once", async () => {
  const network = new FakeNetwork(new ManualClock());
  const { config, runtime, delegate } = fakeHost(network, "a", "10.0.0.1");
  const list = new Memberlist(config, runtime, delegate);
  await assert.rejects(list.join(["10.0.0.1"]), /not started/);
  list.start();
  assert.throws(() => list.start(), /was started before/);
  await list.shutdown();
});

Deno.test("a node that refuses itself, or has impossible settings, does not start", async () => {
  const network = new FakeNetwork(new ManualClock());
  const { config, runtime, delegate } = fakeHost(network, "a", "10.0.0.1");
  const outside = { ...config, allowedNetworks: [parseCidr("192.168.0.0/16")] };
  assert.throws(() => new Memberlist(outside, runtime, delegate), {
    name: "MemberlistConfigError",
    message: "Advertised address 10.0.0.1 is in no allowed network",
  });
  delegate.notifyAlive = () => "nobody";
  const list = new Memberlist(config, runtime, delegate);
  assert.throws(() => list.start(), { name: "MemberlistConfigError" });
  await list.shutdown();
});

Deno.test("an idle cluster has two timers a node and sends two packets a node and second", async () => {
  const { clock, network, nodes, stop } = await cluster(5);
  await clock.advance(10_000);
  // No probe is under way at the moment when the last one was answered.
  await clock.until(() => clock.pending === 2 * nodes.length, 5_000, "the periodic timers alone");
  network.packets.length = 0;
  await clock.advance(20_000);
  assert.ok(Math.abs(network.packets.length - 5 * 20 * 2) <= 10, `${network.packets.length}`);
  await stop();
});
