import assert from "node:assert/strict";
import { GossipPace } from "../../../../cluster/memberlist/rounds/gossip_pace.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { receiveDead } from "../../../../cluster/memberlist/rules/dead.ts";
import { fakeCore } from "../../../support/memberlist/core_fake.ts";
import { accusation, alive } from "../../../support/memberlist/fakes.ts";

/** Ten nodes of the LAN profile: a message is sent 8 times, in rounds of 3, once in 200 ms. */
function setUp() {
  const fake = fakeCore();
  for (let i = 0; i < 9; i++) receiveAlive(fake.core, alive(`n${i}`, `10.0.1.${i}`), "x");
  fake.queued();
  const pace = new GossipPace(fake.core);
  fake.core.onNews = () => pace.soon();
  const news = () => fake.core.broadcasts.enqueue({ message: Uint8Array.of(8, 1) });
  return { ...fake, pace, news };
}

/** Packets that are sent within `ms` milliseconds from now, by the millisecond in which they leave. */
function sentAt({ clock, sent }: ReturnType<typeof setUp>, ms: number): Record<number, number> {
  const found: Record<number, number> = {};
  for (let at = 0; at <= ms; at++) {
    clock.advanceSync(at === 0 ? 0 : 1);
    const { length } = sent();
    if (length > 0) found[at] = length;
  }
  return found;
}

Deno.test("after a quiet time news leaves at once, as often as the protocol says", () => {
  const fake = setUp();
  fake.clock.advanceSync(10_000);
  fake.news();
  assert.deepEqual(sentAt(fake, 200), { 0: 3, 10: 3, 133: 2 }, "the rest goes with a tick");
  assert.equal(fake.core.broadcasts.length, 0);
});

Deno.test("rounds are not saved up for more than one message", () => {
  const fake = setUp();
  fake.clock.advanceSync(3_600_000);
  fake.news();
  sentAt(fake, 40);
  fake.news();
  const later = sentAt(fake, 700);
  assert.equal(Object.keys(later).length, 3, "one per interval");
  assert.equal(Math.min(...Object.keys(later).map(Number)) > 40, true);
});

Deno.test("only half of the rounds that were not needed are saved", () => {
  const fake = setUp();
  fake.clock.advanceSync(10_000);
  fake.news();
  sentAt(fake, 799);
  fake.news();
  const early = Object.keys(sentAt(fake, 20));
  assert.equal(
    early.length,
    1,
    "three intervals after the last tick",
  );
});

Deno.test("a node with news all the time sends no more rounds than one per interval", () => {
  const fake = setUp();
  let packets = 0;
  for (let i = 0; i < 1_000; i++) {
    fake.news();
    fake.clock.advanceSync(10);
    packets += fake.sent().length;
  }
  assert.ok(packets <= 50 * 3 + 3 * 3, `${packets} packets in 50 intervals`);
});

Deno.test("what is queued in one turn leaves in one packet", () => {
  const fake = setUp();
  fake.clock.advanceSync(10_000);
  for (let i = 0; i < 5; i++) fake.news();
  fake.clock.advanceSync(0);
  assert.deepEqual(fake.sent().map(({ messages }) => messages.length), [5, 5, 5]);
});

Deno.test("nodes whose savings are spent at the same moment go on at different ones", () => {
  const moments = [0, 0.25, 0.5].map((part) => {
    const fake = setUp();
    const random = { ...fake.core.random, float: () => part };
    const pace = new GossipPace({ ...fake.core, random });
    random.float = fake.core.random.float;
    fake.core.onNews = () => pace.soon();
    fake.clock.advanceSync(10_000);
    fake.news();
    return Object.keys(sentAt(fake, 200)).map(Number);
  });
  const [first, ...others] = moments.map((at) => at[2]!);
  assert.deepEqual(others.map((at) => (at - first! + 200) % 200), [50, 100]);
});

Deno.test("a node that was alone has saved for a large cluster, and spends it with the first news", () => {
  const fake = fakeCore();
  const pace = new GossipPace(fake.core);
  fake.core.onNews = () => pace.soon();
  fake.clock.advanceSync(10_000);
  for (let i = 0; i < 9; i++) receiveAlive(fake.core, alive(`n${i}`, `10.0.1.${i}`), "x");
  assert.deepEqual(sentAt({ ...fake, pace, news() {} }, 100), { 0: 3, 10: 3, 20: 2 });
});

Deno.test("a node without news is not woken", () => {
  const fake = setUp();
  fake.clock.advanceSync(10_000);
  fake.news();
  fake.clock.advanceSync(1_000);
  assert.equal(fake.core.broadcasts.length, 0);
  assert.equal(fake.clock.pending, 0);
});

Deno.test("with nobody there, news waits for a node without a timer, and goes out to it", () => {
  const fake = fakeCore();
  fake.queued();
  const pace = new GossipPace(fake.core);
  fake.core.onNews = () => pace.soon();
  fake.clock.advanceSync(10_000);
  fake.core.broadcasts.enqueue({ message: Uint8Array.of(8, 1) });
  fake.clock.advanceSync(1_000);
  assert.deepEqual(fake.sent(), []);
  assert.equal(fake.core.broadcasts.length, 1);
  assert.equal(fake.clock.pending, 0);
  receiveAlive(fake.core, alive("n0", "10.0.1.0"), "x");
  fake.clock.advanceSync(10);
  assert.equal(fake.sent()[0]?.messages.length, 2);
});

Deno.test("while the others are dead, news waits for one of them to come back", () => {
  const fake = fakeCore();
  receiveAlive(fake.core, alive("n0", "10.0.1.0"), "x");
  receiveDead(fake.core, accusation("n0", "n0"), "x");
  fake.queued();
  const pace = new GossipPace(fake.core);
  fake.core.onNews = () => pace.soon();
  fake.core.broadcasts.enqueue({ message: Uint8Array.of(8, 1) });
  fake.clock.advanceSync(10_000);
  assert.deepEqual(fake.sent(), []);
  receiveAlive(fake.core, { ...alive("n0", "10.0.1.0"), Incarnation: 2 }, "x");
  fake.clock.advanceSync(200);
  assert.equal(fake.sent()[0]?.messages.length, 2);
});

Deno.test("where gossip is switched off, news does not leave early either", () => {
  const fake = fakeCore({ gossipNodes: 0 });
  receiveAlive(fake.core, alive("n0", "10.0.1.0"), "x");
  fake.queued();
  const pace = new GossipPace(fake.core);
  fake.core.onNews = () => pace.soon();
  fake.clock.advanceSync(10_000);
  fake.core.broadcasts.enqueue({ message: Uint8Array.of(8, 1) });
  fake.clock.advanceSync(1_000);
  assert.deepEqual(fake.sent(), []);
});
