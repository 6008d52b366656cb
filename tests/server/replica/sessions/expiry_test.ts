/**
 * Which sessions the server that leads ends, and when.
 *
 * @module
 */

import assert from "node:assert/strict";
import { decodeTotals, totalsQuestion } from "../../../../cluster/machine/mod.ts";
import { begun, TestLeader, TestLink, TIMEOUT_MS } from "../../../support/sessions/leader.ts";

Deno.test("a silent session ends after its time, not before and at most two seconds late", async () => {
  const leader = new TestLeader();
  const link = new TestLink();
  await leader.clock.advance(130);
  const { binding } = await leader.begin(link);
  const since = leader.clock.now();
  await leader.clock.advance(TIMEOUT_MS / 2);
  leader.leading.heard(binding);
  const heard = leader.clock.now();
  await leader.clock.until(() => link.parted !== undefined, 2 * TIMEOUT_MS);
  assert.equal(link.parted, "expired");
  const lasted = leader.clock.now() - heard;
  assert.ok(lasted >= TIMEOUT_MS && lasted <= TIMEOUT_MS + 2_000, `${lasted}`);
  assert.ok(leader.clock.now() - since > TIMEOUT_MS);
  const again = await leader.goOn(binding.session, new TestLink());
  assert.equal((again as { reason: string }).reason, "SESSION_EXPIRED");
});

Deno.test("everything that a client sends is a sign of its life", async () => {
  const leader = new TestLeader();
  const { binding } = await leader.begin();
  const { leading } = leader;
  const signs = [
    () => leading.heard(binding),
    () => leading.ack(binding, 1),
    () => void leader.command(binding, {}),
  ];
  for (const sign of signs) {
    await leader.clock.advance(TIMEOUT_MS - 500);
    sign();
  }
  await leader.clock.advance(TIMEOUT_MS - 500);
  assert.equal(leading.isBound(binding.session), true);
});

Deno.test("all that are silent end by one entry, and who expires cannot go on", async () => {
  const leader = new TestLeader();
  const sessions: string[] = [];
  for (let i = 0; i < 20; i++) sessions.push((await leader.begin()).binding.session);
  const before = leader.entries;
  leader.isHeld = true;
  await leader.clock.advance(TIMEOUT_MS + 2_000);
  for (const session of sessions) {
    const refused = await leader.goOn(session, new TestLink());
    assert.equal((refused as { reason: string }).reason, "SESSION_EXPIRED");
  }
  leader.isHeld = false;
  leader.run();
  assert.equal(leader.entries - before, 1);
  await leader.clock.advance(10_000);
  assert.equal(leader.clock.pending, 0, "nothing is looked after any more");
});

Deno.test("a session that is heard of after its time, before its end could be asked for, goes on", async () => {
  const leader = new TestLeader();
  const { binding: other } = await leader.begin();
  const { binding } = await leader.begin();
  leader.isHeld = true;
  leader.leading.end(other.session);
  await leader.clock.advance(TIMEOUT_MS + 2_000);
  leader.leading.heard(binding);
  leader.isHeld = false;
  leader.run();
  await leader.clock.advance(TIMEOUT_MS - 500);
  assert.equal(leader.sessions.find(other.session), undefined);
  assert.notEqual(leader.sessions.find(binding.session), undefined);
  await leader.clock.advance(3_000);
  assert.equal(leader.sessions.find(binding.session), undefined);
});

Deno.test("a session ends at once when its client wishes, and the connection once it has", async () => {
  const leader = new TestLeader();
  const link = new TestLink();
  const { binding } = await leader.begin(link);
  leader.isHeld = true;
  leader.leading.close(binding);
  await leader.clock.advance(0);
  assert.equal(link.parted, undefined);
  const refused = await leader.goOn(binding.session, new TestLink());
  assert.equal((refused as { reason: string }).reason, "SESSION_EXPIRED");
  leader.isHeld = false;
  leader.run();
  assert.equal(link.parted, "closed");
});

Deno.test("an expiry that came to nothing is tried again", async () => {
  const leader = new TestLeader();
  const link = new TestLink();
  const { binding } = await leader.begin(link);
  const { askHere } = leader;
  leader.askHere = (_kind, _bytes, _limit, done) =>
    queueMicrotask(() => done({ ok: false, code: 503, reason: "OVERLOADED" }));
  leader.leading.end(binding.session);
  await leader.clock.advance(500);
  leader.askHere = askHere;
  assert.equal(link.parted, undefined);
  await leader.clock.advance(1_000);
  assert.equal(link.parted, "expired");
});

Deno.test("a server that begins to lead gives all sessions their full time, however many there are", async () => {
  const leader = new TestLeader();
  const sessions: string[] = [];
  for (let i = 0; i < 250; i++) sessions.push((await leader.begin()).binding.session);
  await leader.clock.advance(TIMEOUT_MS - 1_000);
  leader.lead(undefined);
  leader.lead(2);
  const began = leader.clock.now();
  await leader.clock.advance(TIMEOUT_MS - 1_000);
  const [first = "", ...others] = sessions;
  begun(await leader.goOn(first, new TestLink()));
  const before = leader.entries;
  await leader.clock.until(() => leader.entries > before, 10_000);
  assert.ok(leader.clock.now() - began >= TIMEOUT_MS);
  await leader.clock.advance(1_000);
  for (const session of others) assert.equal(leader.sessions.find(session), undefined);
  assert.notEqual(leader.sessions.find(first), undefined);
});

Deno.test("a session of which a new leader has heard has its time from then on", async () => {
  const leader = new TestLeader();
  const sessions: string[] = [];
  for (let i = 0; i < 250; i++) sessions.push((await leader.begin()).binding.session);
  const last = sessions.toSorted().at(-1) ?? "";
  await leader.clock.advance(250 - leader.clock.now() % 250);
  leader.lead(undefined);
  leader.lead(2);
  await leader.clock.advance(5);
  begun(await leader.goOn(last, new TestLink()));
  await leader.clock.advance(TIMEOUT_MS - 5);
  assert.equal(leader.sessions.find(sessions[0] ?? ""), undefined);
  assert.notEqual(leader.sessions.find(last), undefined);
});

Deno.test("what ended sessions have left is swept until nothing is left", async () => {
  const leader = new TestLeader();
  const bindings = [];
  for (let i = 0; i < 3; i++) {
    const { binding } = await leader.begin();
    const all = range(1, 1_000).map((id) => leader.command(binding, { id }));
    await Promise.all(all);
    bindings.push(binding);
  }
  for (const { session } of bindings) leader.leading.end(session);
  await leader.clock.advance(0);
  const totals = leader.machine.query(totalsQuestion());
  assert.equal(totals.ok && decodeTotals(totals.body).leavings, 0);
});

Deno.test("a server that stood still ends nobody before it has read what was sent meanwhile", async () => {
  const leader = new TestLeader();
  const [alive, silent] = [new TestLink(), new TestLink()];
  const { binding } = await leader.begin(alive);
  await leader.begin(silent);
  const now = leader.clock.now.bind(leader.clock);
  await leader.clock.advance(500);
  leader.clock.now = () => now() + 2 * TIMEOUT_MS;
  await leader.clock.advance(500);
  assert.deepEqual([alive.parted, silent.parted], [undefined, undefined]);
  leader.leading.heard(binding);
  await leader.clock.advance(1_000);
  assert.deepEqual([alive.parted, silent.parted], [undefined, "expired"]);
});

Deno.test("a session does not end while its requests are under way, since signs of its life wait behind them", async () => {
  const leader = new TestLeader();
  const link = new TestLink();
  const { binding } = await leader.begin(link);
  leader.isHeld = true;
  const asked = leader.command(binding, {});
  await leader.clock.advance(2 * TIMEOUT_MS);
  leader.isHeld = false;
  leader.run();
  assert.equal(await asked, "1");
  leader.leading.heard(binding);
  await leader.clock.advance(TIMEOUT_MS - 1_000);
  assert.equal(link.parted, undefined);
  await leader.clock.advance(3_000);
  assert.equal(link.parted, "expired", "and then it has its time");
});

Deno.test("a session that is asked for in time does not end before it can go on", async () => {
  const leader = new TestLeader();
  const { binding } = await leader.begin();
  leader.leading.leave(binding);
  await leader.clock.advance(TIMEOUT_MS - 1_000);
  leader.isHeld = true;
  const going = leader.goOn(binding.session, new TestLink());
  await leader.clock.advance(5_000);
  leader.isHeld = false;
  leader.run();
  begun(await going);
});

Deno.test("a session that is not there ends by one entry, and is forgotten", async () => {
  const leader = new TestLeader();
  const before = leader.entries;
  leader.leading.end("00".repeat(16));
  await leader.clock.advance(5_000);
  assert.deepEqual([leader.entries - before, leader.clock.pending], [1, 0]);
});

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}
