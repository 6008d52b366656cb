import assert from "node:assert/strict";
import { concatBytes } from "../../../protocol/bytes.ts";
import {
  DecodeError,
  encodeValue,
  Splitter,
  type SplitterLimits,
  type Value,
} from "../../../protocol/msgpack/mod.ts";
import { MessagePackDecoderStream } from "../../../protocol/msgpack/decoder_stream.ts";
import { below, randomValue } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";
import codecVectors from "../../vectors/codec.json" with { type: "json" };
import ipcVectors from "../../vectors/ipc.json" with { type: "json" };

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? 20_261_121);

function split(chunks: Iterable<Uint8Array>, limits?: Partial<SplitterLimits>): string[] {
  const values: string[] = [];
  const splitter = new Splitter((value) => values.push(value.toHex()), limits);
  for (const chunk of chunks) splitter.push(chunk);
  assert.equal(splitter.pending, 0);
  return values;
}

function* oneByOne(bytes: Uint8Array): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length; i++) yield bytes.subarray(i, i + 1);
}

/** Requests and responses of the vectors with what a plain look at the bytes makes of them. */
const messages = ipcVectors.flatMap((v) => [v.request_hex, v.response_hex]).filter((hex) => hex)
  .map((hex) => Uint8Array.fromHex(hex));

Deno.test("every captured message splits alike whole, byte by byte and cut at every place", () => {
  for (const message of messages) {
    const whole = split([message]);
    assert.equal(whole.join(""), message.toHex());
    assert.deepEqual(split(oneByOne(message)), whole);
    for (let cut = 1; cut < Math.min(message.length, 600); cut++) {
      assert.deepEqual(split([message.subarray(0, cut), message.subarray(cut)]), whole);
    }
  }
});

Deno.test("every sample of the codecs is one value", () => {
  for (const { name, hex } of [...codecVectors.msgpack_0_5_5, ...codecVectors.msgpack_2_1_5]) {
    if (/^(str|bytes)\d\d+$/.test(name)) continue;
    assert.deepEqual(split([Uint8Array.fromHex(hex)]), [hex], name);
    assert.deepEqual(split(oneByOne(Uint8Array.fromHex(hex))), [hex], name);
  }
});

Deno.test("random values split into themselves however the stream is cut", () => {
  const random = new SeededRandom(SEED);
  for (let round = 0; round < 300; round++) {
    const values = Array.from(
      { length: 1 + below(random, 6) },
      () => encodeValue(randomValue(random, 3), random.float() < 0.5 ? "rpc" : "gossip"),
    );
    const stream = concatBytes(values);
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < stream.length;) {
      const end = Math.min(stream.length, at + below(random, 1 + below(random, 200)));
      chunks.push(stream.subarray(at, end));
      at = end;
    }
    assert.deepEqual(split(chunks), values.map((v) => v.toHex()), `seed ${SEED} round ${round}`);
  }
});

Deno.test("heads of every kind may be cut anywhere", () => {
  const kinds = [
    "00",
    "7f",
    "e0",
    "ff",
    "c0",
    "c2",
    "c3",
    "cc80",
    "cdffff",
    "ceffffffff",
    "a0",
    "90",
    "80",
  ];
  kinds.push("cf" + "ff".repeat(8), "d080", "d18000", "d280000000", "d3" + "80".repeat(8));
  kinds.push(
    "ca3fc00000",
    "cb" + "3f".repeat(8),
    "a3616263",
    "d900",
    "d90161",
    "da0000",
    "da000161",
  );
  kinds.push("db00000000", "db0000000161", "c400", "c40161", "c50000", "c5000161", "c600000000");
  kinds.push("c60000000161", "9201a161", "dc0000", "dc00020102", "dd00000000", "dd0000000101");
  kinds.push(
    "8101a161",
    "de0000",
    "de00010102",
    "df00000000",
    "df000000010203",
    "81c081c09181c0c3",
  );
  kinds.push(
    "d40101",
    "d5010102",
    "d60101020304",
    "d701" + "00".repeat(8),
    "d801" + "00".repeat(16),
  );
  kinds.push("c70001", "c70201aabb", "c8000201aabb", "c90000000201aabb");
  const stream = Uint8Array.fromHex(kinds.join(""));
  assert.deepEqual(split([stream]), kinds);
  assert.deepEqual(split(oneByOne(stream)), kinds);
});

Deno.test("pending tells the bytes of the unfinished value", () => {
  const splitter = new Splitter(() => {});
  assert.equal(splitter.pending, 0);
  splitter.push(Uint8Array.fromHex("c092a161"));
  assert.equal(splitter.pending, 3);
  splitter.push(Uint8Array.fromHex("c0"));
  assert.equal(splitter.pending, 0);
});

Deno.test("a value that came in pieces stays good after the next ones", () => {
  const values: Uint8Array[] = [];
  const splitter = new Splitter((value) => values.push(value));
  for (const chunk of ["a361", "6263a3", "646566"]) splitter.push(Uint8Array.fromHex(chunk));
  assert.deepEqual(values.map((v) => v.toHex()), ["a3616263", "a3646566"]);
});

Deno.test("garbage and claims beyond the limits end the splitter for good", () => {
  const cases: [string, Partial<SplitterLimits>, RegExp][] = [
    ["c1", {}, /0xc1/],
    ["92c0c1", {}, /0xc1/],
    ["dbffffffff", {}, /4294967295 of/],
    ["c6ffffffff", {}, /4294967295 of/],
    ["c9ffffffff", {}, /4294967295 of/],
    ["ddffffffff", {}, /4294967295 of/],
    ["dfffffffff", {}, /4294967295 of/],
    ["919191c0", { maxDepth: 2 }, /deeper than 2/],
    ["919190", { maxDepth: 2 }, /deeper than 2/],
    ["da00ff", { maxBytes: 254 }, /255 of 254/],
    ["dc0003", { maxCount: 2 }, /3 of 2/],
    ["da00ff", { maxValueBytes: 100 }, /258 or more of 100/],
    ["93a161a161a161", { maxValueBytes: 6 }, /of 6 bytes/],
  ];
  for (const [hex, limits, message] of cases) {
    for (const chunks of [[Uint8Array.fromHex(hex)], [...oneByOne(Uint8Array.fromHex(hex))]]) {
      const splitter = new Splitter(() => assert.fail("no value expected"), limits);
      const feed = () => chunks.forEach((chunk) => splitter.push(chunk));
      assert.throws(
        feed,
        (error) => error instanceof DecodeError && message.test(error.message),
        hex,
      );
      assert.throws(() => splitter.push(Uint8Array.of(0xc0)), DecodeError);
    }
  }
});

Deno.test("what the receiver throws passes through", () => {
  const splitter = new Splitter(() => {
    throw new TypeError("no");
  });
  assert.throws(() => splitter.push(Uint8Array.of(0xc0)), TypeError);
});

Deno.test("a value byte by byte costs time in proportion to its length", () => {
  const big = encodeValue(Array.from({ length: 40_000 }, (_, i) => `entry ${i}`), "rpc");
  let looked = 0;
  const counting = new Splitter((value) => looked += value.length);
  const started = Date.now();
  for (let i = 0; i < big.length; i++) counting.push(big.subarray(i, i + 1));
  assert.equal(looked, big.length);
  // A scan from the start for each of the 450,000 bytes would take minutes.
  assert(Date.now() - started < 5_000);
});

Deno.test("MessagePackDecoderStream gives the values of a cut stream", async () => {
  const stream = concatBytes([1, "zwei", [3, null], { four: 4 }].map((v) => encodeValue(v, "rpc")));
  const values: Value[] = [];
  const decoded = ReadableStream.from(oneByOne(stream)).pipeThrough(new MessagePackDecoderStream());
  for await (const value of decoded) values.push(value);
  assert.deepEqual(values, [1, "zwei", [3, null], new Map([["four", 4]])]);
});

Deno.test("MessagePackDecoderStream fails on an end inside a value, on garbage and beyond a limit", async () => {
  const read = async (hex: string, limits?: Partial<SplitterLimits>) => {
    const chunks = ReadableStream.from([Uint8Array.fromHex(hex)]);
    return await Array.fromAsync(chunks.pipeThrough(new MessagePackDecoderStream(limits)));
  };
  await assert.rejects(read("c092"), /ended 1 bytes into a value/);
  await assert.rejects(read("c0c1"), DecodeError);
  await assert.rejects(read("a161", { maxValueBytes: 1 }), DecodeError);
  assert.deepEqual(await read("a161", { maxValueBytes: 2 }), ["a"]);
});
