import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { compressLzw, decompressLzw, LzwError } from "../../../../cluster/memberlist/wire/lzw.ts";
import samples from "../../../vectors/codec.json" with { type: "json" };

const LIMIT = 1 << 20;

/** How the generated samples were made, by their description. */
const GENERATORS: Record<string, (i: number) => number> = {
  "i -> (i*7919 + (i>>3)) & 255": (i) => (i * 7919 + (i >> 3)) & 255,
  "i -> (i*i) mod 251": (i) => (i * i) % 251,
  "i -> i & 1": (i) => i & 1,
};

Deno.test("compressLzw() and decompressLzw() agree with Go on short inputs", () => {
  for (const { inputHex, outputHex } of samples.lzw) {
    const input = Uint8Array.fromHex(inputHex);
    assert.equal(compressLzw(input).toHex(), outputHex);
    assert.equal(decompressLzw(Uint8Array.fromHex(outputHex), LIMIT).toHex(), inputHex);
  }
});

Deno.test("compressLzw() and decompressLzw() agree with Go over every code width and table resets", () => {
  for (const sample of samples.lzwGenerated) {
    const input = Uint8Array.from({ length: sample.inputLength }, (_, i) => {
      return GENERATORS[sample.input]!(i);
    });
    assert.equal(sha256(input), sample.inputSha256);
    const output = compressLzw(input);
    const name = `${sample.input}, ${sample.inputLength} bytes`;
    assert.equal(output.length, sample.outputLength, name);
    assert.equal(output.subarray(0, 32).toHex(), sample.outputFirst32Hex, name);
    assert.equal(output.subarray(-8).toHex(), sample.outputLast8Hex, name);
    assert.equal(sha256(output), sample.outputSha256, name);
    assert.equal(sha256(decompressLzw(output, LIMIT)), sample.inputSha256, name);
  }
});

Deno.test("compressLzw() of nothing is a clear and an end code", () => {
  assert.equal(compressLzw(new Uint8Array(0)).toHex(), "000302");
  assert.equal(decompressLzw(Uint8Array.fromHex("000302"), 0).length, 0);
});

Deno.test("compressLzw() round-trips all lengths around the table reset", () => {
  for (let length = 3820; length < 3860; length++) {
    const input = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 5) * 17) & 255);
    assert.deepEqual(decompressLzw(compressLzw(input), length), input);
  }
});

Deno.test("decompressLzw() needs no clear code at the start and ignores what follows the end code", () => {
  // The 9-bit codes 97 and 257.
  assert.equal(decompressLzw(Uint8Array.fromHex("610202"), LIMIT).toHex(), "61");
  assert.equal(decompressLzw(Uint8Array.fromHex("00c30404ffff"), LIMIT).toHex(), "61");
});

Deno.test("decompressLzw() goes on with a full table until the next clear code", () => {
  // A clear, then 5,000 literals: the table fills at 12 bits and must not grow further.
  const codes = [256, ...Array.from({ length: 5000 }, (_, i) => i & 255), 257];
  const wanted = Uint8Array.from(codes.slice(1, -1));
  assert.deepEqual(decompressLzw(pack(codes), LIMIT), wanted);
});

Deno.test("decompressLzw() refuses data that ends before the end code", () => {
  const whole = compressLzw(new TextEncoder().encode("abracadabra abracadabra"));
  for (let length = 0; length < whole.length - 1; length++) {
    assert.throws(() => decompressLzw(whole.subarray(0, length), LIMIT), LzwError);
  }
});

Deno.test("decompressLzw() refuses a code that was not assigned yet", () => {
  for (const codes of [[258, 257], [256, 258, 257], [256, 97, 259, 257], [97, 256, 258, 257]]) {
    assert.throws(() => decompressLzw(pack(codes), LIMIT), /LZW code 25[89] is not assigned/);
  }
});

Deno.test("decompressLzw() stops at the limit without spending more memory", () => {
  const bomb = compressLzw(new Uint8Array(LIMIT));
  assert.ok(bomb.length < 4096);
  assert.equal(decompressLzw(bomb, LIMIT).length, LIMIT);
  assert.throws(() => decompressLzw(bomb, LIMIT - 1), /decompresses to more than 1048575 bytes/);
  assert.throws(() => decompressLzw(bomb, 10), LzwError);
});

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Packs codes in the widths that a decoder expects: one more bit each time the table outgrows it. */
function pack(codes: number[]): Uint8Array {
  const bits: number[] = [];
  let width = 9;
  let high = 257;
  for (const code of codes) {
    for (let i = 0; i < width; i++) bits.push((code >> i) & 1);
    if (code === 256) {
      width = 9;
      high = 257;
    } else if (++high === 1 << width && width < 12) width++;
  }
  const bytes = new Uint8Array(Math.ceil(bits.length / 8));
  bits.forEach((bit, i) => bytes[i >> 3]! |= bit << (i & 7));
  return bytes;
}
