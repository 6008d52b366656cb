import assert from "node:assert/strict";
import type { Entry, EntryType } from "../../../../cluster/raft/mod.ts";
import {
  decodeEntries,
  ENTRY_HEAD_BYTES,
  EntryError,
  putEntry,
} from "../../../../cluster/raft/wire/entry_codec.ts";

const TYPES: readonly EntryType[] = ["command", "no-op", "barrier", "configuration"];

const ENTRIES: readonly Entry[] = TYPES.map((type, i) => ({
  index: i === 3 ? Number.MAX_SAFE_INTEGER : i + 1,
  term: 2 ** 40 + i,
  type,
  time: i === 0 ? Number.MAX_SAFE_INTEGER : 1_700_000_000_000 + i,
  data: new Uint8Array(i * 7).fill(i),
}));

function encodeEntries(entries: readonly Entry[]): Uint8Array {
  const length = entries.reduce((sum, { data }) => sum + ENTRY_HEAD_BYTES + data.length, 0);
  const bytes = new Uint8Array(length);
  assert.equal(entries.reduce((at, entry) => putEntry(bytes, at, entry), 0), length);
  return bytes;
}

Deno.test("entries come back as they were", () => {
  assert.deepEqual(decodeEntries(encodeEntries(ENTRIES)), ENTRIES);
  assert.deepEqual(decodeEntries(encodeEntries([])), []);
});

Deno.test("an entry has the bytes that it has always had", () => {
  const entry: Entry = { index: 1, term: 2, type: "barrier", time: 3, data: Uint8Array.of(255) };
  assert.equal(
    encodeEntries([entry]).toHex(),
    "2f3791a500000001000000000000000100000000000000020200000000000003ff",
  );
});

Deno.test("any changed bit, and any missing byte, is noticed", () => {
  const bytes = encodeEntries(ENTRIES.slice(0, 2));
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = bytes.slice();
    damaged[bit >> 3] = (damaged[bit >> 3] as number) ^ (1 << (bit & 7));
    assert.throws(() => decodeEntries(damaged), EntryError);
  }
  for (let length = 1; length < bytes.length; length++) {
    if (length === ENTRY_HEAD_BYTES) continue; // The first one is whole.
    assert.throws(() => decodeEntries(bytes.subarray(0, length)), EntryError);
  }
});
