import assert from "node:assert/strict";
import { LamportClock, MAX_LAMPORT_TIME } from "../../../../cluster/serf/model/lamport.ts";

Deno.test("a clock starts at 1 and counts", () => {
  const clock = new LamportClock();
  assert.equal(clock.time(), 1n);
  assert.equal(clock.increment(), 2n);
  assert.equal(clock.time(), 2n);
});

Deno.test("a witnessed time moves the clock past it, also when it is the clock's own", () => {
  const clock = new LamportClock(5n);
  clock.witness(4n);
  assert.equal(clock.time(), 5n);
  clock.witness(5n);
  assert.equal(clock.time(), 6n);
  clock.witness(200n);
  assert.equal(clock.time(), 201n);
});

Deno.test("a time of 2^64-1, which wraps a Go agent's clock to 0, is ignored", () => {
  const clock = new LamportClock(7n);
  clock.witness(2n ** 64n - 1n);
  assert.equal(clock.time(), 7n);
});

Deno.test("a clock stops at the greatest time that may be sent", () => {
  const clock = new LamportClock();
  clock.witness(MAX_LAMPORT_TIME);
  assert.equal(clock.time(), MAX_LAMPORT_TIME);
  assert.equal(clock.increment(), MAX_LAMPORT_TIME);
  clock.witness(MAX_LAMPORT_TIME - 1n);
  assert.equal(clock.time(), MAX_LAMPORT_TIME);
});
