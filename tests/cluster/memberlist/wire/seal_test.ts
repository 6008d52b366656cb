import assert from "node:assert/strict";
import { Keyring } from "../../../../cluster/memberlist/wire/keyring.ts";
import {
  DecryptError,
  type EncryptionVersion,
  loadCiphers,
  seal,
  sealedLength,
  sealOverhead,
  unseal,
} from "../../../../cluster/memberlist/wire/seal.ts";
import { fixedNonce } from "../../../support/memberlist/wire_vectors.ts";

await loadCiphers();

const NONCE = Uint8Array.from({ length: 12 }, (_, i) => i);
const NO_AAD = new Uint8Array(0);
const AAD = new TextEncoder().encode("dc1");

const KEYS = [16, 24, 32].map((length) => Uint8Array.from({ length }, (_, i) => i * 7));
const VERSIONS: EncryptionVersion[] = [0, 1];

/** Made with OpenSSL's AES-192-GCM: key 00 07 .. a1, nonce 00 .. 0b, AAD "dc1", text 00 .. 27. */
const OPENSSL_192 = "dcb12235b1ac57ba6638e56be432c9eea25342c53323d5689b02ed9268e8f158" +
  "a460a44fa6ebc9a53c2f3cba54ed3c9c883f67cff044f47d";

Deno.test("seal() and unseal() agree for every key size, version and length", () => {
  for (const key of KEYS) {
    const keyring = new Keyring([key]);
    for (const version of VERSIONS) {
      for (const length of [0, 1, 15, 16, 17, 60, 1400]) {
        const plaintext = new Uint8Array(length).fill(length);
        const sealed = seal(plaintext, key, version, AAD, fixedNonce(NONCE));
        assert.equal(sealed[0], version);
        assert.deepEqual(sealed.slice(1, 13), NONCE);
        assert.equal(sealed.length, sealedLength(length, version));
        assert.ok(sealed.length <= length + sealOverhead(version));
        assert.equal(unseal(sealed, keyring, AAD).toHex(), plaintext.toHex());
      }
    }
  }
});

Deno.test("seal() adds 29 bytes in version 1 and 30 to 45 in version 0", () => {
  assert.equal(sealOverhead(1), 29);
  assert.equal(sealOverhead(0), 45);
  assert.equal(sealedLength(32, 1), 61);
  assert.equal(sealedLength(31, 0), 61);
  assert.equal(sealedLength(32, 0), 77);
});

Deno.test("seal() with a 24-byte key writes what OpenSSL writes", () => {
  const plaintext = Uint8Array.from({ length: 40 }, (_, i) => i);
  const sealed = seal(plaintext, KEYS[1]!, 1, AAD, fixedNonce(NONCE));
  assert.equal(sealed.subarray(13).toHex(), OPENSSL_192);
});

Deno.test("unseal() tries every key", () => {
  const sealed = seal(AAD, KEYS[1]!, 1, NO_AAD, fixedNonce(NONCE));
  assert.equal(unseal(sealed, new Keyring(KEYS), NO_AAD).toHex(), AAD.toHex());
  const without = new Keyring([KEYS[0]!, KEYS[2]!]);
  assert.throws(
    () => unseal(sealed, without, NO_AAD),
    /^DecryptError: no installed keys could decrypt the message$/,
  );
});

Deno.test("unseal() notices a change of any byte and of the authenticated data", () => {
  for (const key of KEYS) {
    const keyring = new Keyring([key]);
    const sealed = seal(AAD, key, 1, AAD, fixedNonce(NONCE));
    for (let i = 0; i < sealed.length; i++) {
      const changed = sealed.slice();
      changed[i]! ^= 1;
      assert.throws(() => unseal(changed, keyring, AAD), DecryptError);
    }
    assert.throws(() => unseal(sealed, keyring, NO_AAD), DecryptError);
  }
});

Deno.test("unseal() refuses unknown versions and blobs that are too short", () => {
  const keyring = new Keyring([KEYS[0]!]);
  assert.throws(() => unseal(new Uint8Array(0), keyring, NO_AAD), /version is missing/);
  assert.throws(() => unseal(new Uint8Array(100).fill(2), keyring, NO_AAD), /version is 2/);
  assert.throws(() => unseal(new Uint8Array(28).fill(1), keyring, NO_AAD), /needs at least 29/);
  assert.throws(() => unseal(new Uint8Array(44), keyring, NO_AAD), /needs at least 45/);
});

Deno.test("unseal() refuses a pad byte larger than the text", () => {
  const key = KEYS[0]!;
  const keyring = new Keyring([key]);
  for (const pad of [33, 255]) {
    // The pad is the last byte: sealed without padding, then declared to be version 0.
    const plaintext = new Uint8Array(32).fill(pad);
    const sealed = seal(plaintext, key, 1, NO_AAD, fixedNonce(NONCE));
    sealed[0] = 0;
    assert.throws(
      () => unseal(sealed, keyring, NO_AAD),
      new RegExp(`Padding of ${pad} bytes in 32`),
    );
  }
});

Deno.test("unseal() takes a pad of up to the whole text, whatever bytes it is of", () => {
  const key = KEYS[0]!;
  const plaintext = new Uint8Array(32);
  plaintext[31] = 32;
  const sealed = seal(plaintext, key, 1, NO_AAD, fixedNonce(NONCE));
  sealed[0] = 0;
  assert.equal(unseal(sealed, new Keyring([key]), NO_AAD).length, 0);
});
