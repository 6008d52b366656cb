import assert from "node:assert/strict";
import { IntentBuffer } from "../../../../cluster/serf/core/intents.ts";

Deno.test("only an intent with a greater time replaces one, whatever its kind", () => {
  const buffer = new IntentBuffer();
  assert.equal(buffer.upsert("b", "join", 5n, 0), true);
  assert.equal(buffer.upsert("b", "leave", 5n, 0), false);
  assert.equal(buffer.find("b", "join"), 5n);
  assert.equal(buffer.upsert("b", "leave", 6n, 0), true);
  assert.equal(buffer.find("b", "join"), undefined);
  assert.equal(buffer.find("b", "leave"), 6n);
});

Deno.test("an intent is dropped when it is older than the timeout, not when it is as old", () => {
  const buffer = new IntentBuffer();
  buffer.upsert("b", "join", 1n, 0);
  buffer.upsert("c", "join", 1n, 10);
  buffer.expire(300, 300);
  assert.equal(buffer.size, 2);
  buffer.expire(301, 300);
  assert.equal(buffer.find("b", "join"), undefined);
  assert.equal(buffer.find("c", "join"), 1n);
});

Deno.test("a renewed intent lives on from its renewal", () => {
  const buffer = new IntentBuffer();
  buffer.upsert("b", "join", 1n, 0);
  buffer.upsert("c", "join", 1n, 5);
  buffer.upsert("b", "join", 2n, 200);
  buffer.expire(400, 300);
  assert.equal(buffer.size, 1);
  assert.equal(buffer.find("b", "join"), 2n);
});

Deno.test("a flood of intents pushes the first ones out", () => {
  const buffer = new IntentBuffer();
  for (let i = 0; i < 20_000; i++) buffer.upsert(`n${i}`, "join", 1n, 0);
  assert.equal(buffer.size, 16_384);
  assert.equal(buffer.find("n0", "join"), undefined);
  assert.equal(buffer.find("n19999", "join"), 1n);
});

Deno.test("an intent about a name that fits no packet is not kept", () => {
  const buffer = new IntentBuffer();
  assert.equal(buffer.upsert("n".repeat(2_000), "join", 1n, 0), false);
  assert.equal(buffer.size, 0);
});
