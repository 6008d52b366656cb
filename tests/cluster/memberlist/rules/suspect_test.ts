import assert from "node:assert/strict";
import { NodeState } from "../../../../cluster/memberlist/core/node.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { receiveDead } from "../../../../cluster/memberlist/rules/dead.ts";
import { receiveSuspect } from "../../../../cluster/memberlist/rules/suspect.ts";
import { fakeCore } from "../../../support/memberlist/core_fake.ts";
import { accusation, alive } from "../../../support/memberlist/fakes.ts";

/** A core that knows "n" and enough others that `size` nodes are known. */
function coreWith(size: number) {
  const fake = fakeCore();
  receiveAlive(fake.core, alive("n", "10.0.0.2", { Incarnation: 3 }), "x");
  for (let i = 2; i < size; i++) receiveAlive(fake.core, alive(`o${i}`, `10.0.1.${i}`), "x");
  fake.queued();
  fake.delegate.events.length = 0;
  return fake;
}

Deno.test("a suspicion is gossiped, recorded and silent towards the application", () => {
  const { core, queued, node, delegate, clock } = coreWith(6);
  clock.advanceSync(5);
  receiveSuspect(core, accusation("n", "o2", 3), "x");
  assert.equal(node("n").state, NodeState.suspect);
  assert.equal(core.table.get("n")?.changedAt, 5);
  assert.deepEqual(queued(), ["suspect n 3 by o2"]);
  assert.deepEqual(delegate.events, []);
});

Deno.test("a suspicion takes over a higher incarnation", () => {
  const { core, node } = coreWith(6);
  receiveSuspect(core, accusation("n", "o2", 9), "x");
  assert.equal(node("n").incarnation, 9);
});

Deno.test("a suspicion of an unknown node or of an old incarnation is ignored", () => {
  const { core, queued, node } = coreWith(6);
  receiveSuspect(core, accusation("stranger", "o2", 3), "x");
  receiveSuspect(core, accusation("n", "o2", 2), "x");
  assert.equal(node("n").state, NodeState.alive);
  assert.deepEqual(queued(), []);
});

Deno.test("a suspicion of a dead node is ignored", () => {
  const { core, queued, node } = coreWith(6);
  receiveDead(core, accusation("n", "o2", 3), "x");
  queued();
  receiveSuspect(core, accusation("n", "o3", 3), "x");
  assert.equal(node("n").state, NodeState.dead);
  assert.deepEqual(queued(), []);
});

Deno.test("confirmations are gossiped while they are news, and at most twice", () => {
  const { core, queued } = coreWith(6);
  receiveSuspect(core, accusation("n", "o2", 3), "x");
  queued();
  receiveSuspect(core, accusation("n", "o2", 3), "x");
  assert.deepEqual(queued(), []);
  receiveSuspect(core, accusation("n", "o3", 3), "x");
  assert.deepEqual(queued(), ["suspect n 3 by o3"]);
  receiveSuspect(core, accusation("n", "o4", 3), "x");
  assert.deepEqual(queued(), ["suspect n 3 by o4"]);
  receiveSuspect(core, accusation("n", "o5", 3), "x");
  assert.deepEqual(queued(), []);
});

for (const [confirmations, ms] of [[0, 24_000], [1, 11_381], [2, 4_000], [3, 4_000]] as const) {
  Deno.test(`among 6 nodes a suspect with ${confirmations} confirmations dies after ${ms} ms`, () => {
    const { core, queued, node, delegate, clock, log } = coreWith(6);
    receiveSuspect(core, accusation("n", "o2", 3), "x");
    for (let i = 0; i < confirmations; i++) {
      receiveSuspect(core, accusation("n", `o${3 + i}`, 3), "x");
    }
    queued();
    clock.advanceSync(ms - 1);
    assert.equal(node("n").state, NodeState.suspect);
    clock.advanceSync(1);
    assert.equal(node("n").state, NodeState.dead);
    assert.deepEqual(queued(), ["dead n 3 by me"]);
    assert.deepEqual(delegate.events, ["leave n"]);
    const agreed = Math.min(2, confirmations);
    assert.deepEqual(log, [
      `info Marking n as failed, suspect timeout reached (${agreed} peer confirmations)`,
    ]);
  });
}

Deno.test("a suspicion of the own node is refuted above the accusing incarnation", () => {
  const { core, queued, node, log } = coreWith(6);
  receiveSuspect(core, accusation("me", "n", 40), "10.0.0.2");
  assert.equal(node("me").incarnation, 41);
  assert.equal(node("me").state, NodeState.alive);
  assert.equal(core.awareness.score, 1);
  assert.deepEqual(queued(), ["alive me 41"]);
  assert.deepEqual(log, ["warn Refuting a suspect message (from: n)"]);
  receiveSuspect(core, accusation("me", "n", 40), "10.0.0.2");
  assert.equal(core.awareness.score, 1, "an old accusation needs no refutation");
});

Deno.test("a refutation is queued under the own IP address and displaces nothing", () => {
  const { core, queued } = coreWith(6);
  core.broadcasts.enqueue({ name: "me", message: Uint8Array.of(8, 65) });
  receiveSuspect(core, accusation("me", "n", 1), "x");
  receiveSuspect(core, accusation("me", "n", 2), "x");
  assert.deepEqual(queued(), ["alive me 3", "user A"]);
});
