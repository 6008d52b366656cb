import assert from "node:assert/strict";
import { bytesOf, ownPayload, PayloadBytes } from "../../protocol/payload.ts";

Deno.test("a payload is a copy of bytes that can be read as text and as JSON", () => {
  const packet = new TextEncoder().encode('x{"load":0.5}é');
  const payload = ownPayload(packet.subarray(1, 13));
  packet.fill(0);
  assert.ok(payload instanceof Uint8Array);
  assert.equal(payload.text(), '{"load":0.5}');
  assert.deepEqual(payload.json(), { load: 0.5 });
  assert.equal(new PayloadBytes([0x61, 0xff]).text(), "a\ufffd");
  assert.throws(() => new PayloadBytes([0x61]).json(), SyntaxError);
  assert.equal(ownPayload(null), null);
});

Deno.test("parts of a payload are plain bytes", () => {
  const payload = new PayloadBytes([1, 2, 3]);
  for (const part of [payload.slice(1), payload.subarray(1), payload.map((byte) => byte)]) {
    assert.equal(part.constructor, Uint8Array);
  }
});

Deno.test("what is no payload is told", () => {
  assert.deepEqual(bytesOf("é"), Uint8Array.of(0xc3, 0xa9));
  assert.equal(bytesOf(null), null);
  const wrong: [unknown, string][] = [
    [5, "number 5"],
    [undefined, "undefined"],
    [{ a: 1 }, "an object"],
    [new ArrayBuffer(2), "an object"],
  ];
  for (const [value, got] of wrong) {
    assert.throws(() => bytesOf(value as string), {
      name: "TypeError",
      message: `Invalid payload: expected a string, a Uint8Array or null, got ${got}`,
    });
  }
});
