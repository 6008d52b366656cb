import assert from "node:assert/strict";
import {
  Alive,
  encodeMessage,
  MessageType,
  Ping,
  PushNodeState,
  Suspect,
} from "../../../../cluster/memberlist/wire/messages.ts";
import { decode, DecodeError, encode } from "../../../../protocol/msgpack/mod.ts";
import { CODECS, describe } from "../../../support/memberlist/wire_vectors.ts";

/** Messages of docs/spec/memberlist.md 14 that the sample file does not hold. */
const EXAMPLES: [name: string, hex: string, body: Record<string, unknown>][] = [
  [
    "indirectPing, 14.4",
    "0188a44e61636bc3a44e6f6465a566616b6532a4506f7274cd426aa55365714e6f08aa536f7572636541646472a47f00" +
    "0001aa536f757263654e6f6465a5616c706861aa536f75726365506f7274cd461aa6546172676574a47f000001",
    {
      Nack: true,
      Node: "fake2",
      Port: 17002,
      SeqNo: 8,
      SourceAddr: "hex:7f000001",
      SourceNode: "alpha",
      SourcePort: 17946,
      Target: "hex:7f000001",
    },
  ],
  [
    "dead of a leave, 14.8",
    "0583a446726f6da5616c706861ab496e6361726e6174696f6e02a44e6f6465a5616c706861",
    { From: "alpha", Incarnation: 2, Node: "alpha" },
  ],
  [
    "err, 14.16",
    "0d81a54572726f72da002543616e6e6f74206465636f6d707265737320756e6b6e6f776e20616c676f726974686d2031",
    { Error: "Cannot decompress unknown algorithm 1" },
  ],
  [
    "alive, 14.30",
    "0486a441646472a47f000001ab496e6361726e6174696f6e05a44d657461c0a44e6f6465a16ea4506f7274cd1f0aa356" +
    "736ea6010502020504",
    {
      Addr: "hex:7f000001",
      Incarnation: 5,
      Meta: null,
      Node: "n",
      Port: 7946,
      Vsn: "hex:010502020504",
    },
  ],
];

for (const [name, hex, body] of EXAMPLES) {
  Deno.test(`${name}: decodes and encodes to the same bytes`, () => {
    const bytes = Uint8Array.fromHex(hex);
    const codec = CODECS[bytes[0]!]!;
    const value = decode(codec, bytes, 1);
    assert.deepEqual(describe(value), body);
    assert.equal(encodeMessage(bytes[0] as MessageType, codec, value).toHex(), hex);
  });
}

Deno.test("Ping leaves out an empty source", () => {
  const ping = { SeqNo: 1, Node: "n", SourceAddr: null, SourcePort: 0, SourceNode: "" };
  const hex = "0082a44e6f6465a16ea55365714e6f01";
  assert.equal(encodeMessage(MessageType.ping, Ping, ping).toHex(), hex);
  assert.equal(
    encodeMessage(MessageType.ping, Ping, { ...ping, SourceAddr: new Uint8Array(0) }).toHex(),
    hex,
  );
  assert.deepEqual(decode(Ping, Uint8Array.fromHex(hex), 1), ping);
});

Deno.test("messages given as arrays are read in Go's declaration order", () => {
  const suspect = Uint8Array.fromHex("93" + "07" + "a16e" + "a166");
  assert.deepEqual(decode(Suspect, suspect), { Incarnation: 7, Node: "n", From: "f" });
  const node = Uint8Array.fromHex(
    "97" + "a16e" + "a47f000001" + "cd1f0a" + "c0" + "02" + "03" + "c0",
  );
  assert.deepEqual(describe(decode(PushNodeState, node)), {
    Name: "n",
    Addr: "hex:7f000001",
    Port: 7946,
    Meta: null,
    Incarnation: 2,
    State: 3,
    Vsn: null,
  });
});

Deno.test("version bytes are read in any number but never written with 1 to 5", () => {
  const alive = decode(Alive, new Uint8Array([0xc0]));
  for (let length = 0; length <= 8; length++) {
    const Vsn = new Uint8Array(length).fill(1);
    const raw = encode(Alive, alive, "gossip").toHex().replace(/c0$/, `a${length}${Vsn.toHex()}`);
    assert.deepEqual(decode(Alive, Uint8Array.fromHex(raw)).Vsn, Vsn);
    const written = decode(Alive, encode(Alive, { ...alive, Vsn }, "gossip")).Vsn;
    assert.deepEqual(written, length >= 1 && length <= 5 ? null : Vsn);
  }
});

Deno.test("messages with a field of the wrong kind or size are refused", () => {
  const wrong = [
    "81a55365714e6fff", // SeqNo -1
    "81a55365714e6fcf0000000100000000", // SeqNo 2^32
    "81a44e6f646507", // Node 7
    "81a55365714e6f", // cut
    "81aa536f75726365506f7274ce00010000", // SourcePort 65536
  ];
  for (const hex of wrong) {
    assert.throws(() => decode(Ping, Uint8Array.fromHex(hex)), DecodeError, hex);
  }
});
