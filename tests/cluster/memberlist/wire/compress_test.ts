import assert from "node:assert/strict";
import {
  compress,
  CompressionError,
  decompress,
} from "../../../../cluster/memberlist/wire/compress.ts";

const bytes = (hex: string) => Uint8Array.fromHex(hex);
const LIMIT = 1 << 20;

/** docs/spec/memberlist.md 14.15: an ack as it travels on a stream. */
const ACK = "0282a75061796c6f6164c0a55365714e6f4d";
const COMPRESSED_ACK = "0982a4416c676f00a3427566b70005083a05254c1e366fc29001566a4a99384ede340908";

Deno.test("compress() and decompress() agree with a captured ack", () => {
  assert.equal(compress(bytes(ACK)).toHex(), COMPRESSED_ACK);
  assert.equal(decompress(bytes(COMPRESSED_ACK), LIMIT).toHex(), ACK);
});

Deno.test("compress() uses raw headers of every width", () => {
  for (const length of [1, 40, 400, 5000, 90_000]) {
    const message = Uint8Array.from({ length }, (_, i) => (i * i * 31) >> 3);
    assert.deepEqual(decompress(compress(message), LIMIT), message);
  }
});

Deno.test("decompress() refuses an unknown algorithm", () => {
  assert.throws(() => decompress(bytes("0982a4416c676f01a3427566a0"), LIMIT), {
    name: "CompressionError",
    message: "cannot decompress unknown algorithm 1",
  });
});

Deno.test("decompress() refuses a message of nothing", () => {
  // LZW of nothing, then no LZW at all.
  for (const buf of ["a3000302", "a0", "c0"]) {
    assert.throws(
      () => decompress(bytes(`0982a4416c676f00a3427566${buf}`), LIMIT),
      CompressionError,
    );
  }
});

Deno.test("decompress() refuses malformed and cut bodies", () => {
  const whole = bytes(COMPRESSED_ACK);
  for (let length = 1; length < whole.length; length++) {
    assert.throws(() => decompress(whole.subarray(0, length), LIMIT), CompressionError);
  }
  assert.throws(() => decompress(bytes("09a3616263"), LIMIT), CompressionError);
});

Deno.test("decompress() keeps to the limit", () => {
  const bomb = compress(new Uint8Array(1000));
  assert.equal(decompress(bomb, 1000).length, 1000);
  assert.throws(() => decompress(bomb, 999), /more than 999 bytes/);
});
