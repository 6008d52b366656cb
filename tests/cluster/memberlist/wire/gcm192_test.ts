import assert from "node:assert/strict";
import { gcm } from "@noble/ciphers/aes.js";
import { openGcm192, sealGcm192 } from "../../../../cluster/memberlist/wire/_gcm192.ts";
import { randomInt } from "../../../../cluster/runtime.ts";
import { SeededRandom } from "../../../support/simulation/random.ts";

Deno.test("AES-192-GCM gives the bytes that another implementation gives, and reads them", () => {
  const random = new SeededRandom(1);
  for (const aadLength of [0, 5, 16, 260]) {
    for (const length of [0, 1, 15, 16, 17, 1400]) {
      const [key, nonce] = [random.bytes(24), random.bytes(12)];
      const [aad, text] = [random.bytes(aadLength), random.bytes(length)];
      const sealed = sealGcm192(key, nonce, aad, text);
      assert.deepEqual(sealed, gcm(key, nonce, aad).encrypt(text));
      assert.deepEqual(openGcm192(key, nonce, aad, sealed), text);
      const at = randomInt(random, sealed.length);
      sealed[at] = sealed[at]! ^ 1;
      assert.equal(openGcm192(key, nonce, aad, sealed), undefined);
    }
  }
});
