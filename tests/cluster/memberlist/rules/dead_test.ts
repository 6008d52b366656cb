import assert from "node:assert/strict";
import { NodeState } from "../../../../cluster/memberlist/core/node.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { announceLeave, receiveDead } from "../../../../cluster/memberlist/rules/dead.ts";
import { receiveSuspect } from "../../../../cluster/memberlist/rules/suspect.ts";
import { fakeCore } from "../../../support/memberlist/core_fake.ts";
import { accusation, alive } from "../../../support/memberlist/fakes.ts";

function coreWithNode() {
  const fake = fakeCore();
  receiveAlive(fake.core, alive("n", "10.0.0.2", { Incarnation: 3 }), "x");
  fake.queued();
  fake.delegate.events.length = 0;
  return fake;
}

Deno.test("a dead message from another node means failed, from the node itself left", () => {
  for (const [from, state] of [["other", NodeState.dead], ["n", NodeState.left]] as const) {
    const { core, queued, node, delegate, clock } = coreWithNode();
    clock.advanceSync(9);
    receiveDead(core, accusation("n", from, 4), "x");
    assert.equal(node("n").state, state);
    assert.equal(node("n").incarnation, 4);
    assert.equal(core.table.get("n")?.changedAt, 9);
    assert.deepEqual(queued(), [`dead n 4 by ${from}`]);
    assert.deepEqual(delegate.events, ["leave n"]);
  }
});

Deno.test("a dead message about an unknown node or an old incarnation is ignored", () => {
  const { core, queued, node, delegate } = coreWithNode();
  receiveDead(core, accusation("stranger", "other", 3), "x");
  receiveDead(core, accusation("n", "other", 2), "x");
  assert.equal(node("n").state, NodeState.alive);
  assert.deepEqual([queued(), delegate.events], [[], []]);
});

Deno.test("a dead node does not become left, nor a left one dead", () => {
  for (const [first, second] of [["other", "n"], ["n", "other"]] as const) {
    const { core, queued, node, delegate } = coreWithNode();
    receiveDead(core, accusation("n", first, 3), "x");
    const { state } = node("n");
    queued();
    receiveDead(core, accusation("n", second, 9), "x");
    assert.equal(node("n").state, state);
    assert.deepEqual(queued(), []);
    assert.deepEqual(delegate.events, ["leave n"]);
  }
});

Deno.test("a dead message ends a suspicion", () => {
  const { core, clock, delegate } = coreWithNode();
  receiveSuspect(core, accusation("n", "other", 3), "x");
  receiveDead(core, accusation("n", "other", 3), "x");
  assert.equal(clock.pending, 0);
  assert.deepEqual(delegate.events, ["leave n"]);
});

Deno.test("a dead message about the own node is refuted", () => {
  const { core, queued, node, delegate, log } = coreWithNode();
  receiveDead(core, accusation("me", "n", 5), "10.0.0.2");
  assert.equal(node("me").state, NodeState.alive);
  assert.deepEqual(queued(), ["alive me 6"]);
  assert.equal(core.awareness.score, 1);
  assert.deepEqual(delegate.events, []);
  assert.deepEqual(log, ["warn Refuting a dead message (from: n)"]);
});

Deno.test("a node that leaves declares itself left and is told when that was spread", () => {
  const { core, node, delegate } = coreWithNode();
  core.own.leaving = true;
  let finished = 0;
  announceLeave(core, () => finished++);
  assert.equal(node("me").state, NodeState.left);
  assert.deepEqual(delegate.events, ["leave me"]);
  for (let sent = 0; sent < 4; sent++) {
    assert.equal(finished, 0);
    assert.equal(core.broadcasts.take(2, 1_000).length, 1);
  }
  assert.equal(finished, 1);
});

Deno.test("a node that has left does not refute", () => {
  const { core, queued } = coreWithNode();
  core.own.leaving = true;
  announceLeave(core, () => {});
  queued();
  receiveDead(core, accusation("me", "n", 5), "x");
  receiveSuspect(core, accusation("me", "n", 5), "x");
  assert.deepEqual(queued(), []);
  assert.equal(core.own.incarnation, 1);
});
