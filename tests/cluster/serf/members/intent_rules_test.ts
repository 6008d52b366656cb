import assert from "node:assert/strict";
import {
  fixture,
  type FixtureOptions,
  hex,
  joinMessage,
  leaveMessage,
  node,
  statuses,
  told,
} from "../../../support/serf/fixture.ts";

/** An agent `a` that sees `b`. */
function pair(options: FixtureOptions = {}) {
  const f = fixture(options);
  f.delegate.notifyJoin(node("b", { host: "127.0.0.2" }));
  f.events.length = 0;
  const b = () => f.core.members.get("b");
  return { ...f, b };
}

Deno.test("a leave intent makes an alive member leaving, without an event, and is passed on", () => {
  const f = pair();
  const message = leaveMessage("b", 5n);
  f.delegate.notifyMessage(message);
  assert.equal(f.b()?.status, "leaving");
  assert.equal(f.b()?.statusTime, 5n);
  assert.equal(f.core.memberClock.time(), 6n);
  assert.deepEqual(f.events, []);
  assert.deepEqual(f.gossip().map(hex), [hex(message)]);
});

Deno.test("an intent that is not newer changes nothing but the clock", () => {
  const f = pair();
  f.delegate.notifyMessage(joinMessage("b", 5n));
  f.gossip();
  f.delegate.notifyMessage(leaveMessage("b", 5n));
  f.delegate.notifyMessage(leaveMessage("b", 4n));
  f.delegate.notifyMessage(joinMessage("b", 5n));
  assert.equal(f.b()?.status, "alive");
  assert.deepEqual(f.gossip(), []);
  f.delegate.notifyMessage(joinMessage("b", 3n));
  assert.equal(f.core.memberClock.time(), 6n);
});

Deno.test("a newer join intent takes a leave back, without an event", () => {
  const f = pair();
  f.delegate.notifyMessage(leaveMessage("b", 5n));
  f.gossip();
  f.delegate.notifyMessage(joinMessage("b", 6n));
  assert.equal(f.b()?.status, "alive");
  assert.equal(f.b()?.statusTime, 6n);
  assert.deepEqual(f.events, []);
  assert.equal(f.gossip().length, 1);
});

Deno.test("a leave intent turns a failed member into one that left, which is told", () => {
  const f = pair();
  f.delegate.notifyLeave(node("b"));
  const failedAt = f.b()?.leftAt;
  f.delegate.notifyMessage(leaveMessage("b", 5n));
  assert.deepEqual(told(f.events), ["member-failed b", "member-leave b"]);
  assert.equal(f.b()?.status, "left");
  assert.equal(f.b()?.leftAt, failedAt);
  assert.deepEqual([...f.core.members.failed.keys()], []);
  assert.deepEqual([...f.core.members.left.keys()], ["b"]);
  assert.ok(f.logs.includes("[INFO] EventMemberLeave (forced): b 127.0.0.2"));
});

Deno.test("newer intents about members that failed or left move only their time", () => {
  const f = pair();
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyMessage(joinMessage("b", 4n));
  assert.equal(f.b()?.status, "failed");
  assert.equal(f.b()?.statusTime, 4n);
  f.delegate.notifyMessage(leaveMessage("b", 5n));
  f.delegate.notifyMessage(leaveMessage("b", 6n));
  f.delegate.notifyMessage(joinMessage("b", 7n));
  assert.equal(f.b()?.status, "left");
  assert.equal(f.b()?.statusTime, 7n);
  assert.equal(f.gossip().length, 4);
  assert.deepEqual(told(f.events), ["member-failed b", "member-leave b"]);
});

Deno.test("a leave intent about the own node is refuted with a later join, and not passed on", () => {
  const f = fixture();
  f.delegate.notifyMessage(leaveMessage("a", 200n));
  assert.equal(statuses(f.core).a, "alive");
  assert.equal(f.core.members.get("a")?.statusTime, 201n);
  assert.equal(f.core.memberClock.time(), 202n);
  // The captured refutation: join intent 201 of `a`.
  assert.deepEqual(f.gossip().map(hex), ["0182a54c54696d65ccc9a44e6f6465a161"]);
  assert.ok(f.logs.includes("[DEBUG] Refuting an older leave intent"));
});

Deno.test("a node that is leaving does not refute", () => {
  const f = fixture();
  f.core.state = "leaving";
  f.delegate.notifyMessage(leaveMessage("a", 200n));
  assert.equal(statuses(f.core).a, "leaving");
});

Deno.test("intents about unknown nodes are buffered, passed on once, and applied when the node joins", () => {
  const f = fixture();
  f.delegate.notifyMessage(leaveMessage("b", 5n));
  f.delegate.notifyMessage(leaveMessage("b", 5n));
  f.delegate.notifyMessage(joinMessage("c", 7n));
  assert.equal(f.gossip().length, 2);
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyJoin(node("c"));
  assert.deepEqual(statuses(f.core), { a: "alive", b: "leaving", c: "alive" });
  assert.equal(f.core.members.get("b")?.statusTime, 5n);
  assert.equal(f.core.members.get("c")?.statusTime, 7n);
  assert.deepEqual(told(f.events), ["member-join b", "member-join c"]);
});

Deno.test("pruning a failed member tells that it left and that it is forgotten", () => {
  const f = pair();
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyMessage(leaveMessage("b", 5n, true));
  assert.deepEqual(told(f.events), ["member-failed b", "member-leave b", "member-reap b"]);
  assert.equal(f.b(), undefined);
  assert.equal(f.core.members.left.size, 0);
  assert.equal(f.gossip().length, 1);
  f.delegate.notifyLeave(node("b"));
  assert.equal(f.events.length, 3);
});

Deno.test("pruning a member that left forgets it at once", () => {
  const f = pair();
  f.delegate.notifyMessage(leaveMessage("b", 5n));
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyMessage(leaveMessage("b", 6n, true));
  assert.deepEqual(told(f.events), ["member-leave b", "member-reap b"]);
});

Deno.test("pruning an alive member waits 6 s and then tells only that it is forgotten", async () => {
  const f = pair();
  f.delegate.notifyMessage(leaveMessage("b", 5n, true));
  assert.equal(f.b()?.status, "leaving");
  f.delegate.notifyLeave(node("b"));
  await f.clock.advance(5_999);
  assert.deepEqual(f.events, []);
  await f.clock.advance(1);
  assert.deepEqual(told(f.events), ["member-reap b"]);
  assert.equal(f.b(), undefined);
  assert.ok(f.logs.includes("[INFO] EventMemberReap (forced): b 127.0.0.2"));
});

Deno.test("the agent goes on with its work while a prune waits", () => {
  const f = pair();
  f.delegate.notifyMessage(leaveMessage("b", 5n, true));
  f.delegate.notifyJoin(node("c"));
  assert.deepEqual(told(f.events), ["member-join c"]);
});

Deno.test("a member that takes its leave back during the wait is not pruned", async () => {
  for (const back of ["intent", "alive"]) {
    const f = pair();
    f.delegate.notifyMessage(leaveMessage("b", 5n, true));
    if (back === "intent") f.delegate.notifyMessage(joinMessage("b", 6n));
    else {
      f.delegate.notifyLeave(node("b"));
      f.delegate.notifyJoin(node("b"));
    }
    await f.clock.advance(10_000);
    assert.equal(f.b()?.status, "alive", back);
  }
});

Deno.test("an agent that leaves is not pruned from its own table", async () => {
  const f = fixture();
  f.core.state = "leaving";
  f.delegate.notifyMessage(leaveMessage("a", 9n, true));
  await f.clock.advance(10_000);
  assert.deepEqual(statuses(f.core), { a: "leaving" });
});
