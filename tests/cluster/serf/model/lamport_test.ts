import assert from "node:assert/strict";
import {
  LamportClock,
  MAX_FIRST_TIME,
  MAX_LAMPORT_TIME,
} from "../../../../cluster/serf/model/lamport.ts";

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
  const clock = new LamportClock(MAX_LAMPORT_TIME - 1n);
  clock.witness(MAX_LAMPORT_TIME);
  assert.equal(clock.time(), MAX_LAMPORT_TIME);
  assert.equal(clock.increment(), MAX_LAMPORT_TIME);
  clock.witness(MAX_LAMPORT_TIME - 1n);
  assert.equal(clock.time(), MAX_LAMPORT_TIME);
});

Deno.test("a clock takes any time up to the middle and a little more, and nothing near the end", () => {
  for (const time of [2n ** 64n - 2n, MAX_FIRST_TIME + 1n]) {
    const clock = new LamportClock(7n);
    assert.ok(clock.isFarFetched(time));
    clock.witness(time);
    assert.equal(clock.time(), 7n);
  }
  const clock = new LamportClock(7n);
  assert.ok(!clock.isFarFetched(MAX_FIRST_TIME));
  clock.witness(MAX_FIRST_TIME);
  assert.equal(clock.time(), MAX_FIRST_TIME + 1n);
});

Deno.test("above the middle a clock moves by 2^32 at most at a time", () => {
  const clock = new LamportClock(2n ** 63n + 2n ** 40n);
  clock.witness(2n ** 63n + 2n ** 40n + 2n ** 32n + 1n);
  assert.equal(clock.time(), 2n ** 63n + 2n ** 40n);
  clock.witness(2n ** 63n + 2n ** 40n + 2n ** 32n);
  assert.equal(clock.time(), 2n ** 63n + 2n ** 40n + 2n ** 32n + 1n);
});

Deno.test("a clock follows a trusted peer above the middle, but not near the end", () => {
  const clock = new LamportClock(7n);
  clock.follow(2n ** 64n - 2n);
  assert.equal(clock.time(), 7n);
  clock.follow(2n ** 63n + 2n ** 50n);
  assert.equal(clock.time(), 2n ** 63n + 2n ** 50n + 1n);
  clock.follow(3n);
  assert.equal(clock.time(), 2n ** 63n + 2n ** 50n + 1n);
});
