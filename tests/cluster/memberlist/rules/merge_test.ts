import assert from "node:assert/strict";
import { type MemberNode, NodeState } from "../../../../cluster/memberlist/core/node.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { mergeRemoteState } from "../../../../cluster/memberlist/rules/merge.ts";
import { checkProtocols } from "../../../../cluster/memberlist/rules/protocol_check.ts";
import type { PushNodeState } from "../../../../cluster/memberlist/wire/messages.ts";
import { hostToAddr } from "../../../../protocol/ip.ts";
import { fakeCore } from "../../../support/memberlist/core_fake.ts";
import { PORT } from "../../../support/memberlist/fake_network.ts";
import { alive } from "../../../support/memberlist/fakes.ts";

const VERSIONS = Uint8Array.of(1, 5, 2, 0, 0, 0);
const NOTHING = new Uint8Array(0);

function entry(name: string, host: string, fields: Partial<PushNodeState> = {}): PushNodeState {
  return {
    Name: name,
    Addr: hostToAddr(host),
    Port: PORT,
    Meta: null,
    Incarnation: 1,
    State: NodeState.alive,
    Vsn: VERSIONS,
    ...fields,
  };
}

function fakeWith(...names: string[]) {
  const fake = fakeCore();
  for (const [i, name] of names.entries()) {
    receiveAlive(fake.core, alive(name, `10.0.0.${2 + i}`, { Vsn: VERSIONS }), "x");
  }
  fake.queued();
  fake.delegate.events.length = 0;
  return fake;
}

Deno.test("an alive entry adds or renews the node, a left entry makes it left", async () => {
  const { core, node, delegate } = fakeWith("a", "b");
  const nodes = [
    entry("new", "10.0.1.1"),
    entry("a", "10.0.0.2", { Incarnation: 5 }),
    entry("b", "10.0.0.3", { State: NodeState.left }),
    entry("unknown", "10.0.1.2", { State: NodeState.left }),
  ];
  await mergeRemoteState(core, { nodes, userState: NOTHING }, { join: false }, "x");
  assert.equal(node("a").incarnation, 5);
  assert.equal(node("b").state, NodeState.left);
  assert.deepEqual(delegate.events, ["join new", "leave b"]);
  assert.equal(core.table.size, 4);
});

Deno.test("a suspect or dead entry is only suspected, by the own node", async () => {
  for (const State of [NodeState.suspect, NodeState.dead]) {
    const { core, node, delegate, queued } = fakeWith("a");
    const nodes = [entry("a", "10.0.0.2", { State }), entry("b", "10.0.0.9", { State })];
    await mergeRemoteState(core, { nodes, userState: NOTHING }, { join: false }, "x");
    assert.equal(node("a").state, NodeState.suspect);
    assert.deepEqual(queued(), ["suspect a 1 by me"]);
    assert.deepEqual(delegate.events, []);
    assert.equal(core.table.size, 2);
  }
});

Deno.test("an entry in an unknown state is ignored", async () => {
  const { core, node } = fakeWith("a");
  const nodes = [4, -1, 77].map((State) => entry("a", "10.0.0.2", { State, Incarnation: 9 }));
  await mergeRemoteState(core, { nodes, userState: NOTHING }, { join: false }, "x");
  assert.equal(node("a").incarnation, 1);
});

Deno.test("a dead or older self in a peer's state is refuted", async () => {
  const { core, queued } = fakeWith();
  const nodes = [entry("me", "10.0.0.1", { State: NodeState.dead, Incarnation: 12 })];
  await mergeRemoteState(core, { nodes, userState: NOTHING }, { join: false }, "x");
  assert.deepEqual(queued(), ["alive me 13"]);
});

Deno.test("port 0 stands for the own port", async () => {
  const { core, node } = fakeWith();
  await mergeRemoteState(
    core,
    { nodes: [entry("a", "10.0.0.2", { Port: 0 })], userState: NOTHING },
    { join: true },
    "x",
  );
  assert.equal(node("a").port, PORT);
});

Deno.test("the application's state is merged last, and only when there is one", async () => {
  const { core, delegate } = fakeWith();
  const userState = new TextEncoder().encode("theirs");
  await mergeRemoteState(core, { nodes: [entry("a", "10.0.0.2")], userState }, { join: true }, "x");
  await mergeRemoteState(core, { nodes: [], userState: NOTHING }, { join: true }, "x");
  assert.deepEqual(delegate.events, ["join a", "merge theirs true"]);
});

Deno.test("the application may refuse to merge on a join, and is only asked then", async () => {
  const { core, delegate } = fakeWith();
  const asked: MemberNode[][] = [];
  delegate.notifyMerge = (nodes) => {
    asked.push(nodes);
    return "wrong cluster";
  };
  const nodes = [entry("a", "10.0.0.2", { State: NodeState.left, Vsn: VERSIONS })];
  await assert.rejects(
    () => mergeRemoteState(core, { nodes, userState: NOTHING }, { join: true }, "x"),
    {
      name: "MergeRefusedError",
      message: "wrong cluster",
    },
  );
  assert.deepEqual(asked[0]?.[0], {
    name: "a",
    addr: hostToAddr("10.0.0.2"),
    host: "10.0.0.2",
    port: PORT,
    meta: NOTHING,
    incarnation: 1,
    state: NodeState.left,
    versions: [1, 5, 2, 0, 0, 0],
  });
  await mergeRemoteState(
    core,
    { nodes: [entry("a", "10.0.0.2")], userState: NOTHING },
    { join: false },
    "x",
  );
  assert.equal(asked.length, 1);
  assert.deepEqual(delegate.events, ["join a"]);
});

Deno.test("nothing is merged when one node does not fit the protocol", async () => {
  const { core, delegate } = fakeWith();
  const nodes = [entry("a", "10.0.0.2"), entry("old", "10.0.0.3", { Vsn: null })];
  await assert.rejects(
    () => mergeRemoteState(core, { nodes, userState: NOTHING }, { join: false }, "x"),
    /node 'old' protocol version \(0\) is incompatible: \[1, 5\]/,
  );
  assert.deepEqual(delegate.events, []);
});

Deno.test("every remembered node must speak what every alive one understands", () => {
  const { node } = fakeWith();
  const local = [node("me")];
  const check = (...remote: Partial<PushNodeState>[]) => {
    try {
      checkProtocols(remote.map((fields, i) => entry(`n${i}`, "10.0.0.2", fields)), local);
      return "fits";
    } catch (error) {
      return (error as Error).message;
    }
  };
  const vsn = (...numbers: number[]) => ({ Vsn: Uint8Array.from(numbers) });
  assert.equal(check({}), "fits");
  assert.equal(check(), "fits");
  assert.equal(
    check(vsn(1, 5, 6, 0, 0, 0)),
    "node 'n0' protocol version (6) is incompatible: [1, 5]",
  );
  assert.equal(
    check(vsn(3, 5, 3, 0, 0, 0)),
    "node 'me' protocol version (2) is incompatible: [3, 5]",
  );
  assert.equal(
    check(vsn(1, 5, 2, 2, 5, 5)),
    "node 'n0' delegate protocol version (5) is incompatible: [2, 0]",
  );
  const dead = { ...vsn(3, 4, 3, 0, 0, 0), State: NodeState.dead };
  assert.equal(check(dead), "fits", "a dead node does not narrow the ranges");
  const deadTooNew = { ...vsn(1, 9, 9, 0, 0, 0), State: NodeState.dead };
  assert.match(check(deadTooNew), /protocol version \(9\)/, "but it has to fit them");
  assert.match(check(vsn(9, 9, 9)), /n0' protocol version \(0\) is incompatible: \[1, 5\]/);
  assert.match(check(vsn(1, 5, 2, 0, 0)), /n0' protocol version \(0\) is incompatible: \[1, 5\]/);
});
