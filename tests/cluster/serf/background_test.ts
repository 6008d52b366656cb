import assert from "node:assert/strict";
import { startBackgroundTasks } from "../../../cluster/serf/background.ts";
import { Healer } from "../../../cluster/serf/healer.ts";
import {
  type Fixture,
  fixture,
  type FixtureOptions,
  leaveMessage,
  node,
  told,
} from "../../support/serf/fixture.ts";

const HOUR = 3_600_000;

/** An agent with its tasks running, and members of these names. */
function running(names: string[], options: FixtureOptions = {}): Fixture {
  const f = fixture(options);
  for (const name of names) f.delegate.notifyJoin(node(name, { port: 7_001 }));
  f.events.length = 0;
  startBackgroundTasks(f.core, new Healer(f.core));
  return f;
}

Deno.test("members that failed or left are forgotten after a day, not at a day", async () => {
  const f = running(["b", "c"], { join: () => Promise.reject(new Error("down")) });
  f.delegate.notifyMessage(leaveMessage("c", 2n));
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyLeave(node("c"));
  f.events.length = 0;
  await f.clock.advance(24 * HOUR);
  assert.deepEqual(f.events, []);
  await f.clock.advance(15_000);
  assert.deepEqual(told(f.events), ["member-reap b", "member-reap c"]);
  assert.equal(f.core.members.size, 1);
  assert.ok(f.logs.includes("[INFO] EventMemberReap: b"));
});

Deno.test("the two kinds have their own timeouts", async () => {
  const f = running(["b", "c"], {
    config: { reconnectTimeoutMs: HOUR, tombstoneTimeoutMs: 2 * HOUR, reconnectIntervalMs: 0 },
  });
  f.delegate.notifyMessage(leaveMessage("c", 2n));
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyLeave(node("c"));
  await f.clock.advance(HOUR + 15_000);
  assert.equal(told(f.events).at(-1), "member-reap b");
  await f.clock.advance(HOUR);
  assert.equal(told(f.events).at(-1), "member-reap c");
});

Deno.test("old intents are dropped after five minutes", async () => {
  const f = running([]);
  f.delegate.notifyMessage(leaveMessage("x", 2n));
  await f.clock.advance(300_000);
  assert.equal(f.core.intents.size, 1);
  await f.clock.advance(15_000);
  assert.equal(f.core.intents.size, 0);
});

Deno.test("a failed member is tried at its address, by memberlist alone", async () => {
  const f = running(["b"]);
  f.delegate.notifyLeave(node("b"));
  await f.clock.advance(30_000);
  assert.deepEqual(f.joins, ["b/127.0.0.1:7001"]);
  assert.ok(f.logs.includes("[INFO] attempting reconnect to b 127.0.0.1:7001"));
  assert.deepEqual(f.gossip(), []);
});

Deno.test("the more members have failed, the likelier one is tried", async () => {
  const f = running(["b", "c", "d", "e"]);
  f.delegate.notifyLeave(node("b"));
  // One failed of five, four others: tried when the draw is at most 1/4.
  f.draws.push(0.26);
  await f.clock.advance(30_000);
  assert.deepEqual(f.joins, []);
  f.draws.push(0.25);
  await f.clock.advance(30_000);
  assert.equal(f.joins.length, 1);
});

Deno.test("nobody is tried while nobody has failed", async () => {
  const f = running(["b"]);
  f.draws.push(0);
  await f.clock.advance(30_000);
  assert.deepEqual(f.joins, []);
});

Deno.test("a try that hangs or fails does not stop the next one", async () => {
  const results = [Promise.reject(new Error("refused")), Promise.resolve(1)];
  const f = running(["b"], { join: () => results.shift() ?? Promise.resolve(0) });
  f.delegate.notifyLeave(node("b"));
  await f.clock.advance(60_000);
  assert.equal(f.joins.length, 2);
});

Deno.test("a name with a slash is tried by its address alone", async () => {
  const f = running(["rack/b"]);
  f.delegate.notifyLeave(node("rack/b"));
  await f.clock.advance(30_000);
  assert.deepEqual(f.joins, ["127.0.0.1:7001"]);
});

Deno.test("long queues are warned of", async () => {
  const f = running([]);
  for (let i = 0; i < 128; i++) f.delegate.notifyMessage(leaveMessage(`x${i}`, 2n));
  await f.clock.advance(30_000);
  assert.ok(f.logs.includes("[WARN] Intent queue depth: 128"));
});

Deno.test("no task outlives the timers", async () => {
  const f = running(["b"]);
  f.delegate.notifyLeave(node("b"));
  f.core.timers.close();
  await f.clock.advance(48 * HOUR);
  assert.deepEqual(f.joins, []);
  assert.equal(f.core.members.size, 2);
});
