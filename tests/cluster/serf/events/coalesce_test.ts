import assert from "node:assert/strict";
import { sendUserEvent } from "../../../../cluster/serf/events/user_events.ts";
import {
  eventMessage,
  fixture,
  leaveMessage,
  node,
  queryMessage,
  told,
  utf8,
} from "../../../support/serf/fixture.ts";

/** The agent's periods. */
const PERIODS = {
  coalescePeriodMs: 3_000,
  quiescentPeriodMs: 1_000,
  userCoalescePeriodMs: 3_000,
  userQuiescentPeriodMs: 1_000,
};

/** An agent whose own join was handed out already. */
async function coalescing() {
  const f = fixture({ config: PERIODS });
  await f.clock.advance(1_000);
  f.events.length = 0;
  return f;
}

Deno.test("events are handed out one second after the last of them", async () => {
  const f = await coalescing();
  f.delegate.notifyJoin(node("b"));
  await f.clock.advance(900);
  f.delegate.notifyJoin(node("c"));
  await f.clock.advance(999);
  assert.deepEqual(f.events, []);
  await f.clock.advance(1);
  assert.deepEqual(told(f.events), ["member-join b,c"]);
});

Deno.test("events that keep coming are handed out three seconds after the first", async () => {
  const f = await coalescing();
  for (let i = 0; i < 6; i++) {
    f.delegate.notifyJoin(node(`n${i}`));
    await f.clock.advance(600);
  }
  assert.deepEqual(told(f.events), ["member-join n0,n1,n2,n3,n4"]);
});

Deno.test("of each member the last event counts, in one event per type", async () => {
  const f = await coalescing();
  for (const name of ["b", "c", "d"]) f.delegate.notifyJoin(node(name));
  f.delegate.notifyMessage(leaveMessage("b", 2n));
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyUpdate(node("c", { tags: { v: "2" } }));
  await f.clock.advance(1_000);
  assert.deepEqual(told(f.events), ["member-leave b", "member-update c", "member-join d"]);
});

Deno.test("a node that went and came back within the period yields nothing", async () => {
  const f = await coalescing();
  f.delegate.notifyJoin(node("b"));
  await f.clock.advance(1_000);
  f.events.length = 0;
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyJoin(node("b"));
  await f.clock.advance(5_000);
  assert.deepEqual(f.events, []);
});

Deno.test("an update is handed out each time it happens, and only then", async () => {
  const f = await coalescing();
  f.delegate.notifyJoin(node("b"));
  await f.clock.advance(1_000);
  f.events.length = 0;
  for (let i = 0; i < 2; i++) {
    f.delegate.notifyUpdate(node("b", { tags: { v: `${i}` } }));
    await f.clock.advance(1_000);
  }
  f.delegate.notifyJoin(node("c"));
  await f.clock.advance(1_000);
  assert.deepEqual(told(f.events), ["member-update b", "member-update b", "member-join c"]);
});

Deno.test("a failed member that is pruned within the period shows only that it is forgotten", async () => {
  const f = await coalescing();
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyMessage(leaveMessage("b", 2n, true));
  await f.clock.advance(1_000);
  assert.deepEqual(told(f.events), ["member-reap b"]);
});

Deno.test("of user events of one name those of the greatest time are handed out", async () => {
  const f = await coalescing();
  for (const payload of ["1", "2", "3"]) sendUserEvent(f.core, "dep", utf8(payload), true);
  f.delegate.notifyMessage(eventMessage(3n, "dep", "3b", true));
  f.delegate.notifyMessage(eventMessage(2n, "dep", "2b", true));
  f.delegate.notifyMessage(eventMessage(1n, "other", undefined, true));
  await f.clock.advance(1_000);
  assert.deepEqual(told(f.events), ["user dep 3", "user dep 3b", "user other"]);
});

Deno.test("a user event of a later batch may have an earlier time", async () => {
  const f = await coalescing();
  f.delegate.notifyMessage(eventMessage(5n, "dep", "5", true));
  await f.clock.advance(1_000);
  f.delegate.notifyMessage(eventMessage(4n, "dep", "4", true));
  await f.clock.advance(1_000);
  assert.deepEqual(told(f.events), ["user dep 5", "user dep 4"]);
});

Deno.test("queries and events that may not be coalesced overtake those that wait", async () => {
  const f = await coalescing();
  f.delegate.notifyJoin(node("b"));
  sendUserEvent(f.core, "slow", null, true);
  sendUserEvent(f.core, "fast", null, false);
  f.delegate.notifyMessage(queryMessage());
  assert.deepEqual(told(f.events), ["user fast", "query load"]);
  await f.clock.advance(1_000);
  assert.deepEqual(told(f.events).slice(2).sort(), ["member-join b", "user slow"]);
});

Deno.test("a flood of user events is handed out before it fills memory", async () => {
  const f = await coalescing();
  for (let i = 0; i < 4_096; i++) {
    f.delegate.notifyMessage(eventMessage(1n, `e${i}`, undefined, true));
  }
  assert.equal(f.events.length, 4_096);
});

Deno.test("with one period of 0 a stage is off", () => {
  for (const off of ["coalescePeriodMs", "quiescentPeriodMs"]) {
    const f = fixture({ config: { ...PERIODS, [off]: 0 } });
    f.delegate.notifyJoin(node("b"));
    assert.deepEqual(told(f.events), ["member-join b"], off);
  }
});

Deno.test("a flush hands out what waits", async () => {
  const f = await coalescing();
  f.delegate.notifyJoin(node("b"));
  sendUserEvent(f.core, "e", null, true);
  f.pipeline.flush();
  assert.deepEqual(told(f.events).sort(), ["member-join b", "user e"]);
  await f.clock.advance(5_000);
  assert.equal(f.events.length, 2);
});
