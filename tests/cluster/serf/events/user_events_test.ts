import assert from "node:assert/strict";
import { sendUserEvent } from "../../../../cluster/serf/events/user_events.ts";
import { eventMessage, fixture, hex, node, told, utf8 } from "../../../support/serf/fixture.ts";

Deno.test("an event is told here at once, uses one time and is gossiped", () => {
  const f = fixture();
  sendUserEvent(f.core, "deploy", utf8("v1.2.3"), true);
  sendUserEvent(f.core, "restart", null, false);
  assert.deepEqual(told(f.events), ["user deploy v1.2.3", "user restart"]);
  assert.equal(f.core.eventClock.time(), 3n);
  // Both as captured from a Go agent.
  assert.deepEqual(f.gossip().map(hex), [
    "0384a24343c3a54c54696d6501a44e616d65a66465706c6f79a75061796c6f6164a676312e322e33",
    "0384a24343c2a54c54696d6502a44e616d65a772657374617274a75061796c6f6164c0",
  ]);
});

Deno.test("a 4-byte name and 478 bytes of payload at time 4 are exactly 512 bytes; 479 are too many", () => {
  const f = fixture();
  for (let i = 0; i < 3; i++) sendUserEvent(f.core, "tick", null, false);
  assert.throws(() => sendUserEvent(f.core, "nnnn", new Uint8Array(479), true), {
    name: "EventTooLargeError",
    message: "encoded user event exceeds configured limit of 512 bytes after encoding",
  });
  assert.equal(f.core.eventClock.time(), 4n, "a refused event uses no time");
  sendUserEvent(f.core, "nnnn", new Uint8Array(478), true);
  assert.equal(f.gossip()[0]?.length, 512);
});

Deno.test("name and payload alone are measured first, in bytes", () => {
  const f = fixture();
  const before = { message: "user event exceeds configured limit of 512 bytes before encoding" };
  assert.throws(() => sendUserEvent(f.core, "n", new Uint8Array(512), false), before);
  assert.throws(() => sendUserEvent(f.core, "é".repeat(257), null, false), before);
  assert.deepEqual(f.events, []);
});

Deno.test("an event that fits no packet is told here and not queued for ever", () => {
  const f = fixture({ config: { userEventSizeLimit: 9_216 } });
  sendUserEvent(f.core, "big", new Uint8Array(5_000), false);
  assert.equal(f.events.length, 1);
  assert.equal(f.core.broadcasts.depth("events"), 0);
});

Deno.test("a received event is told once and passed on in the bytes in which it came", () => {
  const f = fixture();
  // Keys out of order and an unknown one: a re-encoding would look different.
  const odd = "0385a44e616d65a164a378797a2aa54c54696d6503a24343c3a75061796c6f6164a176";
  const message = Uint8Array.from(odd.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  f.delegate.notifyMessage(message);
  f.delegate.notifyMessage(message);
  message.fill(0);
  assert.deepEqual(told(f.events), ["user d v"]);
  assert.deepEqual(f.gossip().map(hex), [odd]);
  const [event] = f.events;
  assert.ok(event?.type === "user" && event.coalesce && event.ltime === 3n);
});

Deno.test("at clock 1001 an event of time 489 is taken and one of 488 is too old", () => {
  const f = fixture();
  f.core.eventClock.witness(1_000n);
  f.delegate.notifyMessage(eventMessage(488n, "old"));
  assert.deepEqual(f.gossip(), []);
  assert.ok(f.logs.includes("[WARN] received old event old from time 488 (current: 1001)"));
  f.delegate.notifyMessage(eventMessage(489n, "fits"));
  assert.deepEqual(told(f.events), ["user fits"]);
});

Deno.test("while the clock is at most 512 no event is too old", () => {
  const f = fixture();
  f.core.eventClock.witness(511n);
  assert.equal(f.core.eventClock.time(), 512n);
  f.delegate.notifyMessage(eventMessage(0n, "ancient"));
  assert.deepEqual(told(f.events), ["user ancient"]);
});

Deno.test("events of one time are told apart by name and payload, and nothing else", () => {
  const f = fixture();
  f.delegate.notifyMessage(eventMessage(5n, "a", "x", true));
  f.delegate.notifyMessage(eventMessage(5n, "a", "x", false));
  f.delegate.notifyMessage(eventMessage(5n, "a", "y"));
  f.delegate.notifyMessage(eventMessage(5n, "b", "x"));
  f.delegate.notifyMessage(eventMessage(5n, "c"));
  f.delegate.notifyMessage(eventMessage(5n, "c", ""));
  assert.deepEqual(told(f.events), ["user a x", "user a y", "user b x", "user c"]);
});

Deno.test("an old event witnesses its time before it is dropped", () => {
  const f = fixture();
  f.core.events.minTime = 100n;
  f.delegate.notifyMessage(eventMessage(50n, "early"));
  assert.deepEqual(f.events, []);
  assert.equal(f.core.eventClock.time(), 51n);
});

Deno.test("an event that would be lost is refused: others take the newest 512 Lamport times", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  for (let i = 0; i < 512; i++) sendUserEvent(f.core, `e${i}`, null, false);
  f.events.length = 0;
  assert.throws(() => sendUserEvent(f.core, "one more", null, false), {
    name: "EventQueueFullError",
    message: "Event queue is full: 512 events wait to be gossiped",
  });
  assert.deepEqual([f.events.length, f.core.eventClock.time()], [0, 513n]);
  f.gossip();
  sendUserEvent(f.core, "one more", null, false);
  assert.deepEqual(told(f.events), ["user one more"]);
});

Deno.test("who is alone may send any number of events; the newest wait for others", () => {
  const f = fixture();
  for (let i = 0; i < 2_000; i++) sendUserEvent(f.core, `e${i}`, null, false);
  assert.equal(f.events.length, 2_000);
  assert.ok(f.core.broadcasts.depth("events") <= 512);
  assert.equal(f.core.tally.counters.broadcastsDropped, 2_000 - f.core.broadcasts.depth("events"));
});
