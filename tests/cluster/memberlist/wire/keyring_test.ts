import assert from "node:assert/strict";
import { Keyring, KeyringError } from "../../../../cluster/memberlist/wire/keyring.ts";

const [A, B, C] = [1, 2, 3].map((value) => new Uint8Array(16).fill(value)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

Deno.test("Keyring puts the primary first and drops duplicates", () => {
  assert.deepEqual(new Keyring([A, B, C, B], B).keys(), [B, A, C]);
  assert.deepEqual(new Keyring([A, B]).keys(), [A, B]);
  assert.deepEqual(new Keyring([], A).keys(), [A]);
});

Deno.test("Keyring without keys has no primary", () => {
  const keyring = new Keyring();
  assert.equal(keyring.size, 0);
  assert.equal(keyring.primary, undefined);
  keyring.add(A);
  assert.deepEqual(keyring.primary, A);
});

Deno.test("Keyring.add() appends and ignores a key that is there", () => {
  const keyring = new Keyring([A]);
  keyring.add(B);
  keyring.add(A);
  keyring.add(B.slice());
  assert.deepEqual(keyring.keys(), [A, B]);
});

Deno.test("Keyring.use() moves a key to the front and keeps the order of the others", () => {
  const keyring = new Keyring([A, B, C]);
  keyring.use(C.slice());
  assert.deepEqual(keyring.keys(), [C, A, B]);
  keyring.use(C);
  assert.deepEqual(keyring.keys(), [C, A, B]);
});

Deno.test("Keyring.use() refuses a key that is not on the ring", () => {
  const error = { name: "KeyringError", message: "requested key is not in the keyring" };
  assert.throws(() => new Keyring([A]).use(B), error);
});

Deno.test("Keyring.remove() refuses the primary and ignores an unknown key", () => {
  const keyring = new Keyring([A, B]);
  keyring.remove(C);
  const error = { name: "KeyringError", message: "removing the primary key is not allowed" };
  assert.throws(() => keyring.remove(A), error);
  keyring.remove(B);
  assert.deepEqual(keyring.keys(), [A]);
});

Deno.test("Keyring takes keys of 16, 24 and 32 bytes only", () => {
  for (const length of [16, 24, 32]) new Keyring([new Uint8Array(length)]);
  for (const length of [0, 15, 17, 31, 33, 64]) {
    assert.throws(() => new Keyring([new Uint8Array(length)]), KeyringError);
    assert.throws(() => new Keyring([A]).add(new Uint8Array(length)), {
      message: "key size must be 16, 24 or 32 bytes",
    });
  }
});

Deno.test("Keyring keeps copies of its keys", () => {
  const key = A.slice();
  const keyring = new Keyring([key]);
  key.fill(9);
  keyring.keys()[0]!.fill(9);
  assert.deepEqual(keyring.keys(), [A]);
});

Deno.test("Keyring can be changed while it is walked", () => {
  const keyring = new Keyring([A, B, C]);
  const seen = [];
  for (const key of keyring) {
    seen.push(key);
    if (seen.length === 1) keyring.remove(C);
  }
  assert.deepEqual(seen, [A, B, C]);
  assert.deepEqual(keyring.keys(), [A, B]);
});
