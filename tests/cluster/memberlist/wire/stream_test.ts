import assert from "node:assert/strict";
import { compress } from "../../../../cluster/memberlist/wire/compress.ts";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import {
  Ack,
  encodeMessage,
  ErrorReply,
  MessageType,
  type PushNodeState,
} from "../../../../cluster/memberlist/wire/messages.ts";
import type { PacketOptions } from "../../../../cluster/memberlist/wire/packet.ts";
import {
  type BudgetShare,
  ReceiveBudget,
} from "../../../../cluster/memberlist/wire/receive_budget.ts";
import { loadCiphers } from "../../../../cluster/memberlist/wire/seal.ts";
import { seal } from "../../../../cluster/memberlist/wire/seal.ts";
import {
  decodePushPull,
  decodeUserStream,
  encodePushPull,
  encodeUserStream,
  sealStream,
  StreamError,
  type StreamErrorKind,
  type StreamLimits,
  StreamReader,
} from "../../../../cluster/memberlist/wire/stream.ts";
import { concatBytes, NO_BYTES } from "../../../../protocol/bytes.ts";
import { packetOptions } from "../../../support/memberlist/packet_options.ts";
import { streamOf, streamPair } from "../../../support/memberlist/stream_pair.ts";

await loadCiphers();

const bytes = (hex: string) => Uint8Array.fromHex(hex);

const KEY = new Uint8Array(16).fill(1);
const OTHER_KEY = new Uint8Array(24).fill(2);
const ACK = bytes("0282a75061796c6f6164c0a55365714e6f4d");

interface Reading {
  options?: PacketOptions;
  expectLabel?: boolean;
  chunkBytes?: number;
  limits?: Partial<StreamLimits>;
  share?: BudgetShare;
}

function read(sent: Uint8Array, reading: Reading = {}) {
  const stream = streamOf(sent, reading.chunkBytes);
  const { limits = {}, share } = reading;
  return new StreamReader(stream, reading.options ?? packetOptions(), {
    limits,
    ...(share && { share }),
  })
    .readMessage(reading.expectLabel ?? true);
}

async function assertRefused(
  reading: Promise<unknown>,
  kind: StreamErrorKind,
  message?: string | RegExp,
): Promise<void> {
  await assert.rejects(reading, (error) => {
    assert.ok(error instanceof StreamError, `${error}`);
    assert.equal(error.kind, kind, error.message);
    if (typeof message === "string") assert.equal(error.message, message);
    if (message instanceof RegExp) assert.match(error.message, message);
    return true;
  });
}

/** A push/pull of a header with these two integers and, after it, anything. */
function pushPullOf(nodesHex: string, userStateLenHex: string, restHex = ""): Uint8Array {
  const key = (name: string) =>
    `a${name.length.toString(16)}${new TextEncoder().encode(name).toHex()}`;
  const counts = key("Nodes") + nodesHex + key("UserStateLen") + userStateLenHex;
  return bytes(`0683${key("Join")}c2${counts}${restHex}`);
}

function node(Name: string): PushNodeState {
  return {
    Name,
    Addr: bytes("7f000001"),
    Port: 7946,
    Meta: bytes("ff80"),
    Incarnation: 3,
    State: 0,
    Vsn: bytes("010502020505"),
  };
}

Deno.test("sealStream() and StreamReader agree under every combination of layers and cuts", async () => {
  const state = {
    join: true,
    nodes: [node("a"), node("b")],
    userState: new Uint8Array(2000).fill(7),
  };
  for (const label of ["", "dc1"]) {
    for (
      const keyring of [undefined, new Keyring(), new Keyring([KEY]), new Keyring([OTHER_KEY])]
    ) {
      for (const encryptionVersion of [0, 1] as const) {
        for (const compression of [false, true]) {
          const settings = packetOptions({ label, keyring, encryptionVersion, compression });
          for (const withLabel of [true, false]) {
            const sent = sealStream(encodePushPull(state), settings, withLabel);
            for (const chunkBytes of [1, 7, 100, 100_000]) {
              const message = await read(sent, {
                options: settings,
                expectLabel: withLabel,
                chunkBytes,
              });
              assert.equal(message.type, MessageType.pushPull);
              assert.deepEqual(await decodePushPull(message.body), state);
            }
          }
        }
      }
    }
  }
});

Deno.test("StreamReader hands out a message before the peer has closed", async () => {
  const [dialler, acceptor] = streamPair({ chunkBytes: 3 });
  await dialler.write(ACK);
  const message = await new StreamReader(acceptor, packetOptions()).readMessage(true);
  assert.deepEqual(await message.body.value(Ack), { Payload: null, SeqNo: 77 });
  dialler.close();
});

Deno.test("StreamReader ignores what follows the message", async () => {
  const message = await read(concatBytes([encodeUserStream(bytes("010203")), ACK]));
  assert.deepEqual(await decodeUserStream(message.body), bytes("010203"));
});

Deno.test("StreamReader hands on a type it does not know, also compression in compression", async () => {
  assert.equal((await read(bytes("63"))).type, 99);
  assert.equal((await read(bytes("0c00000000"))).type, MessageType.hasCrc);
  assert.equal((await read(compress(compress(ACK)))).type, MessageType.compress);
});

Deno.test("StreamReader tells a stream that brought nothing from one that broke off", async () => {
  await assertRefused(read(new Uint8Array(0)), "closed");
  const settings = packetOptions({ keyring: new Keyring([KEY]), label: "dc1", compression: true });
  for (const withLabel of [true, false]) {
    const whole = sealStream(ACK, settings, withLabel);
    for (let length = 1; length < whole.length; length++) {
      const reading = { options: settings, expectLabel: withLabel };
      await assertRefused(read(whole.subarray(0, length), reading), "truncated");
    }
  }
});

Deno.test("a body that breaks off is truncated", async () => {
  const state = { join: false, nodes: [node("a")], userState: bytes("0102") };
  const whole = encodePushPull(state);
  for (let length = 1; length < whole.length; length++) {
    const { body } = await read(whole.subarray(0, length), { chunkBytes: 10 });
    await assertRefused(decodePushPull(body), "truncated");
  }
});

Deno.test("StreamReader wants exactly the label from a dialler and none in a reply", async () => {
  const labelled = sealStream(ACK, packetOptions({ label: "dc1" }), true);
  const ours = packetOptions({ label: "dc1" });
  assert.equal((await read(labelled, { options: ours })).type, MessageType.ack);
  assert.equal((await read(ACK, { options: ours, expectLabel: false })).type, MessageType.ack);
  await assertRefused(read(ACK, { options: ours }), "label", 'Label is none, wanted "dc1"');
  await assertRefused(read(labelled), "label", 'Label is "dc1", wanted none');
  await assertRefused(read(labelled, { options: packetOptions({ label: "dc2" }) }), "label");
  await assertRefused(read(bytes("f40002")), "label", /malformed/);
  // In a reply the header is taken for a message of its type.
  const reply = await read(labelled, { options: ours, expectLabel: false });
  assert.equal(reply.type, MessageType.hasLabel);
});

Deno.test("a reply authenticates the label that it does not carry", async () => {
  const keyring = new Keyring([KEY]);
  const sent = sealStream(ACK, packetOptions({ keyring, label: "dc1" }), false);
  const reading = { expectLabel: false, options: packetOptions({ keyring, label: "dc1" }) };
  assert.equal((await read(sent, reading)).type, MessageType.ack);
  const unlabelled = { expectLabel: false, options: packetOptions({ keyring }) };
  await assertRefused(read(sent, unlabelled), "decrypt");
});

Deno.test("StreamReader with keys refuses plain streams unless it need not verify", async () => {
  const keyring = new Keyring([KEY]);
  const text = "encryption is configured but remote state is not encrypted";
  await assertRefused(read(ACK, { options: packetOptions({ keyring }) }), "plaintext", text);
  const lenient = packetOptions({ keyring, verifyIncoming: false });
  assert.equal((await read(ACK, { options: lenient })).type, MessageType.ack);
  // What is encrypted has to fit a key all the same.
  const foreign = sealStream(ACK, packetOptions({ keyring: new Keyring([OTHER_KEY]) }), true);
  await assertRefused(read(foreign, { options: lenient }), "decrypt");
});

Deno.test("StreamReader without keys refuses encrypted streams", async () => {
  const sent = sealStream(ACK, packetOptions({ keyring: new Keyring([KEY]) }), true);
  const text = "remote state is encrypted and encryption is not configured";
  for (const keyring of [undefined, new Keyring()]) {
    await assertRefused(read(sent, { options: packetOptions({ keyring }) }), "encrypted", text);
  }
});

Deno.test("StreamReader refuses a frame that is too long before it arrives", async () => {
  const settings = packetOptions({ keyring: new Keyring([KEY]) });
  await assertRefused(read(bytes("0a01400001"), { options: settings }), "too-large", /20971521 of/);
  await assertRefused(read(bytes("0affffffff"), { options: settings }), "too-large");
  await assertRefused(read(bytes("0a00000000"), { options: settings }), "decrypt");
});

Deno.test("StreamReader refuses encrypted and compressed nothing", async () => {
  const settings = packetOptions({ keyring: new Keyring([KEY]) });
  // sealStream() does not make such a frame; this is the one that kills memberlist 0.2.
  const header = bytes("0a0000001d");
  const frame = concatBytes([header, seal(NO_BYTES, KEY, 1, header, settings.random)]);
  await assertRefused(read(frame, { options: settings }), "malformed", /holds no message/);
  await assertRefused(read(compress(new Uint8Array(0))), "malformed", /is empty/);
});

Deno.test("StreamReader refuses bad compression with the text for the peer", async () => {
  await assertRefused(
    read(bytes("0982a4416c676f01a3427566a0")),
    "malformed",
    "cannot decompress unknown algorithm 1",
  );
  await assertRefused(read(bytes("09a3616263")), "malformed");
  const bomb = compress(new Uint8Array(100_000));
  const limits = { decompressedBytes: 99_999 };
  await assertRefused(read(bomb, { limits }), "malformed", /more than 99999 bytes/);
});

Deno.test("only errors that the peer can use are answered", () => {
  const answered = (kind: StreamErrorKind) => new StreamError(kind, "").isAnswered;
  for (const kind of ["closed", "truncated", "label"] as const) assert.equal(answered(kind), false);
  for (
    const kind of ["plaintext", "encrypted", "decrypt", "malformed", "too-large"] as const
  ) assert.equal(answered(kind), true);
});

Deno.test("an error of the stream itself passes through", async () => {
  const broken = new Error("Connection reset");
  const [near] = streamPair();
  const stream = { ...near, read: () => Promise.reject(broken) };
  const reading = new StreamReader(stream, packetOptions()).readMessage(true);
  await assert.rejects(reading, (error) => error === broken);
});

Deno.test("decodePushPull() refuses counts outside the limits before it reads on", async () => {
  for (
    const [nodes, length] of [["ff", "00"], ["00", "ff"], ["ce00100001", "00"], [
      "00",
      "ce01400001",
    ]]
  ) {
    const { body } = await read(pushPullOf(nodes!, length!));
    await assertRefused(decodePushPull(body), "malformed", /wanted 0 to/);
  }
  const { body } = await read(pushPullOf("cf7fffffffffffffff", "00"));
  await assertRefused(decodePushPull(body), "malformed");
});

Deno.test("decodePushPull() reads entries with missing, nil and short fields", async () => {
  const entries = "80" + "c0" + "81a356736ea3010502";
  const sent = pushPullOf("03", "00", entries);
  const { body } = await read(sent, { chunkBytes: 1 });
  const { nodes, userState } = await decodePushPull(body);
  assert.equal(userState.length, 0);
  assert.deepEqual(nodes.map((each) => each.Vsn?.length), [undefined, undefined, 3]);
  assert.deepEqual(nodes[0], nodes[1]);
});

Deno.test("a stream may bring no more than its limit, however it is split into values", async () => {
  const state = { join: false, nodes: [node("a")], userState: new Uint8Array(5000) };
  const reading = { chunkBytes: 100, limits: { totalBytes: 4000 } };
  const { body } = await read(encodePushPull(state), reading);
  await assertRefused(decodePushPull(body), "too-large");
  // One value that never ends: a raw string of 16 MiB for a name.
  const endless = concatBytes([bytes("0681a44e6f6465db01000000"), new Uint8Array(5000)]);
  const second = await read(endless, reading);
  await assertRefused(decodePushPull(second.body), "malformed");
});

Deno.test("a value that no decoder takes is refused as soon as it is whole", async () => {
  const [dialler, acceptor] = streamPair({ chunkBytes: 1 });
  await dialler.write(bytes("06" + "a3616263"));
  const { body } = await new StreamReader(acceptor, packetOptions()).readMessage(true);
  await assertRefused(decodePushPull(body), "malformed");
  dialler.close();
});

Deno.test("a user message may be empty and not too long", async () => {
  const empty = await read(encodeUserStream(new Uint8Array(0)));
  assert.equal((await decodeUserStream(empty.body)).length, 0);
  for (const length of ["ff", "ce01400001"]) {
    const { body } = await read(bytes(`0881aa557365724d73674c656e${length}`));
    await assertRefused(decodeUserStream(body), "malformed", /user message length/);
  }
});

Deno.test("an err reply carries its text", async () => {
  const sent = encodeMessage(MessageType.err, ErrorReply, { Error: "no" });
  const { type, body } = await read(sent, { expectLabel: false });
  assert.equal(type, MessageType.err);
  assert.deepEqual(await body.value(ErrorReply), { Error: "no" });
});

Deno.test("sealStream() refuses what would kill or anger the peer", () => {
  assert.throws(() => sealStream(new Uint8Array(0), packetOptions(), true), RangeError);
  const large = new Uint8Array(20 * 1024 * 1024);
  const settings = packetOptions({ keyring: new Keyring([KEY]) });
  assert.throws(() => sealStream(large, settings, true), {
    name: "StreamError",
    kind: "too-large",
  });
});

Deno.test("what was handed out stays as it was when more arrives", async () => {
  const states = Array.from({ length: 200 }, (_, i) => node(`node-${i}`));
  const sent = encodePushPull({ join: false, nodes: states, userState: new Uint8Array(3000) });
  const { body } = await read(sent, { chunkBytes: 64 });
  const { nodes } = await decodePushPull(body);
  assert.deepEqual(nodes, states);
});

Deno.test("streams together take no more than the budget, and give back what they took", async () => {
  const message = encodeUserStream(new Uint8Array(1_000));
  for (const compression of [false, true]) {
    const sent = sealStream(message, packetOptions({ compression }), true);
    const budget = new ReceiveBudget(3_000);
    const [first, second] = [budget.share(), budget.share()];
    first.take(2_500);
    const refused = read(sent, { share: second }).then(({ body }) => decodeUserStream(body));
    await assertRefused(refused, "too-large");
    first.release();
    second.release();
    assert.equal(budget.left, 3_000);
    const { body } = await read(sent, { share: second });
    assert.equal((await decodeUserStream(body)).length, 1_000);
    second.release();
  }
});
