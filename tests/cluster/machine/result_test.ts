import assert from "node:assert/strict";
import { decodeResult, encodeResult, type Result } from "../../../cluster/machine/result.ts";
import { DecodeError } from "../../../protocol/msgpack/mod.ts";
import { mutated } from "../../support/mutate.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const TABLE: [Result, string][] = [
  [{ ok: true, rev: 0, body: new Uint8Array() }, "01c300c400"],
  [{ ok: true, rev: 300, body: Uint8Array.of(1, 2) }, "01c3cd012cc4020102"],
  [{ ok: true, rev: 2, body: Uint8Array.of(1), ttlMs: 1_000 }, "01c302c40101cd03e8"],
  [{ ok: false, code: 404, reason: "GONE" }, "01c2cd0194a4474f4e45c0c0"],
  [{ ok: false, code: 422, reason: "X", field: "key" }, "01c2cd01a6a158a36b6579c0"],
  [{ ok: false, code: 409, reason: "X", rev: 0 }, "01c2cd0199a158c000"],
];

Deno.test("results have the bytes that they always had, and come back", () => {
  for (const [result, bytes] of TABLE) {
    assert.equal(encodeResult(result).toHex(), bytes);
    assert.deepEqual(decodeResult(Uint8Array.fromHex(bytes)), result);
  }
});

Deno.test("bytes that are no result are a DecodeError", () => {
  for (
    const bytes of [
      "",
      "02c300c400",
      "01c300c0",
      "01c300c4000000",
      "01c300c400c0",
      "01c300",
      "01c2cd0194",
    ]
  ) {
    assert.throws(() => decodeResult(Uint8Array.fromHex(bytes)), DecodeError, bytes);
  }
  const random = new SeededRandom(1);
  for (let i = 0; i < 10_000; i++) {
    const [, sample] = TABLE[i % TABLE.length] as [Result, string];
    const bytes = mutated(random, Uint8Array.fromHex(sample));
    try {
      decodeResult(bytes);
    } catch (error) {
      assert.ok(error instanceof DecodeError, `${bytes.toHex()}: ${error}`);
    }
  }
});
