import assert from "node:assert/strict";
import type { MemberlistConfig } from "../../../../cluster/memberlist/core/config.ts";
import { NodeState } from "../../../../cluster/memberlist/core/node.ts";
import { probeNext } from "../../../../cluster/memberlist/rounds/probe.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { receiveDead } from "../../../../cluster/memberlist/rules/dead.ts";
import { receiveSuspect } from "../../../../cluster/memberlist/rules/suspect.ts";
import { serveStream } from "../../../../cluster/memberlist/traffic/stream_server.ts";
import {
  type Alive,
  encodeMessage,
  MessageType,
  Ping,
} from "../../../../cluster/memberlist/wire/messages.ts";
import { decodePacket, fakeCore, firstOf, inShort } from "../../../support/memberlist/core_fake.ts";
import { PORT } from "../../../support/memberlist/fake_network.ts";
import { accusation, alive } from "../../../support/memberlist/fakes.ts";

const TARGET = "10.0.0.2";

/** "me", the node "n" and `helpers` more, ready to probe "n". */
function setUp(
  helpers = 0,
  overrides: Partial<MemberlistConfig> = {},
  fields: { target?: Partial<Alive>; helper?: Partial<Alive> } = {},
) {
  const fake = fakeCore({ compression: false, disableTcpPings: true, ...overrides });
  const { core, delegate, queued } = fake;
  receiveAlive(core, alive("n", TARGET, { Incarnation: 4, ...fields.target }), "x");
  for (let i = 0; i < helpers; i++) {
    receiveAlive(core, alive(`h${i}`, `10.0.1.${i}`, fields.helper), "x");
  }
  queued();
  delegate.events.length = 0;
  const progress = { done: 0 };
  /** Probes, with that health score, until the turn of "n" has come. */
  const probe = (score = 0) => {
    for (let i = 0; i <= core.table.size; i++) {
      core.awareness.change(score - core.awareness.score);
      probeNext(core, () => progress.done++);
      if (fake.network.packets.at(-1)?.to === TARGET) return;
      const { SeqNo } = firstOf(fake.sent(), "ping");
      core.acks.ack(SeqNo, null);
      progress.done = 0;
      delegate.roundTrips.length = 0;
    }
    assert.fail("The node was not probed");
  };
  return { ...fake, probe, progress };
}

Deno.test("a probe pings with the own source and ends with the ack", () => {
  const { core, clock, delegate, probe, progress, sent } = setUp();
  probe(2);
  const [packet] = sent();
  const ping = firstOf([packet!], "ping");
  assert.deepEqual([ping.Node, ping.SourceNode, ping.SourcePort], ["n", "me", PORT]);
  clock.advanceSync(42);
  core.acks.ack(ping.SeqNo, Uint8Array.of(9));
  assert.equal(progress.done, 1);
  assert.equal(core.awareness.score, 1);
  assert.deepEqual(delegate.roundTrips, [{ name: "n", rttMs: 42, payload: Uint8Array.of(9) }]);
  assert.deepEqual([clock.pending, core.acks.size], [0, 0], "nothing is left behind");
});

Deno.test("an unanswered probe without helpers suspects the node after the probe interval", () => {
  const { core, clock, node, probe, progress, queued, log } = setUp();
  probe();
  clock.advanceSync(999);
  assert.equal(progress.done, 0);
  clock.advanceSync(1);
  assert.equal(progress.done, 1);
  assert.equal(node("n").state, NodeState.suspect);
  assert.deepEqual(queued(), ["suspect n 4 by me"]);
  assert.equal(core.awareness.score, 1);
  assert.equal(core.acks.size, 0);
  assert.deepEqual(log.slice(0, 1), ["info Suspect n has failed, no acks received"]);
});

Deno.test("bad health stretches the interval of a probe, but not its direct timeout", () => {
  const { clock, probe, progress, sent } = setUp(1);
  probe(2);
  sent();
  clock.advanceSync(499);
  assert.deepEqual(sent(), []);
  clock.advanceSync(1);
  assert.equal(firstOf(sent(), "indirectPing").Node, "n");
  clock.advanceSync(2_499);
  assert.equal(progress.done, 0);
  clock.advanceSync(1);
  assert.equal(progress.done, 1);
});

Deno.test("helpers are asked with the same number, at most three, and none of them the target", () => {
  const { clock, probe, sent } = setUp(8);
  probe();
  const { SeqNo } = firstOf(sent(), "ping");
  clock.advanceSync(500);
  const asked = sent();
  assert.equal(asked.length, 3);
  assert.equal(new Set(asked.map(({ to }) => to)).size, 3);
  for (const { to, messages } of asked) {
    assert.match(to, /^10\.0\.1\./);
    assert.deepEqual(messages, [{
      type: "indirectPing",
      SeqNo,
      Target: Uint8Array.of(10, 0, 0, 2),
      Port: PORT,
      Node: "n",
      Nack: true,
      SourceAddr: Uint8Array.of(10, 0, 0, 1),
      SourcePort: PORT,
      SourceNode: "me",
    }]);
  }
});

Deno.test("an ack by way of a helper is a success, without a round trip for the application", () => {
  const { core, clock, delegate, node, probe, progress, sent } = setUp(1);
  probe(1);
  const { SeqNo } = firstOf(sent(), "ping");
  clock.advanceSync(700);
  core.acks.ack(SeqNo, null);
  assert.equal(progress.done, 1);
  assert.equal(node("n").state, NodeState.alive);
  assert.equal(core.awareness.score, 0);
  assert.deepEqual(delegate.roundTrips, []);
});

for (const [nacks, score] of [[0, 3], [1, 2], [3, 0], [5, 0]] as const) {
  Deno.test(`with ${nacks} nacks of 3 a failed probe costs ${score} points of health`, () => {
    const { core, clock, probe, sent } = setUp(3);
    probe();
    const { SeqNo } = firstOf(sent(), "ping");
    clock.advanceSync(600);
    for (let i = 0; i < nacks; i++) core.acks.nack(SeqNo);
    clock.advanceSync(400);
    assert.equal(core.awareness.score, score);
  });
}

Deno.test("helpers that know no nacks are not asked for them, and a failure costs one point", () => {
  const { core, clock, probe, sent } = setUp(3, {}, {
    helper: { Vsn: Uint8Array.of(1, 3, 2, 2, 5, 5) },
  });
  probe();
  sent();
  clock.advanceSync(500);
  assert.equal(firstOf(sent(), "indirectPing").Nack, false);
  clock.advanceSync(500);
  assert.equal(core.awareness.score, 1);
});

Deno.test("a suspected node is told so together with the ping, with a checksum", () => {
  const { core, network, probe, delegate } = setUp();
  receiveSuspect(core, accusation("n", "other", 4), "x");
  delegate.broadcasts.push(new TextEncoder().encode("not with this one"));
  probe();
  const { bytes } = network.packets.at(-1)!;
  assert.equal(bytes[0], MessageType.hasCrc);
  const [ping, suspect, ...others] = decodePacket(bytes);
  assert.equal(ping?.type, "ping");
  assert.equal(suspect && inShort(suspect), "suspect n 4 by me");
  assert.deepEqual(others, []);
});

Deno.test("a probe speaks about the node as it was when it began", () => {
  const { core, clock, node, probe } = setUp();
  probe();
  receiveAlive(core, alive("n", TARGET, { Incarnation: 5 }), "x");
  clock.advanceSync(1_000);
  assert.equal(node("n").state, NodeState.alive, "the accusation is about incarnation 4");
});

Deno.test("dead and left nodes and the own node are not probed", () => {
  const { core, sent } = setUp(1);
  receiveDead(core, accusation("n", "other", 4), "x");
  receiveDead(core, accusation("h0", "h0"), "x");
  let done = 0;
  for (let i = 0; i < 5; i++) probeNext(core, () => done++);
  assert.equal(done, 5);
  assert.deepEqual(sent(), []);
});

Deno.test("every node is probed once in each round of the ring", () => {
  const { core, sent } = setUp(6);
  let last = "";
  for (let round = 0; round < 5; round++) {
    const probed: string[] = [];
    for (let i = 0; i < 7; i++) {
      probeNext(core, () => {});
      const ping = firstOf(sent(), "ping");
      core.acks.ack(ping.SeqNo, null);
      probed.push(ping.Node);
    }
    const order = probed.join();
    assert.notEqual(order, last, "shuffled anew");
    last = order;
    assert.deepEqual(probed.sort(), ["h0", "h1", "h2", "h3", "h4", "h5", "n"]);
  }
});

Deno.test("dead and left nodes are forgotten at the end of a round, after their time", () => {
  const { core, clock } = setUp(3);
  receiveDead(core, accusation("h0", "other"), "x");
  receiveDead(core, accusation("h1", "h1"), "x");
  const round = () => {
    for (let i = 0; i < 3; i++) {
      probeNext(core, () => {});
      core.acks.ack(core.acks.expect({ ack() {} }) - 1, null);
    }
  };
  clock.advanceSync(30_000);
  round();
  assert.equal(core.table.size, 5);
  clock.advanceSync(1);
  round();
  assert.equal(core.table.size, 3);
  assert.equal(core.table.get("h0"), undefined);
  assert.equal(core.table.get("h1"), undefined);
  core.timers.close();
});

/** Lets the node at the target's address answer on streams only. */
function answerStreams(network: ReturnType<typeof fakeCore>["network"]) {
  const peer = fakeCore({ name: "n", compression: true });
  const transport = network.open(TARGET);
  transport.start({ packet: () => {}, stream: (stream) => void serveStream(peer.core, stream) });
  return peer;
}

Deno.test("a node that answers on streams only is not suspected, with a warning", async () => {
  const { core, clock, network, node, probe, progress, log } = setUp(0, {
    disableTcpPings: false,
  });
  const peer = answerStreams(network);
  probe(1);
  await clock.advance(1_999);
  assert.equal(progress.done, 0, "the answer on the stream is looked at in the end");
  await clock.advance(1);
  assert.equal(progress.done, 1);
  assert.equal(node("n").state, NodeState.alive);
  assert.equal(core.awareness.score, 0);
  assert.deepEqual(log.filter((line) => line.startsWith("warn")), [
    "warn Was able to connect to n over TCP but UDP probes failed, network may be misconfigured",
  ]);
  assert.equal(core.streams.size, 0);
  peer.core.timers.close();
});

Deno.test("streams are not tried with nodes below protocol 3, nor when they are disabled", async () => {
  const old = { target: { Vsn: Uint8Array.of(1, 2, 2, 2, 5, 5) } };
  for (const setup of [setUp(0, { disableTcpPings: false }, old), setUp()]) {
    const { clock, network, node, probe } = setup;
    answerStreams(network);
    probe();
    await clock.advance(1_000);
    assert.equal(node("n").state, NodeState.suspect);
  }
});

Deno.test("another node under the address does not answer for the target", async () => {
  const { clock, network, node, probe, log } = setUp(0, { disableTcpPings: false });
  const imposter = fakeCore({ name: "imposter" });
  network.open(TARGET).start({
    packet: () => {},
    stream: (stream) => void serveStream(imposter.core, stream),
  });
  probe();
  await clock.advance(1_000);
  assert.equal(node("n").state, NodeState.suspect);
  assert.ok(log.some((line) => line.startsWith("error Failed fallback TCP ping:")), `${log}`);
});

Deno.test("an unreachable stream is no error, and a silent one ends with the probe", async () => {
  for (const silent of [false, true]) {
    const { core, clock, network, node, probe, log } = setUp(0, { disableTcpPings: false });
    if (silent) network.open(TARGET).start({ packet: () => {}, stream: () => {} });
    probe();
    await clock.advance(1_010);
    assert.equal(node("n").state, NodeState.suspect);
    assert.equal(core.streams.size, 0);
    assert.deepEqual(
      log.filter((line) => line.startsWith("error")),
      silent ? [`error Failed fallback TCP ping: read tcp ${TARGET}:${PORT}: i/o timeout`] : [],
    );
  }
});

Deno.test("a ping message equals the one of the Go library", () => {
  const ping = { SeqNo: 1, Node: "n", SourceAddr: Uint8Array.of(127, 0, 0, 1), SourcePort: 7946 };
  const bytes = encodeMessage(MessageType.ping, Ping, { ...ping, SourceNode: "me" });
  const expected = "0085a44e6f6465a16ea55365714e6f01aa536f7572636541646472a47f000001" +
    "aa536f757263654e6f6465a26d65aa536f75726365506f7274cd1f0a";
  assert.equal(bytes.reduce((hex, byte) => hex + byte.toString(16).padStart(2, "0"), ""), expected);
});
