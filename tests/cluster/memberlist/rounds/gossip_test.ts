import assert from "node:assert/strict";
import type { MemberlistConfig } from "../../../../cluster/memberlist/core/config.ts";
import { gossip } from "../../../../cluster/memberlist/rounds/gossip.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { receiveDead } from "../../../../cluster/memberlist/rules/dead.ts";
import { receiveSuspect } from "../../../../cluster/memberlist/rules/suspect.ts";
import { fakeCore, inShort } from "../../../support/memberlist/core_fake.ts";
import { accusation, alive } from "../../../support/memberlist/fakes.ts";

function setUp(others: number, overrides: Partial<MemberlistConfig> = {}) {
  const fake = fakeCore(overrides);
  for (let i = 0; i < others; i++) {
    receiveAlive(fake.core, alive(`n${i}`, `10.0.1.${i}`), "x");
  }
  fake.queued();
  return fake;
}

const news = new TextEncoder().encode("news");

Deno.test("a round of gossip goes to three different nodes and counts as three transmissions", () => {
  const { core, sent } = setUp(9);
  core.broadcasts.enqueue({ message: Uint8Array.of(8, ...news) });
  gossip(core);
  const packets = sent();
  assert.equal(new Set(packets.map(({ to }) => to)).size, 3);
  assert.deepEqual(packets.map(({ messages }) => messages.map(inShort)), [
    ["user news"],
    ["user news"],
    ["user news"],
  ]);
  let rest = 0;
  while (core.broadcasts.length > 0) rest += core.broadcasts.take(0, 100).length;
  assert.equal(rest, 8 - 3, "10 nodes: 4 x 2 transmissions");
});

Deno.test("a round of gossip ends when there is nothing more to send", () => {
  const { core, sent, delegate } = setUp(9);
  gossip(core);
  assert.deepEqual(sent(), []);
  delegate.broadcasts.push(news);
  gossip(core);
  assert.equal(sent().length, 1);
});

Deno.test("broadcasts wait while there is nobody to gossip to", () => {
  const { core, sent } = setUp(0);
  core.broadcasts.enqueue({ message: Uint8Array.of(8, ...news) });
  for (let i = 0; i < 20; i++) gossip(core);
  assert.deepEqual(sent(), []);
  assert.equal(core.broadcasts.length, 1);
});

Deno.test("suspects and the recently dead are gossiped to, the left and the long dead are not", () => {
  const { core, clock, sent, queued, delegate } = setUp(4, { gossipNodes: 10 });
  receiveSuspect(core, accusation("n0", "o"), "x");
  receiveDead(core, accusation("n1", "o"), "x");
  receiveDead(core, accusation("n2", "n2"), "x");
  queued();
  const targets = () => {
    for (let i = 0; i < 10; i++) delegate.broadcasts.push(new Uint8Array(1_000));
    gossip(core);
    delegate.broadcasts.length = 0;
    queued();
    return sent().map(({ to }) => to).sort();
  };
  core.table.get("n0")?.suspicion?.cancel();
  clock.advanceSync(30_000);
  assert.deepEqual(targets(), ["10.0.1.0", "10.0.1.1", "10.0.1.3"]);
  clock.advanceSync(1);
  assert.deepEqual(targets(), ["10.0.1.0", "10.0.1.3"]);
});
