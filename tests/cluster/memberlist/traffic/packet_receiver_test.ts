import assert from "node:assert/strict";
import { parseCidr } from "../../../../cluster/memberlist/core/cidr.ts";
import type { MemberlistConfig } from "../../../../cluster/memberlist/core/config.ts";
import { NodeState } from "../../../../cluster/memberlist/core/node.ts";
import { receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import { receivePacket } from "../../../../cluster/memberlist/traffic/packet_receiver.ts";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import {
  Ack,
  Alive,
  Dead,
  encodeMessage,
  IndirectPing,
  MessageType,
  Nack,
  Ping,
  Suspect,
} from "../../../../cluster/memberlist/wire/messages.ts";
import { packCompound, sealPacket } from "../../../../cluster/memberlist/wire/packet.ts";
import { hostToAddr } from "../../../../protocol/ip.ts";
import type { Codec } from "../../../../protocol/msgpack/mod.ts";
import { fakeCore, firstOf } from "../../../support/memberlist/core_fake.ts";
import { packetOptions } from "../../../support/memberlist/packet_options.ts";
import { PORT } from "../../../support/memberlist/fake_network.ts";
import { accusation, alive, seededRandom } from "../../../support/memberlist/fakes.ts";
import vectors from "../../../vectors/memberlist.json" with { type: "json" };

const from = { host: "10.0.0.9", port: 5_555 };

function setUp(overrides: Partial<MemberlistConfig> = {}) {
  const fake = fakeCore({ compression: false, ...overrides });
  const receive = <T>(type: MessageType, codec: Codec<T>, value: T) =>
    receivePacket(fake.core, from, encodeMessage(type, codec, value));
  return { ...fake, receive };
}

function ping(fields: Partial<Ping> = {}): Ping {
  return { SeqNo: 7, Node: "me", SourceAddr: null, SourcePort: 0, SourceNode: "", ...fields };
}

Deno.test("a ping is answered with its number and the application's payload", () => {
  const { receive, sent, delegate } = setUp();
  delegate.payload = Uint8Array.of(1, 2);
  receive(MessageType.ping, Ping, ping());
  assert.deepEqual(sent(), [
    { to: from.host, messages: [{ type: "ack", SeqNo: 7, Payload: Uint8Array.of(1, 2) }] },
  ]);
});

Deno.test("a ping is answered to the address that it gives, if it is whole", () => {
  const { receive, sent } = setUp();
  const source = { SourceAddr: hostToAddr("10.0.0.5"), SourcePort: PORT, SourceNode: "n" };
  receive(MessageType.ping, Ping, ping(source));
  receive(MessageType.ping, Ping, ping({ ...source, SourcePort: 0 }));
  receive(MessageType.ping, Ping, ping({ ...source, SourceAddr: Uint8Array.of(1, 2, 3) }));
  assert.deepEqual(sent().map(({ to }) => to), ["10.0.0.5", from.host, from.host]);
});

Deno.test("a ping for another node is dropped, one for nobody in particular is answered", () => {
  const { receive, sent, log } = setUp();
  receive(MessageType.ping, Ping, ping({ Node: "other" }));
  assert.deepEqual(sent(), []);
  assert.deepEqual(log, ["warn Got ping for unexpected node 'other' from=10.0.0.9:5555"]);
  receive(MessageType.ping, Ping, ping({ Node: "" }));
  assert.equal(sent().length, 1);
});

Deno.test("an ack goes to whoever waits for it", () => {
  const { core, receive } = setUp();
  const got: (Uint8Array | null)[] = [];
  const SeqNo = core.acks.expect({ ack: (payload) => got.push(payload) });
  receive(MessageType.ack, Ack, { SeqNo: SeqNo + 1, Payload: null });
  receive(MessageType.ack, Ack, { SeqNo, Payload: Uint8Array.of(5) });
  receive(MessageType.nack, Nack, { SeqNo });
  assert.deepEqual(got, [Uint8Array.of(5)]);
});

Deno.test("an indirect ping makes a ping with the own source, and its ack is passed on bare", () => {
  const { clock, receive, sent } = setUp();
  const request = {
    SeqNo: 40,
    Target: hostToAddr("10.0.0.3"),
    Port: PORT,
    Node: "target",
    Nack: true,
    SourceAddr: hostToAddr("10.0.0.4"),
    SourcePort: PORT,
    SourceNode: "asker",
  };
  receive(MessageType.indirectPing, IndirectPing, request);
  const packets = sent();
  const relayed = firstOf(packets, "ping");
  assert.equal(packets[0]?.to, "10.0.0.3");
  assert.deepEqual({ ...relayed, SeqNo: 0 }, {
    type: "ping",
    ...ping({
      SeqNo: 0,
      Node: "target",
      SourceAddr: hostToAddr("10.0.0.1"),
      SourcePort: PORT,
      SourceNode: "me",
    }),
  });
  receive(MessageType.ack, Ack, { SeqNo: relayed.SeqNo, Payload: Uint8Array.of(1) });
  assert.deepEqual(sent(), [
    { to: "10.0.0.4", messages: [{ type: "ack", SeqNo: 40, Payload: null }] },
  ]);
  clock.advanceSync(10_000);
  assert.deepEqual(sent(), [], "no nack after an ack");
});

Deno.test("an indirect ping without an answer is nacked after the probe timeout, if asked", () => {
  for (const Nack of [true, false]) {
    const { clock, core, receive, sent } = setUp();
    const request = { ...ping({ SeqNo: 40 }), Target: hostToAddr("10.0.0.3"), Port: 0, Nack };
    receive(MessageType.indirectPing, IndirectPing, request);
    const relayed = firstOf(sent(), "ping");
    clock.advanceSync(499);
    assert.deepEqual(sent(), []);
    clock.advanceSync(1);
    const nack = { to: from.host, messages: [{ type: "nack", SeqNo: 40 }] };
    assert.deepEqual(sent(), Nack ? [nack] : []);
    assert.equal(core.acks.size, 0);
    receive(MessageType.ack, Ack, { SeqNo: relayed.SeqNo, Payload: null });
    assert.deepEqual(sent(), [], "too late");
  }
});

Deno.test("indirect pings that wait are bounded, and need an address", () => {
  const { core, receive, sent } = setUp();
  const request = { ...ping(), Target: hostToAddr("10.0.0.3"), Port: PORT, Nack: false };
  for (let i = 0; i < 5_000; i++) receive(MessageType.indirectPing, IndirectPing, request);
  assert.equal(sent().length, 4_096);
  core.timers.close();
  const other = setUp();
  other.receive(MessageType.indirectPing, IndirectPing, { ...request, Target: null });
  assert.deepEqual(other.sent(), []);
});

Deno.test("with required node names a ping without one is not answered nor passed on", () => {
  const { clock, core, receive, sent, delegate, log } = setUp({ requireNodeNames: true });
  delegate.broadcasts.push(Uint8Array.of(1));
  receive(MessageType.ping, Ping, ping());
  const request = {
    ...ping({ Node: "n" }),
    Target: hostToAddr("10.0.0.3"),
    Port: PORT,
    Nack: true,
  };
  receive(MessageType.indirectPing, IndirectPing, request);
  clock.advanceSync(1_000);
  assert.deepEqual(sent(), []);
  assert.equal(delegate.broadcasts.length, 1, "no broadcast is lost with it");
  assert.equal(core.acks.size, 0);
  assert.match(log[0] ?? "", /node names are required/);
  receive(MessageType.indirectPing, IndirectPing, { ...request, SourceNode: "asker" });
  clock.advanceSync(1_000);
  assert.deepEqual(sent().map(({ to }) => to), ["10.0.0.3", from.host]);
});

Deno.test("the messages of one packet are handled in order", () => {
  const { core, node, delegate } = setUp();
  const messages = [
    encodeMessage(MessageType.alive, Alive, alive("n", "10.0.0.2")),
    Uint8Array.of(MessageType.user, 1),
    Uint8Array.of(MessageType.ping, 0xc1),
    encodeMessage(MessageType.suspect, Suspect, accusation("n", "o")),
    encodeMessage(MessageType.dead, Dead, accusation("n", "n")),
    Uint8Array.of(MessageType.user, 2),
  ];
  for (const packet of packCompound(messages)) {
    receivePacket(core, from, sealPacket(packet, packetOptions({ compression: true }), true));
  }
  assert.equal(node("n").state, NodeState.left);
  assert.deepEqual(delegate.events, ["join n", "leave n"]);
  assert.deepEqual(delegate.messages, [Uint8Array.of(1), Uint8Array.of(2)]);
});

Deno.test("an application that throws harms neither the node nor the other messages", () => {
  const { core, delegate, log } = setUp();
  delegate.notifyMessage = (message) => {
    if (message[0] === 1) throw new Error("oops");
    delegate.messages.push(message);
  };
  const [packet] = packCompound([Uint8Array.of(8, 1), Uint8Array.of(8, 2)]);
  receivePacket(core, from, packet!);
  assert.deepEqual(delegate.messages, [Uint8Array.of(2)]);
  assert.deepEqual(log, ["error Failed to handle message of type 8: oops from=10.0.0.9:5555"]);
});

Deno.test("alive messages from outside the allowed networks are dropped, pings are not", () => {
  const { core, receive, sent, delegate } = setUp({
    allowedNetworks: [parseCidr("10.0.0.0/30")],
  });
  receive(MessageType.alive, Alive, alive("n", "10.0.0.2"));
  assert.deepEqual(delegate.events, []);
  receive(MessageType.ping, Ping, ping());
  assert.equal(sent().length, 1);
  const packet = encodeMessage(MessageType.alive, Alive, alive("n", "10.0.0.2"));
  receivePacket(core, { host: "10.0.0.3", port: PORT }, packet);
  assert.deepEqual(delegate.events, ["join n"]);
});

Deno.test("port 0 stands for the own port; speaking protocol 1, every port does", () => {
  const { node, receive } = setUp();
  receive(MessageType.alive, Alive, alive("n", "10.0.0.2", { Port: 0 }));
  assert.equal(node("n").port, PORT);
  const old = setUp({ protocolVersion: 1 });
  old.receive(MessageType.alive, Alive, alive("n", "10.0.0.2", { Port: 1_234 }));
  assert.equal(old.node("n").port, PORT);
});

Deno.test("what is not encrypted or has another label is dropped", () => {
  const keyring = new Keyring([new Uint8Array(16).fill(1)]);
  const message = Uint8Array.of(MessageType.user, 65);
  const packets = [
    sealPacket(message, packetOptions(), false),
    sealPacket(message, packetOptions({ label: "a" }), false),
    sealPacket(message, packetOptions({ keyring }), false),
    sealPacket(message, packetOptions({ keyring, label: "a" }), false),
    sealPacket(message, packetOptions({ keyring: new Keyring([new Uint8Array(16)]) }), false),
  ];
  const taken = (overrides: Partial<MemberlistConfig>) => {
    const { core, delegate } = setUp(overrides);
    return packets.map((packet) => {
      receivePacket(core, from, packet);
      return delegate.messages.splice(0).some((bytes) => bytes[0] === 65);
    });
  };
  assert.deepEqual(taken({}), [true, false, false, false, false]);
  assert.deepEqual(taken({ label: "a" }), [false, true, false, false, false]);
  assert.deepEqual(taken({ keyring }), [false, false, true, false, false]);
  assert.deepEqual(taken({ keyring, label: "a" }), [false, false, false, true, false]);
  const lenient = taken({ keyring, verifyIncoming: false });
  assert.deepEqual(lenient, [true, false, true, false, false]);
});

Deno.test("garbage is dropped with at most one line a second for each source", () => {
  const { core, clock, delegate, log, sent } = setUp();
  const random = seededRandom(99);
  const captured = vectors.filter(({ transport }) => transport === "udp")
    .map(({ hex }) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16)));
  assert.ok(captured.length > 10);
  for (let i = 0; i < 4_000; i++) {
    const packet = captured[i % captured.length]!.slice();
    const flips = Math.floor(random.float() * 4);
    for (let flip = 0; flip < flips; flip++) {
      packet[Math.floor(random.float() * packet.length)] = Math.floor(random.float() * 256);
    }
    receivePacket(core, from, packet.subarray(0, Math.ceil(random.float() * packet.length)));
    receivePacket(core, from, random.bytes(i % 64));
  }
  clock.advanceSync(999);
  assert.ok(log.length <= 3, `${log.length} lines, one for each level`);
  assert.ok(delegate.messages.length > 0, "some packets were still good");
  sent();
  receivePacket(core, from, encodeMessage(MessageType.ping, Ping, ping()));
  assert.equal(sent()[0]?.messages[0]?.type, "ack");
  core.timers.close();
});

Deno.test("a name that is too long to be kept is refused", () => {
  const { core, queued, receive } = setUp();
  receiveAlive(core, alive("n", "10.0.0.2"), "x");
  queued();
  receive(MessageType.suspect, Suspect, accusation("n", "x".repeat(769)));
  receive(MessageType.dead, Dead, accusation("n", "x".repeat(769)));
  assert.deepEqual(queued(), []);
});
