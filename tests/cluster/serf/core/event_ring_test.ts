import assert from "node:assert/strict";
import {
  EventRing,
  MAX_EVENTS_PER_TIME,
  MAX_RING_BYTES,
} from "../../../../cluster/serf/core/event_ring.ts";

Deno.test("a slot is taken over by another time, also by an earlier one", () => {
  const ring = new EventRing(4);
  assert.equal(ring.add(6n, "new", null, 7n), "new");
  assert.equal(ring.add(2n, "old", null, 6n), "new");
  assert.equal(ring.groups[2]?.ltime, 2n);
  assert.equal(ring.add(6n, "new", null, 7n), "new", "what was there is forgotten");
});

Deno.test("an event a ring behind the clock is taken, one more is too old", () => {
  const ring = new EventRing(512);
  assert.equal(ring.add(489n, "e", null, 1_001n), "new");
  assert.equal(ring.add(488n, "e", null, 1_001n), "old");
});

Deno.test("events before the least time are too early", () => {
  const ring = new EventRing(512);
  ring.minTime = 10n;
  assert.equal(ring.add(9n, "e", null, 11n), "too-early");
  assert.equal(ring.add(10n, "e", null, 11n), "new");
});

Deno.test("one time holds a bounded number of distinct events", () => {
  const ring = new EventRing(512);
  for (let i = 0; i < MAX_EVENTS_PER_TIME; i++) {
    assert.equal(ring.add(1n, `e${i}`, null, 2n), "new");
  }
  assert.equal(ring.add(1n, "more", null, 2n), "full");
  assert.equal(ring.add(1n, "e7", null, 2n), "duplicate");
  assert.equal(ring.add(2n, "more", null, 3n), "new");
});

Deno.test("the ring holds a bounded number of bytes: the earliest times make room and stay closed", () => {
  const ring = new EventRing(512);
  const size = 1024 * 1024;
  const fits = Math.floor(MAX_RING_BYTES / (size + 100));
  for (let i = 1; i <= fits; i++) {
    assert.equal(ring.add(BigInt(i), "big", new Uint8Array(size), BigInt(i + 1)), "new");
  }
  assert.equal(ring.minTime, 0n);
  assert.equal(ring.add(100n, "big", new Uint8Array(size), 101n), "new");
  assert.equal(ring.groups[1], null);
  assert.equal(ring.add(1n, "big", new Uint8Array(size), 101n), "too-early");
  assert.equal(ring.add(200n, "huge", new Uint8Array(MAX_RING_BYTES), 201n), "full");
  assert.ok(ring.groups.every((group) => group === null));
});

Deno.test("a kept payload does not change with the buffer that it came in", () => {
  const ring = new EventRing(8);
  const payload = Uint8Array.of(1, 2);
  ring.add(1n, "e", payload, 2n);
  payload[0] = 9;
  assert.deepEqual(ring.groups[1]?.events[0]?.payload, Uint8Array.of(1, 2));
});
