import assert from "node:assert/strict";
import {
  decodeMessage,
  encodeMessage,
  MessageType,
  PushPull,
} from "../../../cluster/serf/model/messages.ts";
import { mergeRemoteState } from "../../../cluster/serf/push_pull.ts";
import {
  eventMessage,
  fixture,
  hex,
  joinMessage,
  leaveMessage,
  node,
  statuses,
  told,
  unhex,
  utf8,
} from "../../support/serf/fixture.ts";
import samples from "../../vectors/serf.json" with { type: "json" };

const captured = (name: string) => samples.find((s) => s.name === name)?.hex ?? "";

/** A peer's state; clocks at 1, nothing known. */
function state(fields: Partial<PushPull>): Uint8Array {
  return encodeMessage(MessageType.pushPull, PushPull, {
    LTime: 1n,
    StatusLTimes: {},
    LeftMembers: [],
    EventLTime: 1n,
    Events: [],
    QueryLTime: 1n,
    ...fields,
  });
}

Deno.test("a fresh agent sends the captured state of a fresh agent: 512 empty slots", () => {
  const f = fixture();
  assert.equal(hex(f.delegate.localState(true)), captured("push-pull/fresh-node"));
});

Deno.test("the same history gives the captured state with a member that left", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("z"));
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyMessage(eventMessage(1n, "deploy", "v1.2.3", true));
  f.delegate.notifyMessage(eventMessage(2n, "restart"));
  f.delegate.notifyMessage(leaveMessage("b", 2n));
  f.delegate.notifyLeave(node("b"));
  f.core.queryClock.witness(56n);
  assert.equal(hex(f.delegate.localState(false)), captured("push-pull/left-member"));
});

Deno.test("the clocks move up to the peer's, and no further", () => {
  const f = fixture();
  f.delegate.mergeRemoteState(state({ LTime: 7n, EventLTime: 0n, QueryLTime: 9n }), false);
  assert.deepEqual(
    [f.core.memberClock.time(), f.core.eventClock.time(), f.core.queryClock.time()],
    [7n, 1n, 9n],
  );
});

Deno.test("a peer that lists us as left at 500 makes us announce a join at 502", () => {
  const f = fixture();
  f.delegate.mergeRemoteState(state({ StatusLTimes: { a: 500n }, LeftMembers: ["a"] }), true);
  assert.equal(statuses(f.core).a, "alive");
  assert.deepEqual(f.gossip().map(hex), [hex(joinMessage("a", 502n))]);
});

Deno.test("a peer that knows of a forced leave of ours before we do makes us refute it", () => {
  const f = fixture();
  f.delegate.mergeRemoteState(state({ LTime: 9n, StatusLTimes: { a: 8n } }), false);
  f.delegate.notifyMessage(leaveMessage("a", 8n));
  assert.equal(statuses(f.core).a, "alive");
  assert.deepEqual(f.gossip().map(hex), [hex(joinMessage("a", 9n))]);
});

Deno.test("members that the peer lists as left have left here, one time later than it says", () => {
  const f = fixture();
  for (const name of ["b", "c"]) f.delegate.notifyJoin(node(name));
  f.delegate.notifyLeave(node("c"));
  f.events.length = 0;
  f.delegate.mergeRemoteState(
    state({ StatusLTimes: { b: 0n, c: 4n }, LeftMembers: ["b", "c", "unheard"] }),
    false,
  );
  assert.deepEqual(statuses(f.core), { a: "alive", b: "leaving", c: "left" });
  assert.deepEqual(told(f.events), ["member-leave c"]);
  assert.equal(f.core.members.get("b")?.statusTime, 1n);
  assert.equal(f.core.members.get("c")?.statusTime, 5n);
  assert.equal(f.core.intents.find("unheard", "leave"), 1n);
  assert.deepEqual(f.gossip(), [], "what a push/pull brings is not gossiped");
});

Deno.test("a member whose leave comes by push/pull before its intent has left, not failed", () => {
  for (const name of ["b", "c"]) {
    const peer = fixture({ name });
    if (name === "b") peer.core.state = "leaving";
    else peer.delegate.notifyJoin(node("b"));
    peer.delegate.notifyMessage(leaveMessage("b", 7n));
    const f = fixture();
    f.delegate.notifyJoin(node("b"));
    f.delegate.mergeRemoteState(peer.delegate.localState(false), false);
    assert.equal(statuses(f.core).b, "leaving");
    assert.equal(f.core.members.get("b")?.statusTime, 7n);
    f.delegate.notifyMessage(leaveMessage("b", 7n));
    f.delegate.notifyLeave(node("b"));
    assert.deepEqual(told(f.events), ["member-join b", "member-leave b"]);
  }
});

Deno.test("a node that memberlist lost and the peer knows as left fails and then leaves", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyLeave(node("b"));
  f.delegate.mergeRemoteState(state({ StatusLTimes: { b: 3n }, LeftMembers: ["b"] }), false);
  assert.deepEqual(told(f.events), ["member-join b", "member-failed b", "member-leave b"]);
});

Deno.test("the other statuses count as join intents", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyMessage(leaveMessage("b", 3n));
  f.delegate.mergeRemoteState(state({ StatusLTimes: { b: 4n, later: 2n } }), false);
  assert.equal(statuses(f.core).b, "alive");
  assert.equal(f.core.intents.find("later", "join"), 2n);
});

const events = (ltime: bigint, ...names: string[]) => ({
  LTime: ltime,
  Events: names.map((Name) => ({ Name, Payload: utf8(`${ltime}`) })),
});

Deno.test("the peer's events are replayed in ring order, never coalescable, never gossiped on", () => {
  const f = fixture({
    config: { userCoalescePeriodMs: 3_000, userQuiescentPeriodMs: 1_000 },
  });
  const Events = [null, events(513n, "c"), events(2n, "a", "b"), null];
  f.delegate.mergeRemoteState(state({ EventLTime: 514n, Events }), false);
  f.delegate.mergeRemoteState(state({ EventLTime: 514n, Events }), false);
  assert.deepEqual(told(f.events), ["user c 513", "user a 2", "user b 2"]);
  assert.ok(f.events.every((event) => event.type === "user" && !event.coalesce));
  assert.deepEqual(f.gossip(), []);
});

Deno.test("a list of events may be of any length", () => {
  const f = fixture();
  const Events = Array.from({ length: 600 }, (_, i) => i % 2 ? null : events(BigInt(i + 1), "e"));
  f.delegate.mergeRemoteState(state({ EventLTime: 601n, Events }), false);
  assert.equal(f.events.length, 256, "those of the last 512 times");
  f.delegate.mergeRemoteState(state({ Events: null }), false);
});

Deno.test("a join that ignores old events takes none from before the peer's clock", () => {
  const f = fixture();
  mergeRemoteState(f.core, state({ EventLTime: 6n, Events: [events(5n, "old")] }), {
    ignoreOldEvents: true,
  });
  assert.deepEqual(f.events, []);
  f.delegate.notifyMessage(eventMessage(5n, "late"));
  f.delegate.notifyMessage(eventMessage(6n, "new"));
  assert.deepEqual(told(f.events), ["user new"]);
});

Deno.test("an exchange that another node began does not ignore old events", () => {
  const f = fixture();
  f.delegate.mergeRemoteState(state({ EventLTime: 6n, Events: [events(5n, "old")] }), true);
  assert.deepEqual(told(f.events), ["user old 5"]);
});

Deno.test("a state that is empty, of another type or cut off changes nothing", () => {
  const f = fixture();
  const good = state({ LTime: 50n, StatusLTimes: { b: 9n } });
  for (const bad of [new Uint8Array(0), unhex("0380"), good.subarray(0, good.length - 1)]) {
    f.delegate.mergeRemoteState(bad, true);
  }
  assert.equal(f.core.memberClock.time(), 1n);
  assert.ok(f.logs.every((line) => line.startsWith("[ERR]")));
});

Deno.test("hostile times neither wrap a clock nor shut events out nor come back out", () => {
  const f = fixture();
  const hostile = 2n ** 64n - 1n;
  f.delegate.notifyJoin(node("b"));
  mergeRemoteState(
    f.core,
    state({
      LTime: hostile,
      EventLTime: hostile,
      QueryLTime: hostile,
      StatusLTimes: { b: hostile, c: hostile },
      LeftMembers: ["c"],
      Events: [events(hostile, "e")],
    }),
    { ignoreOldEvents: true },
  );
  const own = decodeMessage(PushPull, f.delegate.localState(false));
  for (const time of [own.LTime, own.EventLTime, own.QueryLTime, own.StatusLTimes?.b ?? 0n]) {
    assert.ok(time <= 1n);
  }
  assert.equal(f.core.events.minTime, 0n);
});

Deno.test("times near the end are ignored, wherever in a push/pull they are", () => {
  const f = fixture();
  const end = 2n ** 64n - 2n;
  f.delegate.notifyJoin(node("b"));
  const poisoned = state({
    LTime: end,
    StatusLTimes: { b: end, c: end },
    LeftMembers: ["c"],
    EventLTime: end,
    Events: [events(end, "poison")],
    QueryLTime: end,
  });
  for (const chosen of [false, true]) f.delegate.mergeRemoteState(poisoned, true, chosen);
  const { core } = f;
  const clocks = [core.memberClock, core.eventClock, core.queryClock];
  assert.deepEqual(clocks.map((clock) => clock.time()), [1n, 1n, 1n]);
  assert.equal(core.members.get("b")?.statusTime, 0n);
  assert.equal(core.intents.size, 0);
  assert.ok(!f.events.some(({ type }) => type === "user"));
  assert.equal(core.tally.counters.lamportRejected, 12);
});

Deno.test("only a peer that the node was told to join takes its clocks far beyond the middle", () => {
  const far = 2n ** 63n + 2n ** 40n;
  const old = state({ LTime: far, EventLTime: far, QueryLTime: far, Events: [events(far, "e")] });
  const f = fixture();
  f.delegate.mergeRemoteState(old, true);
  assert.equal(f.core.eventClock.time(), 1n);
  f.delegate.mergeRemoteState(old, true, true);
  const { memberClock, eventClock, queryClock } = f.core;
  assert.deepEqual([memberClock.time(), eventClock.time(), queryClock.time()], [
    far,
    far + 1n,
    far,
  ]);
  assert.ok(f.events.some((event) => event.type === "user" && event.name === "e"));
});
