import assert from "node:assert/strict";
import {
  fixture,
  joinMessage,
  leaveMessage,
  node,
  statuses,
  told,
  utf8,
} from "../../../support/serf/fixture.ts";
import { VERSIONS } from "../../../support/versions.ts";

Deno.test("a new node is an alive member with status time 0", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b", { host: "10.0.0.9", port: 7000, tags: { role: "web" } }));
  assert.deepEqual(told(f.events), ["member-join b"]);
  const [event] = f.events;
  assert.ok(event?.type === "member-join");
  assert.deepEqual(event.members[0], {
    name: "b",
    addr: Uint8Array.of(10, 0, 0, 9),
    port: 7000,
    tags: { role: "web" },
    status: "alive",
    ...VERSIONS,
  });
  assert.equal(f.core.members.get("b")?.statusTime, 0n);
  assert.ok(f.logs.includes("[INFO] EventMemberJoin: b 10.0.0.9"));
});

Deno.test("a node that goes without an intent has failed, with one it has left", () => {
  const f = fixture();
  for (const name of ["b", "c"]) f.delegate.notifyJoin(node(name));
  f.delegate.notifyMessage(leaveMessage("c", 3n));
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyLeave(node("c"));
  assert.deepEqual(statuses(f.core), { a: "alive", b: "failed", c: "left" });
  assert.deepEqual(told(f.events).slice(2), ["member-failed b", "member-leave c"]);
  assert.ok(f.logs.includes("[INFO] EventMemberFailed: b 127.0.0.1"));
  assert.ok(f.logs.includes("[INFO] EventMemberLeave: c 127.0.0.1"));
});

Deno.test("a node that is gone already, or unknown, goes without an event", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyLeave(node("b"));
  f.events.length = 0;
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyLeave(node("x"));
  f.delegate.notifyUpdate(node("x"));
  assert.deepEqual(f.events, []);
  assert.equal(f.core.members.get("x"), undefined);
});

Deno.test("a node that comes back is alive with its new facts, and keeps its status time", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b", { tags: { v: "1" } }));
  f.delegate.notifyMessage(joinMessage("b", 9n));
  f.delegate.notifyLeave(node("b"));
  f.delegate.notifyJoin(node("b", { port: 9_000, tags: { v: "2" } }));
  const member = f.core.members.get("b");
  assert.equal(member?.status, "alive");
  assert.equal(member?.statusTime, 9n);
  assert.equal(member?.leftAt, undefined);
  assert.equal(member?.node.port, 9_000);
  assert.deepEqual(f.core.members.all().find(({ name }) => name === "b")?.tags, { v: "2" });
  assert.equal(f.core.members.failed.size, 0);
  assert.deepEqual(told(f.events), ["member-join b", "member-failed b", "member-join b"]);
});

Deno.test("a node that comes back within a minute after it failed has flapped", async () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyLeave(node("b"));
  await f.clock.advance(59_999);
  f.delegate.notifyJoin(node("b"));
  assert.equal(f.core.tally.counters.memberFlap, 1);
  f.delegate.notifyLeave(node("b"));
  await f.clock.advance(60_000);
  f.delegate.notifyJoin(node("b"));
  assert.equal(f.core.tally.counters.memberFlap, 1);
});

Deno.test("an update changes the tags and nothing of the status", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b"));
  f.delegate.notifyMessage(leaveMessage("b", 3n));
  f.delegate.notifyUpdate(node("b", { meta: utf8("db") }));
  assert.deepEqual(told(f.events), ["member-join b", "member-update b"]);
  assert.deepEqual(f.core.members.all().find(({ name }) => name === "b")?.tags, { role: "db" });
  assert.equal(statuses(f.core).b, "leaving");
  assert.ok(f.logs.includes("[INFO] EventMemberUpdate: b"));
});

Deno.test("tags that cannot be read leave a member without tags", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b", { meta: Uint8Array.of(255, 0x81) }));
  assert.deepEqual(f.core.members.all().find(({ name }) => name === "b")?.tags, {});
  assert.ok(f.logs.some((line) => line.startsWith("[ERR] Failed to decode tags of 'b'")));
});

Deno.test("members are handed out frozen, the same objects until they change", () => {
  const f = fixture();
  f.delegate.notifyJoin(node("b", { tags: { role: "web" } }));
  const { members } = f.core;
  const before = members.all();
  const version = members.version;
  assert.equal(members.all(), before);
  const b = before.find((m) => m.name === "b");
  assert.ok(b !== undefined && Object.isFrozen(b) && Object.isFrozen(b.tags));
  f.delegate.notifyMessage(joinMessage("b", 4n));
  assert.equal(members.version, version, "a status time is not visible");
  f.delegate.notifyMessage(leaveMessage("b", 5n));
  assert.ok(members.version > version);
  assert.equal(b.status, "alive");
  assert.equal(members.all().find((m) => m.name === "b")?.status, "leaving");
  assert.equal(members.all().find((m) => m.name === "a"), before.find((m) => m.name === "a"));
});
