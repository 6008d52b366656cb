/**
 * What the server that leads keeps of sessions: connections, what is under way, and what it tells them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { LEADER, NOBODY } from "../../../../cluster/machine/mod.ts";
import { equalBytes } from "../../../../protocol/bytes.ts";
import { MISSED, OVERFLOW } from "../../../../protocol/kv/change.ts";
import { textOfId } from "../../../../server/replica/sessions/mod.ts";
import {
  begun,
  INCREMENT,
  setting,
  TestLeader,
  TestLink,
  WATCH,
} from "../../../support/sessions/leader.ts";

Deno.test("a session goes on at another connection, and the older one loses it first", async () => {
  const leader = new TestLeader();
  const [older, newer] = [new TestLink(), new TestLink()];
  const { binding, info } = await leader.begin(older);
  assert.deepEqual([info.floor, info.firstPending, info.lastRequest], [0, 1, 0]);
  const going = leader.goOn(binding.session, newer);
  assert.equal(older.parted, "replaced");
  assert.equal(begun(await going).binding.link, newer);
  assert.equal(leader.leading.bound, 1);
  leader.leading.leave(binding);
  assert.equal(leader.leading.bound, 1, "the older one has nothing to say any more");
});

Deno.test("of two who go on with a session at once, the later one has it", async () => {
  const leader = new TestLeader();
  const { binding } = await leader.begin();
  const [first, second] = [new TestLink(), new TestLink()];
  let told = false;
  leader.leading.continue(first, binding.session, () => told = true);
  begun(await leader.goOn(binding.session, second));
  assert.deepEqual([first.parted, told, second.parted], ["replaced", false, undefined]);
});

Deno.test("a connection that is gone before its session begins has none", async () => {
  const leader = new TestLeader();
  const link = new TestLink();
  link.isOpen = false;
  leader.leading.create(
    link,
    { capabilities: [["session-ext", "1"]], nonce: NONCE },
    () => assert.fail(),
  );
  await leader.clock.advance(0);
  assert.equal(leader.leading.bound, 0);
  const { binding } = await leader.begin();
  leader.leading.continue(link, binding.session, () => {});
  await leader.clock.advance(0);
  assert.equal(leader.leading.bound, 0);
});

Deno.test("what is told of a session shows what was asked on the connection before", async () => {
  const leader = new TestLeader();
  const { binding } = await leader.begin();
  leader.holdsCommands = true;
  const asked = leader.command(binding, { id: 7, low: 5 });
  const going = leader.goOn(binding.session, new TestLink());
  await leader.clock.advance(0);
  leader.holdsCommands = false;
  leader.run();
  const { info } = begun(await going);
  assert.deepEqual([await asked, info.highest, info.floor], ["1", 7, 5]);
});

Deno.test("a session that nobody has is expired, whatever its id looks like", async () => {
  const leader = new TestLeader();
  for (const session of ["", "x", "00".repeat(16), "zz".repeat(16), "A".repeat(32)]) {
    assert.deepEqual(await leader.goOn(session, new TestLink()), {
      ok: false,
      code: 410,
      reason: "SESSION_EXPIRED",
    });
  }
  assert.equal(leader.leading.bound, 0);
});

Deno.test("the same request at once makes one entry, and everybody who waits gets its result", async () => {
  const leader = new TestLeader();
  const { binding } = await leader.begin();
  const before = leader.entries;
  const all = [1, 1, 1, 2].map((id) => leader.command(binding, { id }));
  assert.deepEqual(await Promise.all(all), ["1", "1", "1", "2"]);
  assert.equal(leader.entries - before, 2);
  assert.equal(await leader.command(binding, { id: 1 }), "1");
});

Deno.test("a request joins the same one that came on the connection before", async () => {
  const leader = new TestLeader();
  const { binding } = await leader.begin();
  leader.isHeld = true;
  const first = leader.command(binding, {});
  const newer = new TestLink();
  const going = leader.goOn(binding.session, newer);
  const second = leader.command({ ...binding, link: newer }, {});
  leader.isHeld = false;
  const before = leader.entries;
  leader.run();
  assert.deepEqual(await Promise.all([first, second]), ["1", "1"]);
  assert.equal(leader.entries - before, 1);
  begun(await going);
});

Deno.test("more requests than a leader takes on are refused, and not executed", async () => {
  const leader = new TestLeader();
  const { binding } = await leader.begin();
  leader.isHeld = true;
  const some = Array.from({ length: 10_000 }, (_, i) => leader.command(binding, { id: i % 900 }));
  assert.equal(await leader.command(binding, { id: 901 }), "OVERLOADED");
  leader.isHeld = false;
  leader.run();
  assert.equal((await Promise.all(some)).filter((text) => text === "OVERLOADED").length, 0);
  assert.equal(await leader.command(binding, { id: 901 }), "900");
  const again = Array.from({ length: 10_000 }, (_, i) => leader.command(binding, { id: i % 900 }));
  assert.equal((await Promise.all(again)).includes("OVERLOADED"), false);
  leader.isHeld = true;
  const half = 32 * 1024 * 1024;
  const large = [902, 903].map((id) => leader.command(binding, { id, bytes: half }));
  assert.equal(await leader.command(binding, { id: 904, bytes: 1 }), "OVERLOADED");
  leader.run();
  await Promise.all(large);
});

Deno.test("a server that leads no more parts all connections, and fails all that wait", async () => {
  const leader = new TestLeader();
  const [bound, closing] = [new TestLink(), new TestLink()];
  const { binding } = await leader.begin(bound);
  const ending = (await leader.begin(closing)).binding;
  leader.isHeld = true;
  const asked = leader.command(binding, {});
  leader.leading.close(ending);
  const beginning = Promise.withResolvers<unknown>();
  const third = new TestLink();
  leader.leading.create(
    third,
    { capabilities: [["session-ext", "1"]], nonce: NONCE },
    beginning.resolve,
  );
  leader.lead(undefined);
  assert.deepEqual([bound.parted, closing.parted], ["deposed", "deposed"]);
  assert.equal(await asked, "deposed");
  assert.equal(leader.sessions.leading, undefined);
  leader.lead(2);
  leader.isHeld = false;
  leader.run();
  assert.equal(await beginning.promise, undefined, "it is another leadership");
  assert.equal(leader.leading.bound, 0);
});

Deno.test("a server that leads again in another term knows no connection of the one before", async () => {
  const leader = new TestLeader();
  const link = new TestLink();
  await leader.begin(link);
  leader.readyTerm = 2;
  assert.equal(leader.leading.bound, 0);
  assert.equal(link.parted, "deposed");
});

Deno.test("sessions begin as fast as the bucket fills", async () => {
  const leader = new TestLeader();
  const begin = async (): Promise<string> => {
    const done = Promise.withResolvers<{ ok: boolean; reason?: string } | undefined>();
    leader.leading.create(
      new TestLink(),
      { capabilities: [["session-ext", "1"]], nonce: NONCE },
      done.resolve,
    );
    return (await done.promise)?.reason ?? "begun";
  };
  const told = await Promise.all(Array.from({ length: 1_100 }, begin));
  assert.equal(told.filter((text) => text === "TOO_MANY_SESSIONS").length, 100);
  await leader.clock.advance(100);
  const more = await Promise.all(Array.from({ length: 60 }, begin));
  assert.equal(more.filter((text) => text === "TOO_MANY_SESSIONS").length, 10);
});

Deno.test("server requests go to a connection in order, so many at a time, and on as they are acknowledged", async () => {
  const { leader, link, binding, values } = await watching();
  await values(250);
  assert.deepEqual(link.takeIds(), range(1, 100));
  leader.leading.ack(binding, 40);
  assert.deepEqual(link.takeIds(), range(101, 140));
  leader.leading.ack(binding, 30);
  assert.deepEqual(link.takeIds(), []);
  leader.leading.ack(binding, 140);
  assert.deepEqual(link.takeIds(), range(141, 240));
  leader.leading.ack(binding, 1_000_000);
  assert.deepEqual(link.takeIds(), range(241, 250));
});

Deno.test("server requests of 1 MiB wait for an acknowledgement, however few they are", async () => {
  const { leader, link, binding } = await watching();
  const large = "x".repeat(500_000);
  for (let i = 0; i < 6; i++) await leader.command(binding, { ...setting(large + i), id: 2 + i });
  assert.deepEqual(link.takeIds(), [1, 2, 3]);
  leader.leading.ack(binding, 1);
  assert.deepEqual(link.takeIds(), [4]);
  leader.leading.ack(binding, 4);
  assert.deepEqual(link.takeIds(), [5, 6]);
});

Deno.test("a client that does not read gets no more server requests until it does", async () => {
  const { leader, link, binding, values } = await watching();
  link.reads = false;
  await values(3);
  assert.deepEqual(link.takeIds(), []);
  link.reads = true;
  leader.leading.drained(binding);
  assert.deepEqual(link.takeIds(), range(1, 3));
});

Deno.test("server requests that are not acknowledged come again after 10 seconds, then after twice as long, up to a minute", async () => {
  const { leader, link, binding, values } = await watching();
  await values(2);
  const sentAt = [leader.clock.now()];
  link.takeIds();
  const timer = setAlive(leader, binding);
  for (let i = 0; i < 5; i++) {
    await leader.clock.until(() => link.requests.length > 0, 70_000);
    assert.deepEqual(link.takeIds(), [1, 2]);
    sentAt.push(leader.clock.now());
  }
  timer.stop();
  const pauses = sentAt.slice(1).map((at, i) => at - (sentAt[i] ?? 0));
  for (const [i, least] of [10_000, 20_000, 40_000, 60_000, 60_000].entries()) {
    const pause = pauses[i] ?? 0;
    assert.ok(pause >= least && pause <= least + 2_000, `${pauses}`);
  }
  leader.leading.ack(binding, 2);
  await leader.clock.advance(15_000);
  assert.deepEqual(link.takeIds(), []);
});

Deno.test("what is acknowledged is neither sent again nor waited for when the session goes on elsewhere", async () => {
  const { leader, binding, values } = await watching();
  await values(10);
  leader.isHeld = true;
  leader.leading.ack(binding, 7);
  const newer = new TestLink();
  const going = leader.goOn(binding.session, newer);
  leader.isHeld = false;
  leader.run();
  const { info } = begun(await going);
  await leader.clock.advance(0);
  assert.equal(info.firstPending, 8);
  assert.deepEqual(newer.takeIds(), range(8, 10));
});

Deno.test("acknowledgements of many sessions are one entry, after 50 ms or with 64 of them", async () => {
  const leader = new TestLeader();
  const bindings = [];
  for (let i = 0; i < 70; i++) {
    const { binding } = await leader.begin();
    await leader.command(binding, WATCH);
    bindings.push(binding);
  }
  const [first] = bindings;
  assert.ok(first);
  await leader.command(first, { ...setting(1), id: 2 });
  const before = leader.entries;
  for (const binding of bindings.slice(0, 10)) leader.leading.ack(binding, 1);
  for (const binding of bindings.slice(0, 10)) leader.leading.ack(binding, 1);
  await leader.clock.advance(49);
  assert.equal(leader.entries - before, 0);
  await leader.clock.advance(1);
  assert.equal(leader.entries - before, 1);
  for (const binding of bindings.slice(0, 10)) leader.leading.ack(binding, 1);
  await leader.clock.advance(50);
  assert.equal(leader.entries - before, 1, "nothing new was acknowledged");
  for (const binding of bindings.slice(10)) leader.leading.ack(binding, 1);
  await leader.clock.advance(50);
  assert.equal(leader.entries - before, 2);
  for (const { session } of bindings) assert.equal(leader.sessions.find(session)?.pending, 0);
});

Deno.test("acknowledgements of more than one entry removes are proposed again", async () => {
  const leader = new TestLeader();
  const sessions: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { binding } = await leader.begin();
    await leader.command(binding, WATCH);
    leader.leading.leave(binding);
    sessions.push(binding.session);
  }
  const { binding: writer } = await leader.begin();
  for (let id = 1; id <= 1_200; id += 400) {
    const all = range(id, id + 399).map((one) => leader.command(writer, { id: one, low: id }));
    await Promise.all(all);
  }
  for (const session of sessions) {
    const { binding } = begun(await leader.goOn(session, new TestLink()));
    leader.leading.ack(binding, 1_200);
  }
  await leader.clock.advance(50);
  const pending = () => sessions.map((session) => leader.sessions.find(session)?.pending);
  assert.deepEqual(pending(), [0, 400]);
  await leader.clock.advance(50);
  assert.deepEqual(pending(), [0, 0]);
});

Deno.test("64 acknowledgements do not wait", async () => {
  const leader = new TestLeader();
  const bindings = [];
  for (let i = 0; i < 64; i++) {
    const { binding } = await leader.begin();
    await leader.command(binding, WATCH);
    bindings.push(binding);
  }
  await leader.command(bindings[0] ?? assert.fail(), { ...setting(1), id: 2 });
  const before = leader.entries;
  for (const binding of bindings) leader.leading.ack(binding, 1);
  await leader.clock.advance(0);
  assert.equal(leader.entries - before, 1);
});

Deno.test("a queue that was given up for one request leaves no gap before that, wherever the session goes on", async () => {
  const { leader, link, binding } = await watching();
  const large = "x".repeat(500 * 1024);
  for (let i = 0; i < 40; i++) await leader.command(binding, { ...setting(large + i), id: 2 + i });
  // As many as there is room for without an acknowledgement; the 33rd is the one that stands for all.
  assert.deepEqual(link.takeIds(), [1, 2, 3]);
  leader.leading.ack(binding, 2);
  assert.equal(leader.sessions.find(binding.session)?.firstPending, 1);
  const rest = link.requests.splice(0);
  assert.deepEqual(rest.map(({ id }) => id), range(4, 35));
  const missed = rest.filter(({ payload }) => equalBytes(payload, MISSED));
  assert.deepEqual(missed.map(({ id }) => id), range(4, 32));
  assert.ok(equalBytes(rest[29]?.payload ?? MISSED, OVERFLOW));
  const newer = new TestLink();
  const { info } = begun(await leader.goOn(binding.session, newer));
  assert.deepEqual([info.firstPending, info.lastRequest], [3, 40]);
  await leader.clock.advance(0);
  assert.deepEqual(newer.takeIds(), range(3, 36));
});

const NONCE = new Uint8Array(8).fill(9);

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

/** A session that watches a value, and what changes it so many times. */
async function watching() {
  const leader = new TestLeader();
  const link = new TestLink();
  const { binding } = await leader.begin(link);
  assert.equal(textOfId(binding.id), binding.session);
  await leader.command(binding, WATCH);
  const other = (await leader.begin()).binding;
  const values = async (count: number): Promise<void> => {
    const all = range(1, count).map((id) => leader.command(other, { ...INCREMENT, id }));
    await Promise.all(all);
    await leader.clock.advance(0);
  };
  return { leader, link, binding, values };
}

/** Keeps a session alive while time passes. */
function setAlive(leader: TestLeader, binding: Parameters<TestLeader["command"]>[0]) {
  let isOver = false;
  const again = (): void => {
    if (isOver) return;
    leader.leading.heard(binding);
    leader.clock.setTimer(5_000, again);
  };
  again();
  return { stop: () => isOver = true };
}

Deno.test("the state knows who can be given jobs, as they come and go and through another leader", async () => {
  const leader = new TestLeader();
  const holderOf = (session: string): number | undefined => leader.sessions.find(session)?.holder;
  const plain = await leader.begin();
  const { binding } = await leader.begin(new TestLink(), "worker");
  const entries = leader.entries;
  await leader.clock.advance(1_000);
  assert.equal(leader.entries, entries, "whoever begins needs no more entries");
  assert.deepEqual([holderOf(plain.binding.session), holderOf(binding.session)], [NOBODY, LEADER]);
  leader.leading.leave(plain.binding);
  leader.leading.leave(binding);
  await leader.clock.advance(50);
  assert.deepEqual([leader.entries - entries, holderOf(binding.session)], [1, NOBODY]);
  const next = begun(await leader.goOn(binding.session, new TestLink()));
  await leader.clock.advance(50);
  assert.equal(holderOf(binding.session), LEADER);
  // Who comes back at once has never been away.
  leader.leading.leave(next.binding);
  begun(await leader.goOn(binding.session, new TestLink()));
  await leader.clock.advance(50);
  assert.equal(holderOf(binding.session), LEADER);
  const other = await leader.begin(new TestLink(), "worker");
  leader.lead(undefined);
  leader.lead(2);
  begun(await leader.goOn(other.binding.session, new TestLink()));
  await leader.clock.advance(100);
  assert.deepEqual(
    [holderOf(binding.session), holderOf(other.binding.session)],
    [NOBODY, LEADER],
  );
  const gone = new TestLink();
  gone.isOpen = false;
  const before = leader.entries;
  leader.leading.create(gone, { capabilities: [["worker", "1"]], nonce: NONCE }, () => {});
  leader.leading.continue(gone, "f".repeat(32), () => {});
  await leader.clock.advance(100);
  assert.equal(leader.entries - before, 2, "it was made, and is on no connection");
});
