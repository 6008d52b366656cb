import assert from "node:assert/strict";
import { NodeState } from "../../../../cluster/memberlist/core/node.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { receiveDead } from "../../../../cluster/memberlist/rules/dead.ts";
import { nextIncarnation } from "../../../../cluster/memberlist/rules/refute.ts";
import { receiveSuspect } from "../../../../cluster/memberlist/rules/suspect.ts";
import { fakeCore } from "../../../support/memberlist/core_fake.ts";
import { accusation, alive } from "../../../support/memberlist/fakes.ts";

const TOP = 0xffff_ffff;
const MIDDLE = 0x8000_0000;
const STEP = 0x1_0000;

/** A core that has run for two minutes and knows "n" with an incarnation. */
function coreWith(incarnation: number) {
  const fake = fakeCore();
  fake.clock.advanceSync(120_000);
  receiveAlive(fake.core, alive("n", "10.0.0.2", { Incarnation: incarnation }), "x");
  fake.queued();
  fake.log.length = 0;
  return fake;
}

Deno.test("no message takes a node's incarnation to the end, where it could not refute any more", () => {
  const { core, node, queued, log } = coreWith(3);
  receiveSuspect(core, accusation("n", "zz", TOP), "10.0.0.9");
  receiveDead(core, accusation("n", "zz", TOP), "10.0.0.8");
  receiveAlive(core, alive("n", "10.0.0.2", { Incarnation: TOP }), "10.0.0.7");
  assert.deepEqual([node("n").state, node("n").incarnation], [NodeState.alive, 3]);
  assert.deepEqual(queued(), []);
  assert.deepEqual(log, Array(3).fill(`warn Ignoring incarnation ${TOP} of 'n', too far above 3`));
});

Deno.test("an accusation of the own node from the end is ignored, one from the middle refuted", () => {
  const { core, queued, node } = coreWith(3);
  receiveSuspect(core, accusation("me", "zz", TOP), "10.0.0.9");
  receiveDead(core, accusation("me", "zz", TOP), "10.0.0.8");
  receiveAlive(core, alive("me", "10.0.0.1", { Incarnation: TOP }), "10.0.0.7");
  assert.deepEqual([node("me").incarnation, queued()], [1, []]);
  receiveSuspect(core, accusation("me", "zz", MIDDLE + STEP), "10.0.0.9");
  assert.deepEqual(queued(), [`alive me ${MIDDLE + STEP + 1}`]);
});

Deno.test("above the middle one message moves an incarnation by 65,536 at most", () => {
  const { core, node } = coreWith(MIDDLE + 5);
  receiveSuspect(core, accusation("n", "zz", MIDDLE + 5 + STEP + 1), "x");
  assert.equal(node("n").state, NodeState.alive);
  receiveSuspect(core, accusation("n", "zz", MIDDLE + 5 + STEP), "x");
  assert.equal(node("n").state, NodeState.suspect);
});

Deno.test("a newcomer takes over how far others are, of nodes and of its own earlier life", () => {
  const far = MIDDLE + 1_000 * STEP;
  const { core, node, queued } = fakeCore();
  receiveAlive(core, alive("b", "10.0.0.3", { Incarnation: far }), "x");
  assert.equal(node("b").incarnation, far);
  queued();
  receiveSuspect(core, accusation("me", "b", far), "x");
  assert.deepEqual(queued(), [`alive me ${far + 1}`]);
  receiveAlive(core, alive("c", "10.0.0.4", { Incarnation: TOP }), "x");
  assert.equal(core.table.get("c"), undefined);
});

Deno.test("the own incarnation never wraps", () => {
  const own = { incarnation: TOP - 1, leaving: false };
  assert.deepEqual([nextIncarnation(own), nextIncarnation(own)], [TOP, TOP]);
});
