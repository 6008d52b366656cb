import assert from "node:assert/strict";
import type { RunningQuery } from "../../../cluster/serf/mod.ts";
import { ownPayload } from "../../../protocol/payload.ts";
import {
  eventMessage,
  leaveMessage,
  queryMessage,
  told,
  utf8,
} from "../../support/serf/fixture.ts";
import { type Agent, alive, Network, statusOf } from "../../support/serf/simulated.ts";

const A = 0, B = 1, C = 2;

async function three(network: Network): Promise<[Agent, Agent, Agent]> {
  const agents = await network.cluster(["a", "b", "c"]);
  return [agents[A] as Agent, agents[B] as Agent, agents[C] as Agent];
}

Deno.test("agents that join see each other with their tags and versions", async () => {
  await using network = new Network();
  const a = network.start("a", { tags: { role: "web", dc: "eu" } });
  const b = network.start("b", { tags: { role: "db" }, protocolVersion: 4 });
  assert.deepEqual(told(a.events), ["member-join a"]);
  await network.join(b, a);
  await network.until(() => alive(a.serf).length === 2);
  assert.deepEqual(told(a.events), ["member-join a", "member-join b"]);
  for (const { serf } of [a, b]) {
    assert.deepEqual(
      serf.members().map(({ name, tags, delegateCur }) => [name, tags, delegateCur]).sort(),
      [["a", { role: "web", dc: "eu" }, 5], ["b", { role: "db" }, 4]],
    );
  }
  const { name, port, status, protocolMin, protocolMax, protocolCur } = a.serf.localMember();
  assert.deepEqual(
    [name, port, status, protocolMin, protocolMax, protocolCur],
    ["a", 7_946, "alive", 1, 5, 2],
  );
});

Deno.test("names and tags that are no UTF-8 are kept to the byte, and told apart", async () => {
  await using network = new Network();
  const names = ["caf\udce9", "caf\udce8", "café"];
  const [a, b, c] = await network.cluster(names, { tags: { "st\udce4dte": "Z\udcfcrich" } }) as [
    Agent,
    Agent,
    Agent,
  ];
  for (const event of ["ev\udce9", "ev\udce8"]) b.serf.userEvent(event, utf8("x"), false);
  const all = [a, b, c].map(({ events }) => events);
  await network.until(() => all.every((events) => events.length === 2));
  const query = c.serf.query("q\udce9", null, {
    nodes: [a.name],
    timeoutMs: 1_000,
    requestAck: true,
  });
  const acks = await network.simulation.settle(Array.fromAsync(query.acks));
  assert.deepEqual(acks, [a.name]);
  // Some push/pulls on, nobody failed, nobody is new, and nothing came twice.
  await network.simulation.runFor(120_000);
  for (const { serf, events } of [a, b, c]) {
    assert.deepEqual(alive(serf), names.toSorted());
    assert.equal(serf.members().length, 3);
    for (const { tags } of serf.members()) assert.deepEqual(tags, { "st\udce4dte": "Z\udcfcrich" });
    assert.deepEqual(told(events).filter((line) => !line.startsWith("query")).toSorted(), [
      "user ev\udce8 x",
      "user ev\udce9 x",
    ]);
  }
});

Deno.test("a name that a program cuts in the middle of a character is the one that others read", async () => {
  await using network = new Network();
  const [a, b] = await three(network);
  a.serf.userEvent("cut\ud83d", null, false);
  await network.until(() => told(b.events).includes("user cut\ufffd"));
  a.serf.query("cut\ud83d", null);
  await network.simulation.runFor(60_000);
  for (const { events } of [a, b]) {
    assert.deepEqual(told(events), ["user cut\ufffd", "query cut\ufffd"]);
  }
});

Deno.test("an agent of protocol version 2 shows its role and nothing else", async () => {
  await using network = new Network();
  const a = network.start("a");
  const old = network.start("old", { protocolVersion: 2, tags: { role: "web", dc: "eu" } });
  await network.join(old, a);
  await network.until(() => alive(a.serf).length === 2);
  assert.deepEqual(a.serf.members().find((m) => m.name === "old")?.tags, { role: "web" });
});

Deno.test("new tags are seen by everyone, once", async () => {
  await using network = new Network();
  const [a, b, c] = await three(network);
  await network.simulation.settle(b.serf.setTags({ role: "lb" }));
  assert.deepEqual(b.serf.tags(), { role: "lb" });
  await network.until(() =>
    [a, b, c].every(({ events }) => told(events).includes("member-update b"))
  );
  await network.simulation.runFor(5_000);
  for (const { serf, events } of [a, b, c]) {
    assert.deepEqual(serf.members().find((m) => m.name === "b")?.tags, { role: "lb" });
    assert.deepEqual(told(events), ["member-update b"]);
  }
  await assert.rejects(b.serf.setTags({ t: "x".repeat(600) }), { name: "TagsTooLargeError" });
  assert.deepEqual(b.serf.tags(), { role: "lb" });
});

Deno.test("a user event reaches every agent exactly once, byte for byte", async () => {
  await using network = new Network();
  const [a, b, c] = await three(network);
  const payload = Uint8Array.from({ length: 256 }, (_, i) => i);
  b.serf.userEvent("deploy", payload, false);
  await network.until(() => [a, b, c].every(({ events }) => events.length > 0));
  await network.simulation.runFor(40_000);
  for (const { events } of [a, b, c]) {
    assert.equal(events.length, 1);
    const [event] = events;
    assert.ok(event?.type === "user");
    assert.deepEqual(event.payload, ownPayload(payload));
    assert.deepEqual([event.ltime, event.name, event.coalesce], [1n, "deploy", false]);
  }
});

Deno.test("a newcomer gets the events of before, unless it asks for none", async () => {
  await using network = new Network();
  const [a] = await three(network);
  a.serf.userEvent("one", utf8("1"), true);
  a.serf.userEvent("two", null, true);
  const curious = network.start("curious");
  await network.join(curious, a);
  const news = network.start("news");
  await network.join(news, a, true);
  a.serf.userEvent("three", null, true);
  await network.until(() => told(news.events).includes("user three"));
  await network.simulation.runFor(40_000);
  const users = ({ events }: Agent) => told(events).filter((line) => line.startsWith("user"));
  assert.deepEqual(users(curious), ["user one 1", "user two", "user three"]);
  assert.deepEqual(users(news), ["user three"]);
});

Deno.test("an agent that leaves is seen as left by everyone, never as failed", async () => {
  await using network = new Network();
  const [a, b, c] = await three(network);
  await network.simulation.settle(c.serf.leave());
  assert.equal(c.serf.state, "left");
  assert.deepEqual(told(c.events), ["member-leave c"]);
  await network.simulation.settle(c.serf.shutdown());
  await network.simulation.runFor(60_000);
  for (const agent of [a, b]) {
    assert.equal(statusOf(agent, "c"), "left");
    assert.deepEqual(told(agent.events), ["member-leave c"]);
  }
});

Deno.test("an agent that dies is seen as failed, a forced leave makes it left, pruning forgets it", async () => {
  await using network = new Network();
  const [a, b, c] = await three(network);
  network.simulation.kill(c.host);
  await network.until(() => [a, b].every((agent) => statusOf(agent, "c") === "failed"));
  await network.simulation.settle(a.serf.forceLeave("c"));
  await network.until(() => [a, b].every((agent) => statusOf(agent, "c") === "left"));
  await network.simulation.settle(b.serf.forceLeave("c", { prune: true }));
  await network.until(() => [a, b].every((agent) => statusOf(agent, "c") === "unknown"));
  for (const { events } of [a, b]) {
    assert.deepEqual(told(events), ["member-failed c", "member-leave c", "member-reap c"]);
  }
});

Deno.test("a forced leave of an agent that lives is taken back by it", async () => {
  await using network = new Network();
  const [a, b, c] = await three(network);
  const done = a.serf.forceLeave("c");
  assert.equal(statusOf(a, "c"), "leaving");
  await network.simulation.settle(done);
  await network.until(() => [a, b, c].every((agent) => statusOf(agent, "c") === "alive"));
  await network.simulation.runFor(60_000);
  for (const { serf, events } of [a, b, c]) {
    assert.equal(alive(serf).length, 3);
    assert.deepEqual(events, []);
  }
});

Deno.test("the only other agent hears of its forced leave too, and takes it back", async () => {
  await using network = new Network();
  const [a, b] = await network.cluster(["a", "b"]) as [Agent, Agent];
  await network.simulation.settle(a.serf.forceLeave("b"));
  await network.until(() => statusOf(a, "b") === "alive");
  assert.equal(statusOf(b, "b"), "alive");
});

Deno.test("a forged leave is refuted with a later time", async () => {
  await using network = new Network();
  const [a, b, c] = await three(network);
  for (const { host } of [a, b, c]) {
    a.serf.memberlist.sendTo({ host, port: 7_946 }, leaveMessage("b", 200n));
  }
  await network.until(() => [a, c].some((agent) => statusOf(agent, "b") === "leaving"));
  await network.until(() => [a, c].every((agent) => statusOf(agent, "b") === "alive"));
  for (const { serf } of [a, b, c]) assert.ok(BigInt(serf.stats().member_time ?? 0) > 201n);
});

Deno.test("a failed agent that can be reached again is found by the reconnector", async () => {
  await using network = new Network();
  const [a, b] = await network.cluster(["a", "b"]) as [Agent, Agent];
  network.simulation.partition([a.host], [b.host]);
  await network.until(() => statusOf(a, "b") === "failed" && statusOf(b, "a") === "failed");
  await network.simulation.runFor(120_000);
  network.simulation.heal();
  await network.until(() => alive(a.serf).length === 2 && alive(b.serf).length === 2, 120_000);
  assert.deepEqual(told(a.events), ["member-failed b", "member-join b"]);
});

Deno.test("a query is acked and answered by every agent, each once, also when copies are relayed", async () => {
  await using network = new Network();
  const agents = await three(network);
  const query = agents[A].serf.query("load", utf8("now"), {
    requestAck: true,
    relayFactor: 2,
    timeoutMs: 2_000,
  });
  const collected = collect(query);
  await network.until(() => agents.every(({ events }) => told(events).includes("query load")));
  for (const { name, events } of agents) {
    for (const event of events) {
      if (event.type === "query") event.respond(utf8(`from ${name}`));
    }
  }
  const { acks, answers } = await network.simulation.settle(collected);
  assert.deepEqual(acks.sort(), ["a", "b", "c"]);
  assert.deepEqual(answers.sort(), ["a: from a", "b: from b", "c: from c"]);
  await network.until(() => agents[A].serf.counters.queryDuplicateResponses > 0);
  assert.ok(agents.every(({ events }) => events.length === 1));
});

Deno.test("a query asks only whom its filters name, and gets through those that it does not", async () => {
  await using network = new Network();
  const [a, b, c] = await three(network);
  await network.simulation.settle(c.serf.setTags({ role: "web" }));
  await network.until(() => told(a.events).includes("member-update c"));
  const query = a.serf.query("who", null, { tags: { role: "^w" }, requestAck: true });
  const { acks } = await network.simulation.settle(collect(query));
  assert.deepEqual(acks, ["c"]);
  assert.ok(![a, b].some(({ events }) => told(events).includes("query who")));
  assert.ok(told(c.events).includes("query who"));
});

Deno.test("a reachability query is acked by every agent and told to none", async () => {
  await using network = new Network();
  const [a, b, c] = await three(network);
  const { acks } = await network.simulation.settle(
    collect(a.serf.query("_serf_ping", null, { requestAck: true })),
  );
  assert.deepEqual(acks.sort(), ["a", "b", "c"]);
  assert.deepEqual([a, b, c].flatMap(({ events }) => events), []);
});

Deno.test("a key query of a Go agent passes through every agent unharmed", async () => {
  await using network = new Network();
  const [a, b, c] = await three(network);
  const message = queryMessage({
    Name: "_serf_install-key",
    Flags: 1,
    Addr: Uint8Array.from(a.host.split("."), Number),
    Port: 7_946,
    Payload: utf8("\x07not for us"),
  });
  a.serf.memberlist.sendTo({ host: b.host, port: 7_946 }, message);
  await network.until(() => [a, b, c].every(({ serf }) => serf.counters.queries === 1));
});

Deno.test("of two agents with one name the one that the cluster does not know stops", async () => {
  await using network = new Network();
  const agents = await network.cluster(["a", "b", "c"]);
  const impostor = network.start("b", {}, { host: "10.0.0.99" });
  await assert.doesNotReject(network.join(impostor, agents[A] as Agent));
  await network.simulation.settle(impostor.serf.closed);
  assert.equal(impostor.serf.state, "shutdown");
  await network.simulation.runFor(30_000);
  for (const { serf } of agents) assert.deepEqual(alive(serf), ["a", "b", "c"]);
});

Deno.test("events in any order and repeated by hand are told once each", async () => {
  await using network = new Network();
  const [a, b, c] = await three(network);
  const messages = [5n, 3n, 4n, 3n, 5n].map((ltime) => eventMessage(ltime, `e${ltime}`));
  for (const message of messages) {
    a.serf.memberlist.sendTo({ host: b.host, port: 7_946 }, message);
  }
  await network.until(() => [a, b, c].every(({ events }) => events.length === 3));
  await network.simulation.runFor(20_000);
  for (const { events } of [a, b, c]) {
    assert.deepEqual(told(events).sort(), ["user e3", "user e4", "user e5"]);
  }
});

/** Everything that comes back until the query ends. */
async function collect(query: RunningQuery): Promise<{ acks: string[]; answers: string[] }> {
  const acks: string[] = [];
  const answers: string[] = [];
  const readAcks = async () => {
    for await (const from of query.acks) acks.push(from);
  };
  const readAnswers = async () => {
    for await (const { from, payload } of query.answers) {
      answers.push(`${from}: ${new TextDecoder().decode(payload ?? utf8("nil"))}`);
    }
  };
  await Promise.all([readAcks(), readAnswers()]);
  return { acks, answers };
}
