import assert from "node:assert/strict";
import { announceSelf, receiveAlive } from "../../../../cluster/memberlist/rules/alive.ts";
import {
  sendBroadcasts,
  sendMessages,
  sendWithBroadcasts,
  tellUnsent,
} from "../../../../cluster/memberlist/traffic/packet_sender.ts";
import { CHECKSUM_OVERHEAD } from "../../../../cluster/memberlist/wire/checksum.ts";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import { MessageType } from "../../../../cluster/memberlist/wire/messages.ts";
import { fakeCore, inShort } from "../../../support/memberlist/core_fake.ts";
import { PORT } from "../../../support/memberlist/fake_network.ts";
import { alive } from "../../../support/memberlist/fakes.ts";

const peer = { host: "10.0.0.2", port: PORT };
const ping = Uint8Array.of(MessageType.user, 112);

function shortened(packets: ReturnType<ReturnType<typeof fakeCore>["sent"]>): string[][] {
  return packets.map(({ messages }) => messages.map(inShort));
}

Deno.test("a direct message goes bare, or first in a compound with the news", () => {
  const { core, sent, delegate, network } = fakeCore({ compression: false });
  sendWithBroadcasts(core, peer, ping);
  assert.deepEqual(network.packets[0]?.bytes, ping);
  announceSelf(core);
  delegate.broadcasts.push(new TextEncoder().encode("event"));
  sendWithBroadcasts(core, peer, ping);
  assert.deepEqual(shortened(sent()), [["user p"], ["user p", "alive me 2", "user event"]]);
});

Deno.test("broadcasts to a node carry a checksum when it understands protocol 5", () => {
  for (const [pmax, first] of [[5, MessageType.hasCrc], [4, MessageType.alive]] as const) {
    const { core, network } = fakeCore({ compression: false });
    receiveAlive(core, alive("n", peer.host, { Vsn: Uint8Array.of(1, pmax, 2, 0, 0, 0) }), "x");
    const record = core.table.get("n")!;
    assert.equal(sendBroadcasts(core, record), true);
    assert.equal(network.packets[0]?.bytes[0], first);
    core.broadcasts.prune(0);
    assert.equal(sendBroadcasts(core, record), false);
    assert.equal(network.packets.length, 1);
  }
});

Deno.test("a packet of broadcasts fills the budget and exceeds it by no more than the checksum", () => {
  const keyring = new Keyring([new Uint8Array(16)]);
  const variants = [
    {},
    { label: "dc1" },
    { keyring },
    { keyring, label: "dc1" },
    { keyring, protocolVersion: 1 },
    { packetBufferBytes: 600 },
  ];
  for (const overrides of variants) {
    const { core, network, delegate, config } = fakeCore({ compression: false, ...overrides });
    receiveAlive(core, alive("n", peer.host), "x");
    for (let i = 0; i < 5; i++) {
      core.broadcasts.enqueue({ message: new Uint8Array(100).fill(MessageType.user) });
    }
    for (let i = 0; i < 500; i++) delegate.broadcasts.push(new Uint8Array(20));
    sendBroadcasts(core, core.table.get("n")!);
    const size = network.packets[0]!.bytes.length;
    const limit = config.packetBufferBytes + CHECKSUM_OVERHEAD;
    assert.ok(size <= limit, `${size} of ${limit} with ${JSON.stringify(overrides)}`);
    // Version 0 pads by 1 to 16 bytes and reckons with 16; the last user message needs 23 bytes.
    assert.ok(size > limit - 23 - 16, `${size} of ${limit} with ${JSON.stringify(overrides)}`);
  }
});

Deno.test("a direct message leaves less room for broadcasts", () => {
  const { core, network, delegate } = fakeCore({ compression: false });
  for (let i = 0; i < 500; i++) delegate.broadcasts.push(new Uint8Array(20));
  sendWithBroadcasts(core, peer, new Uint8Array(1_000).fill(MessageType.user));
  const size = network.packets[0]!.bytes.length;
  assert.ok(size <= 1_402 && size > 1_402 - 23, `${size}`);
});

Deno.test("many small messages go in compounds of at most 127", () => {
  const { core, network, sent, delegate } = fakeCore({ compression: false });
  for (let i = 0; i < 200; i++) delegate.broadcasts.push(Uint8Array.of(i));
  sendWithBroadcasts(core, peer, ping);
  assert.deepEqual(network.packets.map(({ bytes }) => bytes[1]), [127, 74]);
  const messages = sent().flatMap((packet) => packet.messages.map(inShort));
  assert.equal(messages.length, 201);
  assert.equal(messages[0], "user p");
});

Deno.test("news of however many members and messages of the application do not keep each other waiting", () => {
  const { core, sent, delegate } = fakeCore({ compression: false });
  receiveAlive(core, alive("n", peer.host), "x");
  for (let i = 0; i < 5_000; i++) {
    core.broadcasts.enqueue({ message: new Uint8Array(100).fill(MessageType.user) });
  }
  for (let i = 0; i < 20; i++) delegate.broadcasts.push(new Uint8Array(600).fill(101));
  const record = core.table.get("n")!;
  for (let i = 0; i < 20; i++) sendBroadcasts(core, record);
  assert.equal(delegate.broadcasts.length, 0);
  const packets = shortened(sent());
  const news = packets.flat().filter((message) => !message.startsWith("user e")).length;
  assert.ok(news > 100, `${news} news`);
});

Deno.test("an application may gossip an empty message without making an empty part", () => {
  const { core, network, delegate } = fakeCore({ compression: false });
  delegate.broadcasts.push(new Uint8Array(0));
  sendWithBroadcasts(core, peer, ping);
  assert.deepEqual([...network.packets[0]!.bytes], [7, 2, 0, 2, 0, 1, 8, 112, 8]);
});

Deno.test("with required node names nothing is sent to a destination without one", () => {
  const { core, network } = fakeCore({ requireNodeNames: true });
  const error = { name: "NodeNameRequiredError" };
  assert.throws(() => sendMessages(core, peer, [ping]), error);
  assert.throws(() => sendWithBroadcasts(core, { ...peer, name: "" }, ping), error);
  sendMessages(core, { ...peer, name: "n" }, [ping]);
  assert.equal(network.packets.length, 1);
});

Deno.test("packets that do not leave the machine are counted, and logged once a second", () => {
  const counts = new Map<string, number>();
  const { core, clock, log } = fakeCore();
  const metrics = {
    count: (name: string, n = 1) => void counts.set(name, (counts.get(name) ?? 0) + n),
    gauge() {},
    sample() {},
  };
  for (let i = 0; i < 20; i++) {
    tellUnsent({ ...core, metrics }, { host: `10.0.0.${i}`, port: 7946 }, "oops");
  }
  clock.advanceSync(1_000);
  tellUnsent({ ...core, metrics }, { host: "10.0.0.99", port: 7946 }, "oops");
  assert.deepEqual(log, [
    "error Failed to send UDP packet to 10.0.0.0:7946: oops",
    "error Failed to send UDP packet to 10.0.0.99:7946: oops (19 more not logged)",
  ]);
  assert.equal(counts.get("memberlist.udp.unsent"), 21);
});
