import assert from "node:assert/strict";
import type { MemberNode, SharedKnowledge } from "../../../../cluster/memberlist/core/node.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { receiveDead } from "../../../../cluster/memberlist/rules/dead.ts";
import { receiveSuspect } from "../../../../cluster/memberlist/rules/suspect.ts";
import { ManualClock } from "../../../support/manual_clock.ts";
import { fakeCore } from "../../../support/memberlist/core_fake.ts";
import { FakeNetwork } from "../../../support/memberlist/fake_network.ts";
import { accusation, alive, startNode } from "../../../support/memberlist/fakes.ts";

/** Keeps one node for each name, incarnation and state. */
function holder(known: readonly MemberNode[] = []): SharedKnowledge {
  const held = new Map<string, MemberNode>();
  const intern = (node: MemberNode): MemberNode => {
    const key = `${node.name} ${node.incarnation} ${node.state}`;
    const equal = held.get(key) ?? node;
    held.set(key, equal);
    return equal;
  };
  return { known, intern, views: new WeakMap() };
}

Deno.test("members that share their knowledge keep the same object for the same fact", () => {
  const shared = holder();
  const [a, b] = [fakeCore({ shared }), fakeCore({ shared })];
  for (const { core } of [a, b]) receiveAlive(core, alive("n", "10.0.0.2"), "x");
  assert.equal(a.node("n"), b.node("n"));
  for (const { core } of [a, b]) receiveSuspect(core, accusation("n", "y", 1), "x");
  assert.equal(a.node("n"), b.node("n"));
  receiveDead(a.core, accusation("n", "y", 1), "x");
  assert.notEqual(a.node("n"), b.node("n"));
  receiveDead(b.core, accusation("n", "z", 1), "x");
  assert.equal(a.node("n"), b.node("n"));
});

Deno.test("nodes that are known from the start have joined, and nobody is told of them", async () => {
  const source = fakeCore();
  receiveAlive(source.core, alive("n", "10.0.0.2"), "x");
  const known = [source.node("me"), source.node("n")];
  const network = new FakeNetwork(new ManualClock());
  const { delegate, list } = startNode(network, "me", "10.0.0.1", {
    overrides: { shared: { known, intern: (node) => node, views: new WeakMap() } },
  });
  assert.deepEqual(delegate.events, ["join me", "join n"]);
  const [me, n] = ["me", "n"].map((name) => list.members().find((node) => node.name === name));
  assert.equal(n, known[1]);
  assert.notEqual(me, known[0]);
  assert.deepEqual(network.packets, []);
  await list.shutdown();
});
