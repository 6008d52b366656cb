import assert from "node:assert/strict";
import { forceLeave, leave } from "../../../../cluster/serf/members/depart.ts";
import { LeaveInProgressError, SerfStateError } from "../../../../cluster/serf/model/errors.ts";
import { settle } from "../../../support/manual_clock.ts";
import {
  fixture,
  hex,
  joinMessage,
  leaveMessage,
  node,
  statuses,
  told,
} from "../../../support/serf/fixture.ts";

Deno.test("a lone agent leaves after the propagate delay, without gossip", async () => {
  const f = fixture();
  const done = leave(f.core);
  assert.equal(f.core.state, "leaving");
  assert.equal(statuses(f.core).a, "leaving");
  assert.deepEqual(f.gossip(), []);
  await f.clock.advance(1_000);
  await done;
  assert.equal(f.core.state, "left");
});

Deno.test("an agent with others waits until its intent is sent, then for memberlist", async () => {
  const order: string[] = [];
  const f = fixture({
    leave: (timeoutMs) => {
      order.push(`memberlist ${timeoutMs}`);
      return Promise.resolve();
    },
  });
  f.delegate.notifyJoin(node("b"));
  const done = leave(f.core);
  await settle();
  assert.deepEqual(order, []);
  // The captured graceful leave has ltime 2; here the clock still stands at 1.
  assert.deepEqual(f.gossip().map(hex), [hex(leaveMessage("a", 1n))]);
  await settle();
  assert.deepEqual(order, ["memberlist 5000"]);
  assert.equal(f.core.memberClock.time(), 2n);
  await f.clock.advance(1_000);
  await done;
});

Deno.test("a leave that nobody hears of goes on after the timeouts", async () => {
  const f = fixture({ leave: () => Promise.reject(new Error("timeout")) });
  f.delegate.notifyJoin(node("b"));
  const done = leave(f.core);
  await f.clock.advance(5_000);
  await f.clock.advance(1_000);
  await done;
  assert.equal(f.core.state, "left");
  assert.equal(f.logs.filter((line) => line.startsWith("[WARN]")).length, 2);
});

Deno.test("the own member-leave comes from memberlist", async () => {
  const f = fixture({
    leave: () => {
      f.delegate.notifyLeave(node("a"));
      return Promise.resolve();
    },
  });
  const done = leave(f.core);
  await f.clock.advance(1_000);
  await done;
  assert.deepEqual(told(f.events), ["member-leave a"]);
});

Deno.test("a second leave is refused while one runs and does nothing after it", async () => {
  const f = fixture();
  const done = leave(f.core);
  await assert.rejects(leave(f.core), (error) => {
    assert.ok(error instanceof LeaveInProgressError && error instanceof SerfStateError);
    assert.equal(error.message, "Leave already in progress");
    return true;
  });
  await f.clock.advance(1_000);
  await done;
  await leave(f.core);
  f.core.state = "shutdown";
  await assert.rejects(leave(f.core), { message: "Leave called after Shutdown" });
});

Deno.test("a shutdown ends a leave that waits, and stays", async () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  const done = leave(f.core);
  f.core.state = "shutdown";
  f.core.timers.close();
  await done;
  assert.equal(f.core.state, "shutdown");
});

Deno.test("a forced leave of a failed member takes effect here at once and is gossiped", async () => {
  const f = fixture();
  for (const name of ["b", "c"]) f.delegate.notifyJoin(node(name));
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyMessage(joinMessage("b", 6n));
  f.gossip();
  const done = forceLeave(f.core, "b", false);
  assert.equal(statuses(f.core).b, "left");
  assert.deepEqual(f.gossip().map(hex), [hex(leaveMessage("b", 7n))]);
  await done;
});

Deno.test("a forced leave that is not sent in time says so", async () => {
  const f = fixture();
  for (const name of ["b", "c"]) f.delegate.notifyJoin(node(name));
  const done = forceLeave(f.core, "b", false);
  const refused = assert.rejects(done, {
    name: "ForceLeaveTimeoutError",
    message: "timed out broadcasting node removal",
  });
  await f.clock.advance(5_000);
  await refused;
});

Deno.test("a forced leave with no other member alive returns at once", async () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyLeave(node("b"));
  await forceLeave(f.core, "b", true);
  assert.deepEqual(told(f.events).slice(1), ["member-failed b", "member-leave b", "member-reap b"]);
  assert.deepEqual(f.gossip(), []);
});

Deno.test("a forced leave of an unknown name is no error", async () => {
  const f = fixture();
  await forceLeave(f.core, "nobody", false);
  assert.deepEqual(f.events, []);
});

Deno.test("a forced leave of the own name is refuted, and broadcast all the same", async () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  const done = forceLeave(f.core, "a", false);
  assert.equal(statuses(f.core).a, "alive");
  assert.deepEqual(
    f.gossip().map(hex).sort(),
    [hex(joinMessage("a", 2n)), hex(leaveMessage("a", 1n))].sort(),
  );
  await done;
});
