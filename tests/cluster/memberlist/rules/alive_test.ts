import assert from "node:assert/strict";
import { parseCidr } from "../../../../cluster/memberlist/core/cidr.ts";
import { NodeState } from "../../../../cluster/memberlist/core/node.ts";
import { announceSelf, receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { receiveDead } from "../../../../cluster/memberlist/rules/dead.ts";
import { receiveSuspect } from "../../../../cluster/memberlist/rules/suspect.ts";
import type { Alive } from "../../../../cluster/memberlist/wire/messages.ts";
import { hostToAddr } from "../../../../protocol/ip.ts";
import { decodeMessage, fakeCore } from "../../../support/memberlist/core_fake.ts";
import { accusation, alive, SERF_VERSIONS } from "../../../support/memberlist/fakes.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("the own node becomes alive with incarnation 1 and is announced", () => {
  const { core, delegate, queued, node } = fakeCore();
  assert.equal(node("me").state, NodeState.alive);
  assert.equal(node("me").incarnation, 1);
  assert.deepEqual(node("me").versions, [1, 5, 2, 0, 0, 0]);
  delegate.meta = bytes("role=web");
  announceSelf(core);
  assert.deepEqual(queued(), ["alive me 2"]);
  assert.deepEqual(node("me").meta, bytes("role=web"));
  assert.deepEqual(delegate.events, ["update me"]);
});

Deno.test("an alive message about an unknown node adds it, gossips it and tells the application", () => {
  const { core, delegate, queued, node, clock } = fakeCore();
  clock.advanceSync(77);
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 7, Meta: bytes("m") }), "10.0.0.2");
  assert.deepEqual(node("n"), {
    name: "n",
    addr: hostToAddr("10.0.0.2"),
    host: "10.0.0.2",
    port: 7946,
    meta: bytes("m"),
    incarnation: 7,
    state: NodeState.alive,
    versions: [1, 5, 2, 2, 5, 5],
  });
  assert.deepEqual(delegate.events, ["join n"]);
  assert.deepEqual(queued(), ["alive n 7"]);
  assert.equal(core.table.get("n")?.changedAt, 77);
});

Deno.test("what is gossiped about a node has all six versions and the address as advertised", () => {
  const { core } = fakeCore();
  const mapped = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 2);
  receiveAlive(core, alive("n", "10.0.0.2", { Addr: mapped }), "x");
  receiveAlive(core, alive("n", "10.0.0.2", { Addr: mapped, Incarnation: 2, Vsn: null }), "x");
  const [message] = core.broadcasts.take(0, 1_000).map(decodeMessage);
  assert.deepEqual(message, {
    type: "alive",
    ...alive("n", "10.0.0.2", { Addr: mapped, Incarnation: 2 }),
  });
  assert.equal(core.table.get("n")?.node.host, "10.0.0.2");
});

Deno.test("an alive message that is not newer is ignored", () => {
  const { core, delegate, queued, node } = fakeCore();
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 5 }), "x");
  queued();
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 5, Meta: bytes("new") }), "x");
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 4, Meta: bytes("new") }), "x");
  assert.deepEqual(queued(), []);
  assert.equal(node("n").meta.length, 0);
  assert.deepEqual(delegate.events, ["join n"]);
});

Deno.test("a newer alive message with other meta is an update, with the same meta nothing", () => {
  const { core, delegate, queued, node } = fakeCore();
  receiveAlive(core, alive("n", "10.0.0.2"), "x");
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 2, Meta: bytes("new") }), "x");
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 3, Meta: bytes("new") }), "x");
  assert.deepEqual(delegate.events, ["join n", "update n"]);
  assert.equal(node("n").incarnation, 3);
  assert.deepEqual(queued(), ["alive n 3"]);
});

Deno.test("impossible versions are ignored", () => {
  const { core, delegate } = fakeCore();
  for (const [pmin, pmax] of [[0, 5], [1, 0], [3, 2]] as const) {
    const Vsn = Uint8Array.of(pmin, pmax, 2, 0, 0, 0);
    receiveAlive(core, alive("n", "10.0.0.2", { Vsn }), "x");
    receiveAlive(core, alive("n", "10.0.0.2", { Vsn: Vsn.subarray(0, 3) }), "x");
  }
  assert.deepEqual(delegate.events, []);
  assert.equal(core.table.size, 1);
});

Deno.test("an unknown node without all versions, or with incarnation 0, is not taken in", () => {
  const { core, delegate, queued } = fakeCore();
  for (const length of [0, 1, 2, 3, 5]) {
    const Vsn = SERF_VERSIONS.subarray(0, length);
    receiveAlive(core, alive("n", "10.0.0.2", { Vsn }), "x");
  }
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 0 }), "x");
  assert.deepEqual([delegate.events, queued(), core.table.size], [[], [], 1]);
});

Deno.test("a known node keeps its versions when a message has too few", () => {
  const { core, node } = fakeCore();
  receiveAlive(core, alive("n", "10.0.0.2"), "x");
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 2, Vsn: Uint8Array.of(1, 5) }), "x");
  assert.equal(node("n").incarnation, 2);
  assert.deepEqual(node("n").versions, [1, 5, 2, 2, 5, 5]);
});

Deno.test("hostile alive messages leave no trace", () => {
  const { core, delegate, log } = fakeCore({ maxNodes: 3 });
  const hostile: Partial<Alive>[] = [
    { Addr: null },
    { Addr: new Uint8Array(5) },
    { Meta: new Uint8Array(513) },
    { Node: "x".repeat(769) },
  ];
  for (const fields of hostile) receiveAlive(core, alive("n", "10.0.0.2", fields), "10.9.9.9");
  assert.deepEqual(delegate.events, []);
  assert.equal(log.length, 1, "logged at most once a second");
  for (let i = 0; i < 10; i++) receiveAlive(core, alive(`n${i}`, `10.0.1.${i}`), "10.9.9.9");
  assert.equal(core.table.size, 3);
});

Deno.test("nothing that is remembered of a message is a view into its packet", () => {
  const { core, node } = fakeCore();
  const packet = new Uint8Array(64);
  const Addr = packet.subarray(0, 4);
  Addr.set([10, 0, 0, 2]);
  receiveAlive(core, alive("n", "10.0.0.2", { Addr, Meta: packet.subarray(4, 8) }), "x");
  packet.fill(99);
  assert.deepEqual(node("n").addr, hostToAddr("10.0.0.2"));
  assert.deepEqual(node("n").meta, new Uint8Array(4));
});

Deno.test("a known node with another address or port is a conflict, whatever its incarnation", () => {
  const { core, delegate, queued, node, log } = fakeCore();
  receiveAlive(core, alive("n", "10.0.0.2"), "x");
  queued();
  const other = alive("n", "10.0.0.3", { Incarnation: 9, Meta: bytes("theirs") });
  receiveAlive(core, other, "10.0.0.3");
  receiveAlive(core, alive("n", "10.0.0.2", { Port: 7_000 }), "10.0.0.3");
  assert.deepEqual(delegate.events, ["join n", "conflict n", "conflict n"]);
  assert.equal(delegate.conflicts[0]?.existing, node("n"));
  assert.deepEqual(delegate.conflicts[0]?.other.addr, hostToAddr("10.0.0.3"));
  assert.equal(node("n").incarnation, 1);
  assert.deepEqual(queued(), []);
  assert.deepEqual(log, [
    "error Conflicting address for n. Mine: 10.0.0.2:7946 Theirs: 10.0.0.3:7946 Old state: 0",
  ]);
});

Deno.test("the 4-byte and the mapped form of one address conflict", () => {
  const { core, delegate } = fakeCore();
  receiveAlive(core, alive("n", "10.0.0.2"), "x");
  const Addr = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 2);
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 2, Addr }), "x");
  assert.deepEqual(delegate.events, ["join n", "conflict n"]);
});

Deno.test("somebody else under the own name is a conflict and not refuted", () => {
  const { core, delegate, queued } = fakeCore();
  receiveAlive(core, alive("me", "10.0.0.9", { Incarnation: 50 }), "x");
  assert.deepEqual(delegate.events, ["conflict me"]);
  assert.deepEqual(queued(), []);
  assert.equal(core.own.incarnation, 1);
});

Deno.test("a node that left may come back with another address and a lower incarnation", () => {
  const { core, delegate, node, log } = fakeCore();
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 8 }), "x");
  receiveDead(core, accusation("n", "n", 8), "x");
  receiveAlive(core, alive("n", "10.0.0.3", { Incarnation: 1 }), "x");
  assert.deepEqual(delegate.events, ["join n", "leave n", "join n"]);
  assert.equal(node("n").incarnation, 1);
  assert.deepEqual(node("n").addr, hostToAddr("10.0.0.3"));
  assert.equal(node("n").host, "10.0.0.3");
  const text = "Updating address for left or failed node n from 10.0.0.2:7946 to 10.0.0.3:7946";
  assert.deepEqual(log, [`info ${text}`]);
});

Deno.test("a node that left comes back with its address only by a higher incarnation", () => {
  const { core, delegate, node } = fakeCore();
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 8 }), "x");
  receiveDead(core, accusation("n", "n", 8), "x");
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 8 }), "x");
  assert.equal(node("n").state, NodeState.left);
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 9 }), "x");
  assert.equal(node("n").state, NodeState.alive);
  assert.deepEqual(delegate.events, ["join n", "leave n", "join n"]);
});

Deno.test("the name of a dead node can be reclaimed only after the reclaim time", () => {
  const { core, delegate, clock, node } = fakeCore({ deadNodeReclaimTimeMs: 10_000 });
  receiveAlive(core, alive("n", "10.0.0.2"), "x");
  receiveDead(core, accusation("n", "other"), "x");
  clock.advanceSync(10_000);
  receiveAlive(core, alive("n", "10.0.0.3"), "x");
  assert.equal(node("n").state, NodeState.dead);
  clock.advanceSync(1);
  receiveAlive(core, alive("n", "10.0.0.3"), "x");
  assert.equal(node("n").state, NodeState.alive);
  assert.deepEqual(delegate.events, ["join n", "leave n", "conflict n", "join n"]);
});

Deno.test("the name of a dead node can never be reclaimed by default", () => {
  const { core, delegate, clock } = fakeCore();
  receiveAlive(core, alive("n", "10.0.0.2"), "x");
  receiveDead(core, accusation("n", "other"), "x");
  clock.advanceSync(1e9);
  receiveAlive(core, alive("n", "10.0.0.3", { Incarnation: 5 }), "x");
  assert.deepEqual(delegate.events, ["join n", "leave n", "conflict n"]);
});

Deno.test("a newer alive message ends a suspicion without an event", () => {
  const { core, delegate, clock, node } = fakeCore();
  receiveAlive(core, alive("n", "10.0.0.2"), "x");
  receiveSuspect(core, accusation("n", "other"), "x");
  receiveAlive(core, alive("n", "10.0.0.2"), "x");
  assert.equal(node("n").state, NodeState.suspect, "the same incarnation refutes nothing");
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: 2 }), "x");
  assert.equal(node("n").state, NodeState.alive);
  clock.advanceSync(1e6);
  assert.equal(node("n").state, NodeState.alive);
  assert.deepEqual(delegate.events, ["join n"]);
});

Deno.test("an alive message about the own node that is true or old changes nothing", () => {
  const { core, queued } = fakeCore();
  const own = alive("me", "10.0.0.1", { Vsn: Uint8Array.of(1, 5, 2, 0, 0, 0) });
  receiveAlive(core, own, "x");
  receiveAlive(core, { ...own, Incarnation: 0, Meta: bytes("old") }, "x");
  assert.deepEqual(queued(), []);
  assert.equal(core.awareness.score, 0);
});

Deno.test("an alive message about the own node that is wrong is refuted", () => {
  const wrong: [Partial<Alive>, number][] = [
    [{ Meta: bytes("not mine") }, 2],
    [{ Vsn: SERF_VERSIONS }, 2],
    [{ Vsn: null }, 2],
    [{ Incarnation: 40 }, 41],
  ];
  for (const [fields, incarnation] of wrong) {
    const { core, queued, node, delegate } = fakeCore();
    const own = { Vsn: Uint8Array.of(1, 5, 2, 0, 0, 0), ...fields };
    receiveAlive(core, alive("me", "10.0.0.1", own), "x");
    assert.deepEqual(queued(), [`alive me ${incarnation}`]);
    assert.equal(node("me").incarnation, incarnation);
    assert.equal(node("me").meta.length, 0);
    assert.equal(core.awareness.score, 1);
    assert.deepEqual(delegate.events, []);
  }
});

Deno.test("a node that leaves takes no alive message about itself", () => {
  const { core, queued, delegate } = fakeCore();
  core.own.leaving = true;
  receiveAlive(core, alive("me", "10.0.0.1", { Incarnation: 40 }), "x");
  receiveAlive(core, alive("me", "10.0.0.9", { Incarnation: 40 }), "x");
  assert.deepEqual([queued(), delegate.events, core.own.incarnation], [[], [], 1]);
});

Deno.test("the application may veto every alive message, and needs all versions to judge", () => {
  const { core, delegate } = fakeCore();
  const asked: string[] = [];
  delegate.notifyAlive = (node) => {
    asked.push(`${node.name} ${node.incarnation}`);
    return node.name === "bad" ? "not this one" : undefined;
  };
  receiveAlive(core, alive("bad", "10.0.0.2"), "x");
  receiveAlive(core, alive("good", "10.0.0.3"), "x");
  receiveAlive(core, alive("good", "10.0.0.3"), "x");
  receiveAlive(core, alive("good", "10.0.0.3", { Incarnation: 2, Vsn: null }), "x");
  announceSelf(core);
  assert.deepEqual(asked, ["bad 1", "good 1", "good 1", "me 2"]);
  assert.deepEqual(delegate.events, ["join good"]);
});

Deno.test("a new node and a new address must be in an allowed network", () => {
  const { core, delegate } = fakeCore({ allowedNetworks: [parseCidr("10.0.0.0/16")] });
  receiveAlive(core, alive("far", "10.1.0.2"), "x");
  const Addr = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 0, 0, 2);
  receiveAlive(core, alive("mapped", "10.0.0.2", { Addr }), "x");
  receiveAlive(core, alive("near", "10.0.0.3"), "x");
  receiveDead(core, accusation("near", "near"), "x");
  receiveAlive(core, alive("near", "10.1.0.3", { Incarnation: 2 }), "x");
  assert.deepEqual(delegate.events, ["join mapped", "join near", "leave near"]);
});

Deno.test("an oversized own meta is refused", () => {
  const { core, delegate } = fakeCore();
  delegate.meta = new Uint8Array(513);
  assert.throws(() => announceSelf(core), /Meta of the own node takes 513 of 512 bytes/);
});
