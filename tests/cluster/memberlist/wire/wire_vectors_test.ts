import assert from "node:assert/strict";
import { encodeMessage, MessageType } from "../../../../cluster/memberlist/wire/messages.ts";
import {
  openPacket,
  packCompound,
  sealPacket,
} from "../../../../cluster/memberlist/wire/packet.ts";
import {
  decodePushPull,
  decodeUserStream,
  encodePushPull,
  encodeUserStream,
  sealStream,
  type StreamMessage,
  StreamReader,
} from "../../../../cluster/memberlist/wire/stream.ts";
import { decode } from "../../../../protocol/msgpack/mod.ts";
import { streamOf } from "../../../support/memberlist/stream_pair.ts";
import {
  CODECS,
  describe,
  type Described,
  type Vector,
  VECTORS,
} from "../../../support/memberlist/wire_vectors.ts";

/** Their length fields are signed, as go-msgpack 2 writes them; ours are unsigned, which both read. */
const SIGNED_LENGTHS = [
  "tcp-label-pushpull-join-request",
  "tcp-label-pushpull-response-nolabelheader",
  "tcp-usermsg-plain-v2ints",
];

for (const vector of VECTORS) {
  Deno.test(`${vector.name}: decodes to what was captured and encodes to the same bytes`, async () => {
    if (vector.transport === "udp") return checkPacket(vector);
    for (const chunkBytes of [undefined, 1]) await checkStream(vector, chunkBytes);
  });
}

Deno.test("the samples hold packets and streams", () => {
  assert.ok(VECTORS.filter((vector) => vector.transport === "udp").length >= 18);
  assert.ok(VECTORS.filter((vector) => vector.transport === "tcp").length >= 16);
});

function checkPacket({ bytes, messages, options, hasCrc }: Vector): void {
  const opened = openPacket(bytes, options);
  assert.deepEqual(opened.problems, []);
  assert.equal(opened.messages.length, messages.length);
  const encoded = messages.map((wanted, i) => {
    const got = opened.messages[i] as Uint8Array;
    assert.equal(got[0], wanted.type);
    if (wanted.type === MessageType.user) {
      assert.equal(got.subarray(1).toHex(), wanted.payloadHex);
      return got;
    }
    const codec = CODECS[wanted.type]!;
    const value = decode(codec, got, 1);
    checkBody(value, wanted);
    return encodeMessage(wanted.type as MessageType, codec, value);
  });
  const [packed, ...more] = packCompound(encoded);
  assert.deepEqual(more, []);
  assert.equal(sealPacket(packed!, options, hasCrc).toHex(), bytes.toHex());
}

async function checkStream(vector: Vector, chunkBytes: number | undefined): Promise<void> {
  const { bytes, messages: [wanted], options, hasLabel, name } = vector;
  assert.ok(wanted);
  // What the dialling side reads carries no label, whatever the label is.
  const expectLabel = options.label.length === 0 || hasLabel;
  const message = await new StreamReader(streamOf(bytes, chunkBytes), options)
    .readMessage(expectLabel);
  assert.equal(message.type, wanted.type);
  const encoded = await reencode(message, wanted);
  assert.equal(await message.body.byte(), undefined, "nothing follows the message");
  const sealed = sealStream(encoded, options, hasLabel);
  if (!SIGNED_LENGTHS.includes(name)) {
    assert.equal(sealed.toHex(), bytes.toHex());
    return;
  }
  const again = await new StreamReader(streamOf(sealed), options).readMessage(expectLabel);
  assert.deepEqual(await reencode(again, wanted), encoded);
}

/** Compares a message with its description and encodes it again. */
async function reencode({ type, body }: StreamMessage, wanted: Described): Promise<Uint8Array> {
  if (type === MessageType.pushPull) {
    const state = await decodePushPull(body);
    assert.equal(state.join, wanted.header?.["Join"]);
    assert.equal(state.nodes.length, wanted.header?.["Nodes"]);
    assert.deepEqual(state.nodes.map(describe), wanted.nodes);
    assert.equal(state.userState.length, wanted.header?.["UserStateLen"]);
    assert.equal(state.userState.toHex(), wanted.userStateHex);
    return encodePushPull(state);
  }
  if (type === MessageType.user) {
    const message = await decodeUserStream(body);
    assert.equal(message.length, wanted.header?.["UserMsgLen"]);
    assert.equal(message.toHex(), wanted.payloadHex);
    return encodeUserStream(message);
  }
  const codec = CODECS[type]!;
  const value = await body.value(codec);
  checkBody(value, wanted);
  return encodeMessage(type as MessageType, codec, value);
}

/** Fields that the description does not name were omitted on the wire and read as zero. */
function checkBody(value: unknown, wanted: Described): void {
  const zero = describe(CODECS[wanted.type]!.zero()) as Record<string, unknown>;
  assert.deepEqual(describe(value), { ...zero, ...wanted.body });
}
