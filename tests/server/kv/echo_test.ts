/**
 * ECHO gives back any value that JSON has.
 *
 * @module
 */

import assert from "node:assert/strict";
import { serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { below, randomValue } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const HOST = loopback();
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const ROUNDS = 40;
const BATCH = 50;

Deno.test("the value that comes back is equal to the one that was sent, as are its bytes", async () => {
  const random = new SeededRandom(SEED);
  await using stage = serve(HOST);
  using client = await stage.client();
  for (let round = 0; round < ROUNDS; round++) {
    const values = Array.from({ length: BATCH }, () => asJson(random));
    const lines = values.map((text, id) => `{"id":${id},"action":"ECHO","value":${text}}\n`);
    for (const piece of cut(random, lines.join(""))) await client.send(piece);
    const replies = await client.lines.lines(BATCH);
    replies.forEach((line, id) => {
      const wanted = `{"id":${id},"status":"ok","result":${values[id]}}`;
      assert.equal(line, wanted, `seed ${SEED}`);
    });
  }
});

/** The text of a value, as JavaScript writes it. */
function asJson(random: SeededRandom): string {
  const value = randomValue(random, 3);
  return JSON.stringify(value, (_, part) => {
    if (typeof part === "bigint") return String(part);
    return typeof part === "number" && Number.isInteger(part) && !Number.isSafeInteger(part)
      ? part / 2 ** 90
      : part;
  }) ?? "null";
}

/** Some pieces of a text, as bytes. */
function cut(random: SeededRandom, text: string): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  const middle = below(random, bytes.length);
  return [bytes.subarray(0, middle), bytes.subarray(middle)];
}
