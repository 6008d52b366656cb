import assert from "node:assert/strict";
import {
  deleteCommand,
  expireCommand,
  incrementCommand,
  nodes,
  setCommand,
  setManyCommand,
  sweepCommand,
  transactionCommand,
} from "../../../../cluster/machine/kv/mod.ts";
import {
  ackCommand,
  decodeAcked,
  decodeRequests,
  requestsQuestion,
  SESSION_EXPIRED,
  type Success,
} from "../../../../cluster/machine/mod.ts";
import {
  MAX_ALL_PENDING,
  MAX_ALL_PENDING_BYTES,
  MAX_ALL_WATCHES,
  MAX_PENDING,
  MAX_SESSION_WATCHES,
} from "../../../../cluster/machine/sys/limits.ts";
import { getSession, type Session } from "../../../../cluster/machine/sys/rows/session.ts";
import { getTotals, putTotals } from "../../../../cluster/machine/sys/rows/totals.ts";
import { WatchedPlaces } from "../../../../cluster/machine/sys/rows/watched.ts";
import { unwatch as unwatchNow } from "../../../../cluster/machine/sys/watch.ts";
import { json, path } from "../../../support/machine/fixture.ts";
import {
  command,
  deeds,
  idOf,
  requestCommand,
  SessionFixture,
} from "../../../support/machine/sessions.ts";

const { watch, unwatch, set } = deeds;
const put = (key: string, value: unknown) => setCommand(path(key), json(value));
const textBytes = (text: string) => new TextEncoder().encode(text);
const OVERFLOW = '{"push":"overflow"}';

/** A machine with sessions 1, 2 and 3. */
function withSessions(): SessionFixture {
  const fixture = new SessionFixture();
  fixture.create(1, 2, 3);
  return fixture;
}

function ack(fixture: SessionFixture, ...acks: [session: number, upTo: number][]): number {
  const command = ackCommand(acks.map(([session, upTo]) => ({ session: idOf(session), upTo })));
  return decodeAcked(fixture.done(command).body);
}

Deno.test("a watch of a node tells its changes as the key-value port does, and no others", () => {
  const fixture = withSessions();
  assert.equal(fixture.ask(1, { id: 1 }, watch("k")), '{"watch":1,"rev":0} rev 0');
  fixture.apply(
    put("k", 1),
    put("k", { a: "é" }),
    put("k2", 1),
    put("^global^k^x", 1),
    put("^k", 1),
    deleteCommand(path("k")),
    deleteCommand(path("k"), { ifExists: true }),
  );
  assert.deepEqual(fixture.waiting(1), [
    '1 {"push":"change","watch":1,"key":"global^k","kind":"set","created":true,"value":1,"rev":1}',
    '2 {"push":"change","watch":1,"key":"global^k","kind":"set","created":false,"value":{"a":"é"},"rev":2}',
    '3 {"push":"change","watch":1,"key":"global^k","kind":"del","rev":6}',
  ]);
  assert.deepEqual(fixture.waiting(2), []);
});

Deno.test("a watch of a tree tells of the node and all below it", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("^a^b", { tree: true }));
  fixture.ask(2, { id: 1 }, watch("", { tree: true }));
  fixture.apply(put("^a", 1), put("^a^b", 2), put("^a^bc", 3), put("^a^b^c^d", 4), put("^b", 5));
  const revs = (session: number): string[] =>
    fixture.waiting(session).map((line) => line.replace(/.*"key":"(.*?)".*"rev":(.*)}/, "$1 $2"));
  assert.deepEqual(revs(1), ["a^b 2", "a^b^c^d 4"]);
  assert.deepEqual(revs(2), ["a 1", "a^b 2", "a^bc 3", "a^b^c^d 4", "b 5"]);
});

Deno.test("what cannot be watched is an answer that says so", () => {
  const fixture = withSessions();
  const path = (bytes: string) => new TextEncoder().encode(bytes);
  const answers = [path(""), path("a^"), path("$sys"), new Uint8Array(2_000)].map((bytes, i) =>
    fixture.ask(1, { id: i }, { kind: "watch", watch: { path: bytes } })
  );
  assert.deepEqual(answers, [
    "422 BAD_KEY (key)",
    "422 BAD_KEY (key)",
    "403 RESERVED (key)",
    "422 BAD_KEY (key)",
  ]);
  assert.equal(fixture.totals.watches, 0);
});

Deno.test("all that is there comes first, then that it is all", () => {
  const fixture = withSessions();
  fixture.apply(put("^a^z", 1), put("^a", 2), put("^a^b^c", 3), put("^b", 4));
  const [result] = fixture.apply(
    requestCommand(1, { id: 1 }, watch("^a", { tree: true, initial: true })),
    put("^a^z", 5),
  );
  assert.ok(result?.ok);
  assert.deepEqual(fixture.waiting(1), [
    '1 {"push":"change","watch":1,"key":"a","kind":"set","initial":true,"value":2,"rev":2}',
    '2 {"push":"change","watch":1,"key":"a^b^c","kind":"set","initial":true,"value":3,"rev":3}',
    '3 {"push":"change","watch":1,"key":"a^z","kind":"set","initial":true,"value":1,"rev":1}',
    '4 {"push":"synced","watch":1,"rev":4}',
    '5 {"push":"change","watch":1,"key":"a^z","kind":"set","created":false,"value":5,"rev":5}',
  ]);
  fixture.ask(2, { id: 1 }, watch("^a^b", { initial: true }));
  assert.deepEqual(fixture.waiting(2), ['1 {"push":"synced","watch":1,"rev":5}']);
  fixture.ask(3, { id: 1 }, watch("^a", { initial: true }));
  assert.equal(fixture.waiting(3).length, 2);
});

Deno.test("a watch tells the value before when it is asked to", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("k", { old: true }));
  fixture.apply(put("k", 1), put("k", 2), deleteCommand(path("k")));
  assert.deepEqual(fixture.waiting(1), [
    '1 {"push":"change","watch":1,"key":"global^k","kind":"set","created":true,"value":1,"rev":1}',
    '2 {"push":"change","watch":1,"key":"global^k","kind":"set","created":false,"value":2,"old":1,"rev":2}',
    '3 {"push":"change","watch":1,"key":"global^k","kind":"del","old":2,"rev":3}',
  ]);
});

Deno.test("changes of one revision are told together by a watch that wants it, and one by one by others", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("^a", { tree: true, coalesce: true }));
  fixture.ask(2, { id: 1 }, watch("^a", { tree: true }));
  fixture.ask(3, { id: 1 }, watch("^a^x"));
  fixture.apply(
    setManyCommand([
      { path: path("^a^x"), text: json(1) },
      { path: path("^b"), text: json(2) },
      { path: path("^a^y"), text: json(3) },
    ]),
    put("^a^x", 9),
  );
  assert.deepEqual(fixture.waiting(1), [
    '1 {"push":"changes","watch":1,"changes":[{"key":"a^x","kind":"set","created":true,"value":1},{"key":"a^y","kind":"set","created":true,"value":3}],"rev":1}',
    '2 {"push":"changes","watch":1,"changes":[{"key":"a^x","kind":"set","created":false,"value":9}],"rev":2}',
  ]);
  assert.deepEqual(fixture.waiting(2), [
    '1 {"push":"change","watch":1,"key":"a^x","kind":"set","created":true,"value":1,"rev":1,"more":true}',
    '2 {"push":"change","watch":1,"key":"a^y","kind":"set","created":true,"value":3,"rev":1}',
    '3 {"push":"change","watch":1,"key":"a^x","kind":"set","created":false,"value":9,"rev":2}',
  ]);
  assert.match(fixture.waiting(3)[0] as string, /"rev":1}$/);
});

Deno.test("a second watch that is the same changes nothing; one that tells otherwise is another", () => {
  const fixture = withSessions();
  fixture.apply(put("k", 1));
  assert.equal(fixture.ask(1, { id: 1 }, watch("k")), '{"watch":1,"rev":1} rev 0');
  assert.equal(fixture.ask(1, { id: 2 }, watch("k")), '{"watch":1,"rev":1} rev 0');
  assert.equal(
    fixture.ask(1, { id: 3 }, watch("k", { initial: true })),
    '{"watch":1,"rev":1} rev 0',
  );
  assert.deepEqual(fixture.waiting(1), []);
  assert.equal(fixture.info(1).watches, 1);
  assert.equal(fixture.ask(1, { id: 4 }, watch("k", { tree: true })), '{"watch":2,"rev":1} rev 0');
  assert.equal(fixture.ask(1, { id: 5 }, watch("k", { old: true })), '{"watch":3,"rev":1} rev 0');
  assert.equal(fixture.ask(2, { id: 1 }, watch("k")), '{"watch":1,"rev":1} rev 0');
  fixture.apply(put("k", 2));
  assert.equal(fixture.waiting(1).length, 3);
  assert.equal(fixture.waiting(2).length, 1);
});

Deno.test("a watch that is asked for again by the same request tells nothing twice", () => {
  const fixture = withSessions();
  fixture.apply(put("k", 1));
  for (const _ of [1, 2, 3]) fixture.ask(1, { id: 1 }, watch("k", { initial: true }));
  assert.equal(fixture.waiting(1).length, 2);
});

Deno.test("a watch that has ended tells nothing; others go on", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("k"));
  fixture.ask(1, { id: 2 }, watch("^global", { tree: true }));
  fixture.ask(2, { id: 1 }, watch("k"));
  assert.equal(fixture.ask(1, { id: 3 }, unwatch(1)), '"OK" rev 0');
  assert.equal(fixture.ask(1, { id: 4 }, unwatch(1)), "404 WATCH_NOT_FOUND");
  assert.equal(fixture.ask(3, { id: 1 }, unwatch(1)), "404 WATCH_NOT_FOUND");
  fixture.apply(put("k", 1));
  assert.match(fixture.waiting(1).join(), /^1 .*"watch":2,/);
  assert.equal(fixture.waiting(2).length, 1);
  fixture.ask(1, { id: 5 }, unwatch(2));
  fixture.ask(2, { id: 2 }, unwatch(1));
  assert.deepEqual(fixture.totals, { ...fixture.totals, watches: 0 });
  // Numbers are not given again.
  assert.equal(fixture.ask(1, { id: 6 }, watch("k")), '{"watch":3,"rev":1} rev 0');
});

Deno.test("changes are told whoever makes them: other sessions, itself, transactions, and time", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("k"));
  fixture.ask(2, { id: 1 }, set("k", 1));
  fixture.ask(1, { id: 2, low: 1 }, set("k", 2));
  const transaction = transactionCommand({
    conditions: [{ path: path("k"), exists: true }],
    then: [{ kind: "command", bytes: incrementCommand(path("k"), 5) }],
    otherwise: [],
  });
  fixture.ask(3, { id: 1 }, command(transaction));
  fixture.apply(transaction, expireCommand(path("k"), 1), put("other", 1), sweepCommand());
  assert.deepEqual(
    fixture.waiting(1).map((line) => line.replace(/.*"kind":/, "")),
    [
      '"set","created":true,"value":1,"rev":1}',
      '"set","created":false,"value":2,"rev":2}',
      '"set","created":false,"value":7,"rev":3}',
      '"set","created":false,"value":12,"rev":4}',
      '"expire","rev":7}',
    ],
  );
  assert.equal(fixture.info(1).cached, 2);
});

Deno.test("what a transaction has undone is not told", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("", { tree: true }));
  fixture.apply(put("text", "a"));
  fixture.apply(transactionCommand({
    conditions: [],
    then: [
      { kind: "command", bytes: put("k", 1) },
      { kind: "command", bytes: incrementCommand(path("text"), 1) },
    ],
    otherwise: [],
  }));
  assert.equal(fixture.waiting(1).length, 1);
});

Deno.test("a repeated request tells its changes once", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("n"));
  for (const _ of [1, 2, 3]) fixture.ask(2, { id: 1 }, deeds.count("n"));
  assert.equal(fixture.waiting(1).length, 1);
});

Deno.test("server requests have ids from 1 on, and go when they are acknowledged, with all before", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("k"));
  fixture.ask(2, { id: 1 }, watch("k"));
  for (let i = 1; i <= 10; i++) fixture.apply(put("k", i));
  const ids = (session: number): number[] => fixture.waiting(session).map((one) => parseInt(one));
  assert.deepEqual(ids(1), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(ack(fixture, [1, 7]), 1);
  assert.deepEqual(ids(1), [8, 9, 10]);
  assert.deepEqual(ids(2), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.equal(fixture.info(1).firstPending, 8);
  assert.equal(ack(fixture, [1, 3], [9, 1], [2, 99]), 3);
  assert.deepEqual(ids(1), [8, 9, 10]);
  assert.deepEqual(ids(2), []);
  // The last id stays when nothing waits.
  assert.deepEqual([fixture.info(2).lastRequest, fixture.info(2).firstPending], [10, 11]);
  fixture.apply(put("k", 0));
  assert.deepEqual(ids(2), [11]);
  assert.equal(fixture.totals.pending, 5);
  assert.equal(fixture.info(1).pending, 4);
});

Deno.test("server requests are read in pages, of a number and of a size, and say when they were made", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("k"));
  const sizes = [10, 400_000, 400_000, 400_000, 10];
  const { time } = fixture;
  for (const size of sizes) fixture.apply(put("k", "x".repeat(size)));
  const page = (from: number, limit?: number): string => {
    const question = requestsQuestion({ session: idOf(1), from, ...limit && { limit } });
    const { requests, more } = decodeRequests((fixture.machine.query(question) as Success).body);
    for (const { id, createdAt } of requests) assert.equal(createdAt, time + id);
    return `${requests.map(({ id }) => id)}${more ? "+" : ""}`;
  };
  assert.equal(page(0), "1,2,3+");
  assert.equal(page(4), "4,5");
  assert.equal(page(1, 2), "1,2+");
  assert.equal(page(4, 2), "4,5");
  assert.equal(page(6), "");
  assert.equal(fixture.info(1).pendingBytes, fixture.totals.pendingBytes);
  fixture.apply(...Array.from({ length: 20 }, (_, i) => put("k", i)));
  assert.equal(page(5, 20), `${Array.from({ length: 20 }, (_, i) => 5 + i)}+`);
});

Deno.test("one entry removes at most 2,000 acknowledged server requests, and says how far it came", () => {
  const fixture = withSessions();
  for (const session of [1, 2, 3]) fixture.ask(session, { id: 1 }, watch("k"));
  fixture.apply(...Array.from({ length: 1_200 }, (_, i) => put("k", i)));
  const acks: [number, number][] = [[1, 1_200], [2, 1_200], [3, 1_200]];
  assert.equal(ack(fixture, ...acks), 1);
  assert.equal(fixture.info(2).pending, 400);
  assert.equal(fixture.info(2).firstPending, 801);
  assert.equal(ack(fixture, ...acks.slice(1)), 2);
  assert.equal(fixture.totals.pending, 0);
  assert.equal(fixture.totals.pendingBytes, 0);
});

Deno.test("a queue of more than 10,000 is given up for one request that says so, once an entry", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("k"));
  fixture.ask(2, { id: 1 }, watch("", { tree: true }));
  fixture.apply(...Array.from({ length: MAX_PENDING }, (_, i) => put("k", i)));
  assert.equal(fixture.info(1).pending, MAX_PENDING);
  while (ack(fixture, [2, MAX_PENDING]) === 0);
  fixture.apply(setManyCommand([
    { path: path("k"), text: json(1) },
    { path: path("k"), text: json(2) },
  ]));
  assert.deepEqual(fixture.waiting(1), [`${MAX_PENDING + 1} ${OVERFLOW}`]);
  // Those that were given up are not acknowledged by that.
  assert.equal(fixture.info(1).firstPending, 1);
  ack(fixture, [1, 50]);
  assert.equal(fixture.info(1).firstPending, 51);
  assert.equal(fixture.waiting(2).length, 2);
  fixture.apply(put("k", 3));
  assert.match(fixture.waiting(1)[1] as string, /^10002 .*"value":3,/);
  assert.equal(fixture.info(1).pending, 2);
  // What was given up counts until it is swept.
  assert.equal(fixture.totals.pending, MAX_PENDING + 5);
  while (fixture.expire().isLeft);
  const { pending, leavings } = fixture.totals;
  assert.deepEqual({ pending, leavings }, { pending: 5, leavings: 0 });
  assert.equal(fixture.waiting(1).length, 2);
});

Deno.test("a queue of more than 16 MiB is given up", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("k"));
  for (let i = 0; i < 41; i++) fixture.apply(put("k", "x".repeat(400_000)));
  assert.equal(fixture.info(1).pending, 41);
  fixture.apply(put("k", "x".repeat(400_000)));
  assert.deepEqual(fixture.waiting(1), [`42 ${OVERFLOW}`]);
  assert.equal(fixture.totals.pending, 1);
  assert.equal(fixture.totals.leavings, 0);
  assert.equal(fixture.info(1).pendingBytes, OVERFLOW.length);
});

Deno.test("where the server requests of all sessions are too many, a session is told that it has missed some", () => {
  for (const full of [{ pending: MAX_ALL_PENDING }, { pendingBytes: MAX_ALL_PENDING_BYTES }]) {
    const fixture = withSessions();
    fixture.ask(1, { id: 1 }, watch("k"));
    fixture.store.transaction((state) => putTotals(state, { ...getTotals(state), ...full }));
    for (let i = 1; i <= 3; i++) fixture.apply(put("k", i));
    assert.deepEqual(fixture.waiting(1), [`3 ${OVERFLOW}`]);
    // Nothing is left behind by what is told again and again.
    assert.equal(fixture.totals.leavings, 0);
    assert.equal(fixture.totals.pending, (full.pending ?? 0) + 1);
  }
});

Deno.test("changes that take too much together are not told together", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("^a", { tree: true, coalesce: true, old: true }));
  for (let i = 0; i < 3; i++) fixture.apply(put(`^a^${i}`, "x".repeat(400_000)));
  assert.equal(fixture.waiting(1).length, 3);
  fixture.apply(deleteCommand(path("^a"), { tree: true }));
  assert.deepEqual(fixture.waiting(1), [`4 ${OVERFLOW}`]);
});

Deno.test("more changes than a queue has room for are not told together, however small they are", () => {
  const fixture = withSessions();
  fixture.apply(...Array.from({ length: MAX_PENDING + 2 }, (_, i) => put(`^a^${i}`, i)));
  fixture.ask(1, { id: 1 }, watch("^a", { tree: true, coalesce: true }));
  fixture.apply(deleteCommand(path("^a^0")));
  fixture.apply(deleteCommand(path("^a"), { tree: true }));
  assert.deepEqual(fixture.waiting(1), [`2 ${OVERFLOW}`]);
});

Deno.test("an initial value that finds no room ends with the request that says so", () => {
  const fixture = withSessions();
  fixture.apply(...Array.from({ length: MAX_PENDING + 1 }, (_, i) => put(`^a^${i}`, i)));
  fixture.ask(1, { id: 1 }, watch("^a", { tree: true, initial: true }));
  assert.deepEqual(fixture.waiting(1), [`${MAX_PENDING + 1} ${OVERFLOW}`]);
});

Deno.test("an entry that would make more than 100,000 pushes tells all who watch that they have missed some", () => {
  const fixture = new SessionFixture();
  const sessions = Array.from({ length: 60 }, (_, i) => i + 1);
  fixture.create(...sessions, 99);
  fixture.apply(...Array.from({ length: 2_000 }, (_, i) => put(`^a^${i}`, i)));
  for (const session of sessions.slice(1)) {
    fixture.ask(session, { id: 1 }, watch("^a", { tree: true }));
  }
  // One that the entry has nothing for as far as it is looked at.
  fixture.ask(1, { id: 1 }, watch("^b"));
  fixture.apply(deleteCommand(path("^a"), { tree: true }));
  for (const session of sessions) assert.deepEqual(fixture.waiting(session), [`1 ${OVERFLOW}`]);
  assert.deepEqual(fixture.waiting(99), []);
});

Deno.test("an entry whose pushes would take more than 64 MiB tells the sessions beyond that they have missed some", () => {
  const fixture = new SessionFixture();
  const numbers = Array.from({ length: 140 }, (_, i) => i + 1);
  fixture.create(...numbers);
  for (const number of numbers) fixture.ask(number, { id: 1 }, watch("k"));
  fixture.apply(put("k", "x".repeat(500 * 1024)));
  const told = numbers.filter((number) => fixture.waiting(number)[0] !== `1 ${OVERFLOW}`);
  assert.equal(told.length, 131);
  fixture.apply(put("k", 1));
  for (const number of numbers) assert.match(fixture.waiting(number)[1] ?? "", /"value":1,/);
});

Deno.test("watches are bounded, for each session and all together", () => {
  const fixture = withSessions();
  fixture.apply(
    ...Array.from(
      { length: MAX_SESSION_WATCHES },
      (_, i) => requestCommand(1, { id: 1 + i }, watch(`k${1 + i}`)),
    ),
  );
  assert.equal(fixture.totals.watches, MAX_SESSION_WATCHES);
  assert.equal(fixture.ask(1, { id: 20_000 }, watch("more")), "429 TOO_MANY_WATCHES");
  assert.equal(fixture.ask(1, { id: 20_001 }, watch("k5")), '{"watch":5,"rev":0} rev 0');
  fixture.store.transaction((state) =>
    putTotals(state, { ...getTotals(state), watches: MAX_ALL_WATCHES })
  );
  assert.equal(fixture.ask(2, { id: 1 }, watch("k")), "429 TOO_MANY_WATCHES");
  fixture.ask(1, { id: 20_002 }, unwatch(5));
  assert.equal(fixture.ask(2, { id: 2 }, watch("k")), '{"watch":1,"rev":0} rev 0');
});

Deno.test("watches are found whatever serial number their session has", () => {
  const fixture = withSessions();
  const lasts = [200, 2 ** 8, 2 ** 16, 2 ** 24, 2 ** 32, 2 ** 40, 2 ** 48];
  for (const [i, lastSerial] of lasts.entries()) {
    fixture.store.transaction((state) => putTotals(state, { ...getTotals(state), lastSerial }));
    fixture.create(10 + i);
    fixture.ask(10 + i, { id: 1 }, watch("^a", { tree: i % 2 === 0 }));
  }
  fixture.apply(put("^a", 1), put("^a^b", 2));
  assert.deepEqual(lasts.map((_, i) => fixture.waiting(10 + i).length), [2, 1, 2, 1, 2, 1, 2]);
});

Deno.test("what is watched is known without a look at the rows, and forgotten with the last watch", () => {
  const fixture = withSessions();
  const paths = Array.from({ length: 2_500 }, (_, i) => `^a^k${i}`);
  fixture.apply(
    ...paths.map((path, i) =>
      requestCommand(1, { id: i + 1 }, watch(path, { tree: i % 2 === 0, old: i % 3 === 0 }))
    ),
  );
  fixture.ask(2, { id: 1 }, watch("^a^k1"));
  const watched = new WatchedPlaces(fixture.store);
  const host = { watched, nodes, news: undefined, run: () => SESSION_EXPIRED };
  const places = (path: string): number =>
    watched.placesOf((nodes.keyOf(fixture.store, textBytes(path)) as Uint8Array).subarray(4))
      .length;
  assert.equal(watched.size, 2_501);
  const end = (session: number, number: number): void =>
    fixture.store.transaction((state) => {
      unwatchNow(state, host, getSession(state, idOf(session)) as Session, number);
    });
  assert.deepEqual(["a^k0", "a^k0^x", "a^k1", "a^k1^x", "a", "b"].map(places), [1, 1, 1, 0, 0, 0]);
  end(1, 2);
  assert.equal(places("a^k1"), 1);
  end(2, 1);
  assert.equal(places("a^k1"), 0);
  for (let number = 1; number <= 2_500; number++) end(1, number);
  assert.equal(watched.size, 0);
  assert.deepEqual(["a^k0", "a^k0^x", "a^k2499"].map(places), [0, 0, 0]);
});

Deno.test("a machine made anew on the same state goes on telling", () => {
  const fixture = withSessions();
  fixture.ask(1, { id: 1 }, watch("k"));
  fixture.restart();
  fixture.apply(put("k", 1));
  fixture.restart();
  fixture.apply(put("k", 2));
  assert.equal(fixture.waiting(1).length, 2);
});

Deno.test("a batch that is undone begins and ends no watch", () => {
  const undone = (fixture: SessionFixture, data: Uint8Array): void => {
    const { index } = fixture.machine.context;
    const entries = [index + 1, index + 3].map((index) => ({
      index,
      type: "command",
      time: 1,
      data,
    }));
    assert.throws(() => fixture.machine.apply(entries), RangeError);
  };
  const fixture = withSessions();
  undone(fixture, requestCommand(1, { id: 1 }, watch("k")));
  fixture.apply(put("k", 1));
  assert.equal(fixture.totals.watches, 0);
  assert.deepEqual(fixture.waiting(1), []);
  const other = withSessions();
  other.ask(1, { id: 1 }, watch("k"));
  undone(other, requestCommand(1, { id: 2 }, unwatch(1)));
  other.apply(put("k", 2));
  assert.equal(other.waiting(1).length, 1);
});
