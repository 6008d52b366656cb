/**
 * Publishing and subscribing, at one agent and between some.
 *
 * @module
 */

import assert from "node:assert/strict";
import { type Interest, interestOf } from "../../../cluster/pubsub/mod.ts";
import { PeerInterests } from "../../../cluster/pubsub/peer_interests.ts";
import { ManualClock } from "../../support/manual_clock.ts";
import { ChannelAgent, connectedAgents, type Hearer, told } from "../../support/pubsub/agents.ts";

Deno.test("a message goes to each subscriber once, with who published it where, and its number", async () => {
  const agent = new ChannelAgent("alpha");
  const one = agent.hearer("a^b", "a^*");
  const two = agent.hearer("a^**");
  const other = agent.hearer("b");
  assert.equal(agent.publish("a^b", { x: [1] }, 'me "'), 2);
  assert.equal(agent.publish("a^b^c", null), 1);
  assert.equal(agent.publish("none", 1), 0);
  assert.equal(agent.publish("a^b", 2), 2);
  await told();
  assert.deepEqual(one.pushes, [
    { push: "message", channel: "a^b", message: { x: [1] }, from: 'me "', node: "alpha", seq: 1 },
    { push: "message", channel: "a^b", message: 2, from: "me", node: "alpha", seq: 2 },
  ]);
  assert.deepEqual(two.heard, [
    'a^b {"x":[1]} by a^**',
    "a^b^c null by a^**",
    "a^b 2 by a^**",
  ]);
  assert.deepEqual(other.heard, []);
});

Deno.test("subscribers of one thing share the bytes of its messages", async () => {
  const agent = new ChannelAgent("alpha");
  const hearers = ["a", "a", "*", "*"].map((text) => agent.hearer(text));
  agent.publish("a", 1);
  const others = ["b^c", "b^c"].map((text) => agent.hearer(text));
  for (let i = 0; i < 3; i++) agent.publish("b^c", i);
  await told();
  const [five, six] = others.map(({ lines }) => lines);
  assert.ok(five?.length === 1 && five[0] === six?.[0], "all of one turn at once");
  for (let i = 0; i < 4; i++) agent.publish("b^c", "x".repeat(200 * 1024));
  await told();
  assert.equal(others[0]?.lines.length, 3, "not more of it than some hundred KiB");
  const [one, two, three, four] = hearers.map(({ lines }) => lines[0]);
  assert.ok(one !== undefined && one === two && three !== undefined && three === four);
});

Deno.test("much that comes to many is gathered over some turns, unless something else has to come after it", async () => {
  const clock = new ManualClock();
  const agent = new ChannelAgent("alpha", clock);
  const many = Array.from({ length: 32 }, () => agent.hearer("a"));
  const one = many[0] as Hearer;
  const take = () => one.heard.splice(0);
  for (const i of [1, 2]) {
    agent.publish("a", i);
    await told();
    assert.deepEqual(take(), [`a ${i}`], "one at a time comes at once");
  }
  agent.publish("a", 3);
  agent.publish("a", 4);
  await told();
  assert.deepEqual(take(), ["a 3", "a 4"]);
  for (const i of [5, 6, 7]) {
    agent.publish("a", i);
    await told();
  }
  assert.deepEqual(take(), []);
  await clock.advance(1);
  assert.deepEqual(take(), ["a 5", "a 6", "a 7"]);
  agent.publish("a", 8);
  agent.pubsub.subscribe(one.subscriber, interestOf("b") as Interest);
  assert.deepEqual(take(), ["a 8"]);
  agent.publish("a", 9);
  agent.publish("b", 10);
  assert.deepEqual(take(), ["a 9"]);
  await told();
  assert.deepEqual(take(), ["b 10"]);
  assert.equal(clock.pending, 0);
  const few = agent.hearer("c");
  for (const i of [1, 2, 3, 4]) {
    agent.publish("c", i);
    if (i % 2 === 0) await told();
  }
  assert.deepEqual(few.heard, ["c 1", "c 2", "c 3", "c 4"], "a few need not wait");
  const crowd = Array.from({ length: 256 }, () => agent.hearer("d"));
  agent.publish("d", 1);
  await told();
  assert.deepEqual(crowd[0]?.heard, []);
  await clock.advance(1);
  assert.deepEqual(crowd[0]?.heard, ["d 1"]);
});

Deno.test("the order holds across channels, and with who comes and goes in the same turn", async () => {
  const agent = new ChannelAgent("alpha");
  const one = agent.hearer("a", "b");
  const two = agent.hearer("a^*", "a^**");
  for (const [channel, message] of [["a", 1], ["a", 2], ["b", 3], ["a^x", 4], ["a", 5]] as const) {
    agent.publish(channel, message);
  }
  const late = agent.hearer("a");
  agent.publish("a", 6);
  agent.pubsub.leave(one.subscriber);
  agent.publish("a", 7);
  await told();
  assert.deepEqual(one.heard, ["a 1", "a 2", "b 3", "a 5", "a 6"]);
  assert.deepEqual(two.heard, ["a^x 4 by a^*"]);
  assert.deepEqual(late.heard, ["a 6", "a 7"]);
  assert.equal(agent.pubsub.figures.delivered, 8);
});

Deno.test("who unsubscribes or leaves hears no more", async () => {
  const agent = new ChannelAgent("alpha");
  const one = agent.hearer("a", "b", "c");
  agent.pubsub.unsubscribe(one.subscriber, "a");
  agent.pubsub.unsubscribe(one.subscriber, "never");
  for (const channel of ["a", "b", "c"]) agent.publish(channel, 1);
  await told();
  assert.deepEqual(one.heard, ["b 1", "c 1"]);
  assert.deepEqual(agent.pubsub.figures, {
    subscribers: 1,
    subscriptions: 2,
    published: 3,
    delivered: 2,
    dropped: 0,
  });
  agent.pubsub.leave(one.subscriber);
  assert.equal(agent.publish("b", 1), 0);
  const { subscribers, subscriptions } = agent.pubsub.figures;
  assert.deepEqual([subscribers, subscriptions], [0, 0]);
  assert.ok(!agent.pubsub.isListening);
});

Deno.test("subscribers of all agents hear, each agent is sent a message once, and only those that want it", async () => {
  const [a, b, c] = connectedAgents("a", "b", "c") as [ChannelAgent, ChannelAgent, ChannelAgent];
  const hearers = [a, b, b].map((agent) => agent.hearer("x^*", "x^1"));
  await told();
  const before = a.sent;
  assert.equal(a.publish("x^1", "m"), 2);
  assert.equal(a.sent - before, 1);
  assert.equal(c.publish("x^2", "n"), 2);
  await told();
  for (const { heard } of hearers) assert.deepEqual(heard, ['x^1 "m" by x^*', 'x^2 "n" by x^*']);
  assert.deepEqual(hearers[2]?.pushes.map(({ node, seq }) => [node, seq]), [["a", 1], ["c", 1]]);
  b.pubsub.unsubscribe(hearers[1]?.subscriber as never, "x^*");
  await told();
  assert.equal(a.publish("x^3", 1), 2, "the other subscriber still wants it");
  b.pubsub.leave(hearers[2]?.subscriber as never);
  await told();
  assert.equal(a.publish("x^3", 1), 1);
  assert.equal(a.publish("x^1", 1), 2);
});

Deno.test("an agent that is gone is forgotten at once, and one that comes back hears again", async () => {
  const [a, b] = connectedAgents("a", "b") as [ChannelAgent, ChannelAgent];
  const hearer = b.hearer("x");
  await told();
  assert.equal(a.publish("x", 1), 1);
  a.isFull = true;
  assert.equal(a.publish("x", "dropped"), 0);
  a.cut(b);
  a.isFull = false;
  assert.equal(a.publish("x", 2), 0);
  b.hearer("y");
  await told();
  a.connect(b);
  a.pubsub.tick();
  assert.equal(a.publish("x", 3), 1);
  assert.equal(a.publish("y", 3), 1);
  await told();
  assert.deepEqual(hearer.heard, ["x 1", "x 3"]);
  assert.deepEqual(hearer.pushes.map(({ seq }) => seq), [1, 4], "the gap is seen");
});

Deno.test("what another agent does not take is counted, and told to those who missed it", async () => {
  const [a, b] = connectedAgents("a", "b") as [ChannelAgent, ChannelAgent];
  const one = b.hearer("x");
  const two = b.hearer("x^*");
  const three = b.hearer("y");
  await told();
  assert.equal(a.publish("x", "before"), 1);
  a.isFull = true;
  for (let i = 0; i < 3; i++) assert.equal(a.publish("x", i), 0);
  assert.equal(a.publish("x^1", 0), 0);
  a.pubsub.tick();
  a.isFull = false;
  assert.equal(a.publish("x", "after"), 1);
  await told();
  assert.deepEqual(one.heard, ['x "before"', "dropped 3", 'x "after"']);
  assert.deepEqual(two.heard, ["dropped 1"]);
  assert.deepEqual(three.heard, []);
  assert.equal(a.pubsub.figures.dropped, 4);
});

Deno.test("what was missed is told without another message, and of many channels to everybody", async () => {
  const [a, b] = connectedAgents("a", "b") as [ChannelAgent, ChannelAgent];
  const one = b.hearer("x^**");
  const two = b.hearer("y");
  await told();
  a.isFull = true;
  for (let i = 0; i < 300; i++) a.publish(`x^${i}`, i);
  a.isFull = false;
  a.pubsub.tick();
  a.pubsub.tick();
  const count = one.heard.map((text) => Number(text.split(" ")[1])).reduce((sum, n) => sum + n);
  assert.equal(count, 300);
  assert.deepEqual(two.heard, ["dropped 44"]);
});

Deno.test("an agent that wants too much is sent everything, and hands on what is wanted", async () => {
  const [a, b] = connectedAgents("a", "b") as [ChannelAgent, ChannelAgent];
  const many = Array.from({ length: 70_000 }, (_, i) => `n^${i}`);
  const hearer = b.hearer(...many);
  await told();
  assert.equal(a.publish("unwanted", 1), 1);
  assert.equal(a.publish("n^69999", 1), 1);
  await told();
  assert.deepEqual(hearer.heard, ["n^69999 1"]);
  for (const text of many.slice(1)) b.pubsub.unsubscribe(hearer.subscriber, text);
  await told();
  assert.equal(a.publish("unwanted", 1), 0);
  assert.equal(a.publish("n^0", 1), 1);
});

Deno.test("more interests than an agent would tell are kept as one in everything", () => {
  const refused: string[] = [];
  const peers = new PeerInterests(() => ({ sendNews: () => refused }), 3);
  const want = (...texts: string[]) =>
    peers.change("b", texts.map((text) => [interestOf(text) as Interest, true]));
  const isSentTo = (channel: string) => peers.matching(channel).length > 0;
  want("a", "b", "c");
  assert.ok(!isSentTo("d"));
  want("d", "e");
  assert.ok(isSentTo("f"));
  peers.replace("b", [interestOf("g") as Interest]);
  assert.deepEqual(["a", "f", "g"].map(isSentTo), [false, false, true]);
});
