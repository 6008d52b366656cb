import assert from "node:assert/strict";
import type { MemberlistConfig } from "../../../../cluster/memberlist/core/config.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { announceAlive } from "../../../../cluster/memberlist/rules/announce.ts";
import { receiveDead } from "../../../../cluster/memberlist/rules/dead.ts";
import {
  exchangeState,
  pushPull,
  pushPullIntervalMs,
} from "../../../../cluster/memberlist/traffic/push_pull.ts";
import {
  type StreamExchange,
  useStream,
} from "../../../../cluster/memberlist/traffic/stream_exchange.ts";
import { serveStream } from "../../../../cluster/memberlist/traffic/stream_server.ts";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import {
  Ack,
  encodeMessage,
  ErrorReply,
  MessageType,
} from "../../../../cluster/memberlist/wire/messages.ts";
import { settle } from "../../../support/manual_clock.ts";
import {
  decodeMessage,
  type FakeCore,
  fakeCore,
  inShort,
} from "../../../support/memberlist/core_fake.ts";
import { PORT } from "../../../support/memberlist/fake_network.ts";
import { accusation, alive } from "../../../support/memberlist/fakes.ts";

const PEER = "10.0.0.2";
const to = { host: PEER, port: PORT, name: "peer" };

Deno.test("exchanges are rarer in larger clusters", () => {
  const factors = { 1: 1, 32: 1, 33: 2, 64: 2, 65: 3, 128: 3, 129: 4, 1_000: 6 };
  for (const [nodeCount, factor] of Object.entries(factors)) {
    assert.equal(pushPullIntervalMs(30_000, Number(nodeCount)), factor * 30_000, nodeCount);
  }
});

/** "me" and "peer", of which "me" can dial "peer". */
function pair(overrides: Partial<MemberlistConfig> = {}) {
  const me = fakeCore(overrides);
  const advertise = { addr: Uint8Array.of(10, 0, 0, 2), port: PORT };
  const peer = fakeCore({ ...overrides, name: "peer", advertise });
  me.network.open(PEER).start({
    packet: () => {},
    stream: (stream) => void serveStream(peer.core, stream),
  });
  return { me, peer };
}

/** Whether `promise` was fulfilled, or why not, after at most a minute. */
async function outcome(me: FakeCore, promise: Promise<unknown>): Promise<string> {
  let result: string | undefined;
  promise.then(() => result = "done", (error) => result = error.message);
  await me.clock.until(() => result !== undefined, 60_000, "the end of the exchange");
  await me.clock.advance(10);
  return result as string;
}

for (
  const [what, overrides] of [
    ["in clear", { compression: false }],
    ["compressed", {}],
    ["encrypted and labelled", { label: "dc1", keyring: new Keyring([new Uint8Array(32)]) }],
    ["in protocol 1", { protocolVersion: 1, keyring: new Keyring([new Uint8Array(16)]) }],
  ] as [string, Partial<MemberlistConfig>][]
) {
  Deno.test(`two nodes exchange all they know, ${what}`, async () => {
    const { me, peer } = pair(overrides);
    receiveAlive(me.core, alive("a", "10.0.1.1", { Vsn: Uint8Array.of(1, 5, 2, 0, 0, 0) }), "x");
    const state = (text: string) => new TextEncoder().encode(text);
    me.delegate.state = state("mine");
    peer.delegate.state = state("theirs");
    me.delegate.events.length = 0;
    assert.equal(await outcome(me, exchangeState(me.core, to, true)), "done");
    assert.deepEqual(me.delegate.events, ["state true", "join peer", "merge theirs true"]);
    assert.deepEqual(peer.delegate.events.slice(0, 1), ["state true"], "answers before it merges");
    assert.deepEqual(peer.delegate.events.slice(1).sort(), [
      "join a",
      "join me",
      "merge mine true",
    ]);
    assert.deepEqual([me.core.streams.size, peer.core.streams.size], [0, 0]);
    assert.equal(me.clock.pending, 0);
  });
}

Deno.test("the flag of the request rules both sides", async () => {
  const { me, peer } = pair();
  peer.delegate.notifyMerge = () => assert.fail("asked only on a join");
  assert.equal(await outcome(me, exchangeState(me.core, to, false)), "done");
  assert.deepEqual(peer.delegate.events, ["state false", "join me"]);
});

Deno.test("a refusal to merge fails the initiator's exchange, but not the other's", async () => {
  const { me, peer } = pair();
  peer.delegate.notifyMerge = () => "not you";
  assert.equal(await outcome(me, exchangeState(me.core, to, true)), "done");
  assert.deepEqual(peer.delegate.events, ["state true"], "nothing merged there");
  assert.deepEqual(peer.log.filter((line) => line.startsWith("error")).length, 1);
  peer.core.noise.write("debug", "-", "-");
  me.delegate.notifyMerge = () => "not them";
  assert.equal(await outcome(me, exchangeState(me.core, to, true)), "not them");
});

Deno.test("dead and left nodes are told with their state, and versions of six bytes", async () => {
  const { me, peer } = pair();
  const Vsn = Uint8Array.of(1, 5, 2, 0, 0, 0);
  for (const name of ["d", "l"]) {
    for (const { core } of [me, peer]) receiveAlive(core, alive(name, "10.0.1.1", { Vsn }), "x");
  }
  receiveDead(me.core, accusation("d", "o"), "x");
  receiveDead(me.core, accusation("l", "l"), "x");
  assert.equal(await outcome(me, exchangeState(me.core, to, false)), "done");
  assert.equal(peer.node("d").state, 1, "dead is only suspected");
  assert.equal(peer.node("l").state, 3);
  peer.core.timers.close();
});

/** A peer that answers as the test wants. */
function scripted(answer: (exchange: StreamExchange) => Promise<void>): FakeCore {
  const me = fakeCore({ compression: false });
  const options = { timeoutMs: 60_000, dialled: false };
  me.network.open(PEER).start({
    packet: () => {},
    stream: (stream) =>
      void useStream(me.core, stream, options, async (exchange) => {
        await exchange.reader.readMessage(true);
        await answer(exchange);
      }).catch(() => {}),
  });
  return me;
}

Deno.test("an exchange fails with the peer's error, a wrong answer, or none", async () => {
  const reply = (message: Uint8Array) => (exchange: StreamExchange) => exchange.send(message);
  const error = encodeMessage(MessageType.err, ErrorReply, { Error: "no thanks" });
  let me = scripted(reply(error));
  assert.equal(await outcome(me, exchangeState(me.core, to, true)), "remote error: no thanks");
  me = scripted(reply(encodeMessage(MessageType.ack, Ack, { SeqNo: 1, Payload: null })));
  assert.match(
    await outcome(me, exchangeState(me.core, to, true)),
    /Got message of type 2, wanted 6/,
  );
  me = scripted(() => Promise.resolve());
  assert.match(await outcome(me, exchangeState(me.core, to, true)), /ended before a message/);
  me = scripted(() => new Promise(() => {}));
  assert.equal(
    await outcome(me, exchangeState(me.core, to, true)),
    "read tcp 10.0.0.2:7946: i/o timeout",
  );
  assert.equal(Math.round(me.clock.now() / 1_000), 10);
  assert.equal(me.core.table.size, 1);
  me.core.timers.close();
});

Deno.test("the periodic exchange picks an alive node and logs what fails", async () => {
  const me = fakeCore();
  await pushPull(me.core);
  assert.deepEqual(me.log, [], "nobody there");
  receiveAlive(me.core, alive("gone", "10.0.0.8"), "x");
  receiveDead(me.core, accusation("gone", "o"), "x");
  await pushPull(me.core);
  assert.deepEqual(me.log, [], "nobody alive");
  receiveAlive(me.core, alive("peer", PEER), "x");
  assert.equal(await outcome(me, pushPull(me.core)), "done");
  assert.deepEqual(me.log, [
    "debug Initiating push/pull sync with: peer 10.0.0.2:7946",
    "error Push/Pull with peer failed: dial tcp 10.0.0.2:7946: connect: connection refused",
  ]);
});

Deno.test("127 exchanges are served at a time, the next one is turned away", async () => {
  const { me, peer } = pair({ compression: false });
  const header = Uint8Array.of(MessageType.pushPull);
  const dial = async () => {
    const dialling = me.transport.dial(to, 1_000);
    await me.clock.advance(1);
    return await dialling;
  };
  const held = [];
  for (let i = 0; i < 127; i++) {
    const stream = await dial();
    await stream.write(header);
    held.push(stream);
  }
  await me.clock.advance(2);
  assert.equal(peer.core.serving.pushPulls, 127);
  assert.match(await outcome(me, exchangeState(me.core, to, false)), /ended before a message/);
  held[0]?.close();
  await me.clock.advance(2);
  assert.equal(await outcome(me, exchangeState(me.core, to, false)), "done");
  for (const stream of held) stream.close();
  await me.clock.advance(2);
  await settle();
  assert.equal(peer.core.serving.pushPulls, 0);
});

function known(fake: FakeCore, name: string, host: string): void {
  receiveAlive(fake.core, { ...alive(name, host), Vsn: Uint8Array.of(1, 5, 2, 0, 0, 0) }, "x");
}

Deno.test("a newcomer sends the news about itself before what it heard of its cluster", async () => {
  const { me, peer } = pair();
  for (let i = 0; i < 40; i++) known(peer, `n${i}`, `10.0.1.${i}`);
  announceAlive(me.core, me.node("me"));
  assert.equal(await outcome(me, exchangeState(me.core, to, true)), "done");
  assert.equal(me.core.broadcasts.length, 42);
  assert.equal(inShort(decodeMessage(me.core.broadcasts.take(2, 100)[0]!)), "alive me 1");
});

Deno.test("a member that hears of another cluster sends that as any news", async () => {
  const { me, peer } = pair();
  known(me, "old", "10.0.2.1");
  me.queued();
  known(peer, "new", "10.0.1.1");
  assert.equal(await outcome(me, exchangeState(me.core, to, true)), "done");
  let sent = 0;
  while (me.core.broadcasts.length > 0) sent += me.core.broadcasts.take(0, 1_000).length;
  assert.equal(sent, 2 * me.core.broadcasts.transmitLimit, "the peer and the node that it knew");
});
