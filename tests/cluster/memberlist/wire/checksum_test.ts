import assert from "node:assert/strict";
import { crc32 } from "node:zlib";
import {
  addChecksum,
  CHECKSUM_OVERHEAD,
  ChecksumError,
  hasChecksum,
  stripChecksum,
} from "../../../../cluster/memberlist/wire/checksum.ts";

const MESSAGE = Uint8Array.fromHex("0868656c6c6f");

Deno.test("addChecksum() writes the checksum of everything that follows", () => {
  // docs/spec/memberlist.md 14.25.
  const packet = addChecksum(MESSAGE);
  assert.equal(packet.toHex(), "0cada372550868656c6c6f");
  assert.equal(packet.length, MESSAGE.length + CHECKSUM_OVERHEAD);
  assert.deepEqual(stripChecksum(packet), MESSAGE);
});

Deno.test("stripChecksum() notices a change of any byte behind the type", () => {
  const packet = addChecksum(MESSAGE);
  for (let i = 1; i < packet.length; i++) {
    const changed = packet.slice();
    changed[i]! ^= 0x80;
    assert.throws(() => stripChecksum(changed), ChecksumError);
  }
});

Deno.test("stripChecksum() reads a checksum of nothing", () => {
  assert.equal(stripChecksum(Uint8Array.fromHex("0c00000000")).length, 0);
});

Deno.test("hasChecksum() needs the type and four bytes", () => {
  assert.equal(hasChecksum(Uint8Array.fromHex("0c00000000")), true);
  assert.equal(hasChecksum(Uint8Array.fromHex("0c000000")), false);
  assert.equal(hasChecksum(Uint8Array.fromHex("0800000000")), false);
  assert.equal(hasChecksum(new Uint8Array(0)), false);
});

Deno.test("the checksum is the CRC-32 that node:zlib computes", () => {
  for (const length of [0, 1, 2, 255, 256, 1_400]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 167 + length & 0xff);
    const written = new DataView(addChecksum(bytes).buffer).getUint32(1);
    assert.equal(written, crc32(bytes), `${length} bytes`);
  }
});
