import assert from "node:assert/strict";
import {
  eventMessage,
  fixture,
  joinMessage,
  leaveMessage,
  queryMessage,
  statuses,
  unhex,
} from "../../support/serf/fixture.ts";
import samples from "../../vectors/serf.json" with { type: "json" };

const HOSTILE = 2n ** 64n - 1n;

Deno.test("an empty message is ignored", () => {
  const f = fixture();
  f.delegate.notifyMessage(new Uint8Array(0));
  assert.deepEqual(f.logs, []);
});

Deno.test("a message of another type, also one that is only known elsewhere, is logged and ignored", () => {
  for (const type of [2, 6, 7, 8, 10, 255]) {
    const f = fixture();
    f.delegate.notifyMessage(Uint8Array.of(type, 0xc0));
    assert.deepEqual(f.logs, [`[WARN] Received message of unknown type: ${type}`]);
    assert.deepEqual(f.gossip(), []);
  }
});

Deno.test("a message that cannot be read is dropped, at one log line a second", async () => {
  const f = fixture();
  for (let i = 0; i < 1_000; i++) {
    f.delegate.notifyMessage(unhex("0083a54c54696d6505a44e6f6465a162a55072756e65"));
    f.delegate.notifyMessage(unhex("03"));
    f.delegate.notifyMessage(unhex("0481a54c54696d65ff"));
  }
  assert.equal(f.logs.length, 1);
  await f.clock.advance(1_000);
  f.delegate.notifyMessage(unhex("03"));
  assert.equal(f.logs.length, 2);
  assert.deepEqual(f.gossip(), []);
  assert.deepEqual(f.events, []);
});

Deno.test("every captured message is taken in without an error", () => {
  const f = fixture();
  for (const sample of samples) {
    if ("type" in sample.decoded) f.delegate.notifyMessage(unhex(sample.hex));
  }
  assert.ok(f.logs.every((line) => !line.startsWith("[ERR]")));
});

Deno.test("a Lamport time of 2^64-1 is neither taken in nor passed on", () => {
  const f = fixture();
  f.delegate.notifyMessage(leaveMessage("a", HOSTILE));
  f.delegate.notifyMessage(joinMessage("b", HOSTILE));
  f.delegate.notifyMessage(eventMessage(HOSTILE, "e"));
  f.delegate.notifyMessage(queryMessage({ LTime: HOSTILE, Flags: 1 }));
  assert.deepEqual([f.events, f.sent, f.gossip()], [[], [], []]);
  assert.deepEqual(statuses(f.core), { a: "alive" });
  for (const clock of [f.core.memberClock, f.core.eventClock, f.core.queryClock]) {
    assert.equal(clock.time(), 1n);
  }
});

Deno.test("messages of each kind are logged for who debugs", () => {
  const f = fixture();
  f.delegate.notifyMessage(leaveMessage("x", 1n));
  f.delegate.notifyMessage(joinMessage("y", 1n));
  f.delegate.notifyMessage(eventMessage(1n, "deploy"));
  f.delegate.notifyMessage(queryMessage());
  assert.deepEqual(f.logs, [
    "[DEBUG] messageLeaveType: x",
    "[DEBUG] messageJoinType: y",
    "[DEBUG] messageUserEventType: deploy",
    "[DEBUG] messageQueryType: load",
  ]);
});
