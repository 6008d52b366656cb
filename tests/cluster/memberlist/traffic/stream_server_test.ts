import assert from "node:assert/strict";
import type { MemberlistConfig } from "../../../../cluster/memberlist/core/config.ts";
import { serveStream } from "../../../../cluster/memberlist/traffic/stream_server.ts";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import {
  Ack,
  encodeMessage,
  ErrorReply,
  MessageType,
  Ping,
  PushPullHeader,
  UserHeader,
} from "../../../../cluster/memberlist/wire/messages.ts";
import type { PacketOptions } from "../../../../cluster/memberlist/wire/packet.ts";
import { RECEIVE_BUDGET_BYTES } from "../../../../cluster/memberlist/wire/receive_budget.ts";
import {
  encodeUserStream,
  sealStream,
  StreamReader,
} from "../../../../cluster/memberlist/wire/stream.ts";
import { fakeCore } from "../../../support/memberlist/core_fake.ts";
import { packetOptions } from "../../../support/memberlist/packet_options.ts";
import { streamPair } from "../../../support/memberlist/fake_network.ts";
import { seededRandom } from "../../../support/memberlist/fakes.ts";
import vectors from "../../../vectors/memberlist.json" with { type: "json" };

const dialler = { host: "10.0.0.9", port: 40_000 };
const acceptor = { host: "10.0.0.1", port: 7_946 };

/** Serves one stream on which `bytes` arrive. `ends` says whether the peer then closes. */
async function serve(
  bytes: Uint8Array,
  overrides: Partial<MemberlistConfig> = {},
  { ends = false, ms = 50 } = {},
) {
  const fake = fakeCore({ compression: false, ...overrides });
  const { near, far } = streamPair(fake.clock, dialler, acceptor);
  let isServed = false;
  serveStream(fake.core, far).then(() => isServed = true);
  if (bytes.length > 0) await near.write(bytes);
  if (ends) near.close();
  await fake.clock.advance(ms);
  /** What the node sent, as one reply in the layers of `options`. */
  const reply = async (options: PacketOptions = packetOptions()) => {
    const { type, body } = await new StreamReader(near, options).readMessage(false);
    if (type === MessageType.ack) return await body.value(Ack);
    if (type === MessageType.err) return await body.value(ErrorReply);
    throw new Error(`Reply of type ${type}`);
  };
  /** Whether the node closed without a reply. */
  const isSilent = async () => isServed && far.isClosed && await near.read() === null;
  return { ...fake, near, far, reply, isSilent, isServed: () => isServed };
}

function pingMessage(node: string): Uint8Array {
  const ping = { SeqNo: 77, Node: node, SourceAddr: null, SourcePort: 0, SourceNode: "" };
  return encodeMessage(MessageType.ping, Ping, ping);
}

Deno.test("a ping on a stream is answered without the application's payload", async () => {
  for (const node of ["me", ""]) {
    const { reply, delegate, isServed } = await serve(pingMessage(node));
    delegate.payload = Uint8Array.of(1);
    assert.deepEqual(await reply(), { SeqNo: 77, Payload: null });
    assert.ok(isServed());
  }
});

Deno.test("a ping for another node gets no reply", async () => {
  const { isSilent, log } = await serve(pingMessage("other"));
  assert.ok(await isSilent());
  assert.equal(log.at(-1), "warn Got ping for unexpected node other from=10.0.0.9:40000");
});

Deno.test("the answer to a ping equals the captured one of a Go agent", async () => {
  const ping = { SeqNo: 0x4e, Node: "me", SourceAddr: null, SourcePort: 0, SourceNode: "" };
  const { near } = await serve(encodeMessage(MessageType.ping, Ping, ping));
  const bytes = await near.read();
  const hex = bytes?.reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
  assert.equal(hex, "0282a75061796c6f6164c0a55365714e6f4e", "docs/spec/memberlist.md 14.14");
});

Deno.test("a user message on a stream is delivered unless it is empty", async () => {
  const { delegate, isSilent } = await serve(encodeUserStream(Uint8Array.of(1, 2, 3)));
  assert.deepEqual(delegate.messages, [Uint8Array.of(1, 2, 3)]);
  assert.ok(await isSilent());
  const empty = await serve(encodeUserStream(new Uint8Array(0)));
  assert.deepEqual(empty.delegate.messages, []);
});

Deno.test("a message of a type that has no place on streams gets no reply", async () => {
  for (const type of [1, 2, 3, 4, 5, 7, 11, 12, 13, 99]) {
    const { isSilent, delegate } = await serve(Uint8Array.of(type, 0x80));
    assert.ok(await isSilent(), `type ${type}`);
    assert.deepEqual(delegate.events, []);
  }
  const options = packetOptions({ compression: true });
  const twice = sealStream(sealStream(pingMessage("me"), options, false), options, false);
  assert.ok(await (await serve(twice)).isSilent(), "compressed twice");
});

Deno.test("a stream that ends before a message or in the middle of one gets no reply", async () => {
  const nothing = await serve(new Uint8Array(0), {}, { ends: true });
  assert.ok(nothing.isServed());
  assert.deepEqual(nothing.log.filter((line) => !line.startsWith("debug")), []);
  const half = await serve(pingMessage("me").subarray(0, 5), {}, { ends: true });
  assert.ok(half.isServed());
});

Deno.test("an idle stream is closed after the stream timeout", async () => {
  const { far, isServed, clock, log } = await serve(new Uint8Array(0), {}, { ms: 9_999 });
  assert.equal(far.isClosed, false);
  await clock.advance(1);
  assert.ok(far.isClosed && isServed());
  assert.match(
    log.at(-1) ?? "",
    /^error failed to receive: read tcp 10\.0\.0\.9:40000: i\/o timeout/,
  );
});

const KEY = new Keyring([new Uint8Array(32).fill(7)]);

Deno.test("an encrypting node tells a plain peer why, encrypted", async () => {
  const { reply } = await serve(pingMessage("me"), { keyring: KEY });
  assert.deepEqual(await reply(packetOptions({ keyring: KEY })), {
    Error: "encryption is configured but remote state is not encrypted",
  });
});

Deno.test("a node without keys tells an encrypting peer why, in clear", async () => {
  const request = sealStream(pingMessage("me"), packetOptions({ keyring: KEY }), true);
  const { reply } = await serve(request);
  assert.deepEqual(await reply(), {
    Error: "remote state is encrypted and encryption is not configured",
  });
});

Deno.test("verification of what comes in and of what goes out are independent", async () => {
  const lenient = { keyring: KEY, verifyIncoming: false };
  const encrypted = packetOptions({ keyring: KEY });
  const plain = await serve(pingMessage("me"), lenient);
  assert.deepEqual(await plain.reply(encrypted), { SeqNo: 77, Payload: null });
  const sealed = sealStream(pingMessage("me"), encrypted, true);
  assert.deepEqual(await (await serve(sealed, lenient)).reply(encrypted), {
    SeqNo: 77,
    Payload: null,
  });
  const clear = await serve(sealed, { keyring: KEY, verifyOutgoing: false });
  assert.deepEqual(await clear.reply(), { SeqNo: 77, Payload: null });
});

Deno.test("a key that does not fit and an unknown compression get an error reply", async () => {
  const other = packetOptions({ keyring: new Keyring([new Uint8Array(32)]) });
  const sealed = sealStream(pingMessage("me"), other, true);
  const wrongKey = await serve(sealed, { keyring: KEY });
  const error = await wrongKey.reply(packetOptions({ keyring: KEY }));
  assert.match((error as ErrorReply).Error, /could decrypt/);
  const compressed = Uint8Array.of(9, 0x82, 0xa4, 65, 108, 103, 111, 1, 0xa3, 66, 117, 102, 0xa0);
  const unknown = await (await serve(compressed)).reply();
  assert.deepEqual(unknown, { Error: "cannot decompress unknown algorithm 1" });
});

Deno.test("a wrong label gets no reply, the right one is not repeated in the reply", async () => {
  const labelled = packetOptions({ label: "dc1", keyring: KEY });
  const request = sealStream(pingMessage("me"), labelled, true);
  const { reply } = await serve(request, { keyring: KEY, label: "dc1" });
  assert.deepEqual(await reply(labelled), { SeqNo: 77, Payload: null });
  assert.ok(await (await serve(request, { keyring: KEY })).isSilent());
  assert.ok(await (await serve(request, { keyring: KEY, label: "dc2" })).isSilent());
  assert.ok(await (await serve(pingMessage("me"), { label: "dc1" })).isSilent());
});

Deno.test("bad counts close the stream without a reply or a merge", async () => {
  const header = (Nodes: number, UserStateLen: number) =>
    encodeMessage(MessageType.pushPull, PushPullHeader, { Nodes, UserStateLen, Join: true });
  for (const request of [header(-1, 0), header(0, -1), header(2 ** 30, 0), header(0, 2 ** 30)]) {
    const { isSilent, delegate } = await serve(request);
    assert.ok(await isSilent());
    assert.deepEqual(delegate.events, []);
  }
  for (const UserMsgLen of [-1, 2 ** 30]) {
    const request = encodeMessage(MessageType.user, UserHeader, { UserMsgLen });
    const { isSilent, delegate } = await serve(request);
    assert.ok(await isSilent());
    assert.deepEqual(delegate.messages, []);
  }
});

Deno.test("an application that throws harms only its own stream", async () => {
  const fake = fakeCore();
  fake.delegate.notifyMessage = () => {
    throw new Error("oops");
  };
  const { near, far } = streamPair(fake.clock, dialler, acceptor);
  const serving = serveStream(fake.core, far);
  await near.write(encodeUserStream(Uint8Array.of(1)));
  await fake.clock.advance(10);
  await serving;
  assert.equal(fake.log.at(-1), "error Failed to receive user message: oops from=10.0.0.9:40000");
});

Deno.test("garbage on streams is survived and leaves nothing behind", async () => {
  const random = seededRandom(5);
  const captured = vectors.filter(({ transport }) => transport === "tcp")
    .map(({ hex }) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16)));
  assert.ok(captured.length > 10);
  const fake = fakeCore();
  for (let i = 0; i < 300; i++) {
    const bytes = captured[i % captured.length]!.slice();
    for (let flip = Math.floor(random.float() * 4); flip > 0; flip--) {
      bytes[Math.floor(random.float() * bytes.length)] = Math.floor(random.float() * 256);
    }
    const { near, far } = streamPair(fake.clock, dialler, acceptor);
    const serving = serveStream(fake.core, far);
    await near.write(bytes);
    near.close();
    await fake.clock.advance(5);
    await serving;
  }
  assert.equal(fake.core.streams.size, 0);
  assert.equal(fake.core.serving.pushPulls, 0);
  fake.core.timers.close();
});

Deno.test("a stream gives the memory that it took back, however it ends", async () => {
  const user = encodeUserStream(new Uint8Array(1_000));
  for (const bytes of [user, user.subarray(0, 500), Uint8Array.of(MessageType.compress, 1)]) {
    const { core, isServed } = await serve(bytes, {}, { ends: true });
    assert.ok(isServed());
    assert.equal(core.receiveBudget.left, RECEIVE_BUDGET_BYTES);
  }
});
