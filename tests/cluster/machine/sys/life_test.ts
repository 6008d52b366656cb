import assert from "node:assert/strict";
import {
  createSessionCommand,
  decodeSessions,
  expireSessionsCommand,
  requestsQuestion,
  sessionQuestion,
  sessionsQuestion,
  type Success,
} from "../../../../cluster/machine/mod.ts";
import { LEAVINGS } from "../../../../cluster/machine/sys/rows/keys.ts";
import { equalBytes } from "../../../../protocol/bytes.ts";
import { MAX_ENDED, MAX_LEAVINGS, MAX_SWEPT_ROWS } from "../../../../cluster/machine/sys/limits.ts";
import { getTotals, putTotals } from "../../../../cluster/machine/sys/rows/totals.ts";
import { shown } from "../../../support/machine/fixture.ts";
import {
  deeds,
  idOf,
  nonceOf,
  numberOf,
  SessionFixture,
} from "../../../support/machine/sessions.ts";

const { watch, set, count } = deeds;

Deno.test("a session begins with what its client says of itself", () => {
  const fixture = new SessionFixture();
  const capabilities = [["worker", "v2"], ["session-ext", "1"], ["a_Z-9", "é"]] as const;
  assert.equal(fixture.begin(3, { capabilities }), "3");
  assert.deepEqual(fixture.info(3), {
    id: idOf(3),
    createdAt: fixture.time,
    floor: 0,
    highest: 0,
    lastRequest: 0,
    firstPending: 1,
    lastWatch: 0,
    cached: 0,
    cachedBytes: 0,
    pending: 0,
    pendingBytes: 0,
    watches: 0,
    holder: 0,
    jobs: 0,
    capabilities,
  });
  assert.equal(fixture.totals.sessions, 1);
});

Deno.test("capabilities that break a rule begin nothing", () => {
  const fixture = new SessionFixture();
  const many = (count: number): [string, string][] =>
    Array.from({ length: count }, (_, i) => [`c${i}`, "v"]);
  const bad: (readonly (readonly [string, string])[])[] = [
    [],
    [["", "v"]],
    [["a", ""]],
    [["a b", "v"]],
    [["é", "v"]],
    [["a", "v"], ["a", "w"]],
    [["a", "v".repeat(4_096)]],
    [["client-id", "v".repeat(257)]],
  ];
  for (const capabilities of bad) {
    assert.equal(fixture.begin(1, { capabilities }), "422 INVALID (capabilities)");
  }
  assert.equal(fixture.begin(1, { capabilities: many(65) }), "422 INVALID");
  assert.deepEqual(fixture.rows(), {});
  assert.equal(fixture.begin(1, { capabilities: many(64) }), "1");
  assert.equal(fixture.begin(2, { capabilities: [["a", "v".repeat(4_095)]] }), "2");
  assert.equal(fixture.begin(3, { capabilities: [["client-id", "\0".repeat(256)]] }), "3");
});

Deno.test("an id or a nonce of another length, and the nonce 0, begin nothing", () => {
  const fixture = new SessionFixture();
  const capabilities = [["a", "b"]] as const;
  const [short, long, none] = fixture.apply(
    createSessionCommand({ session: new Uint8Array(15), nonce: nonceOf(1), capabilities }),
    createSessionCommand({ session: idOf(1), nonce: new Uint8Array(9).fill(1), capabilities }),
    createSessionCommand({ session: idOf(1), nonce: nonceOf(0), capabilities }),
  );
  assert.deepEqual([short, long, none].map(shown), Array(3).fill("422 INVALID"));
  assert.equal(fixture.totals.sessions, 0);
});

Deno.test("a client that asks again with the same nonce gets the same session for a minute", () => {
  const fixture = new SessionFixture();
  const begin = (number: number, nonce: number, client = "c"): string =>
    fixture.begin(number, { nonce, capabilities: [["client-id", client]] });
  assert.equal(begin(1, 7), "1");
  assert.equal(begin(2, 7), "1");
  assert.equal(begin(3, 7, "other"), "3");
  assert.equal(begin(4, 8), "4");
  // Only the last one is known.
  assert.equal(begin(5, 7), "5");
  fixture.time += 59_999;
  assert.equal(begin(6, 7), "5");
  assert.equal(begin(7, 7), "7");
  assert.deepEqual(fixture.all, [1, 3, 4, 5, 7]);
});

Deno.test("clients that do not name themselves share nothing", () => {
  const fixture = new SessionFixture();
  assert.equal(fixture.begin(1, { nonce: 7 }), "1");
  assert.equal(fixture.begin(2, { nonce: 7 }), "2");
});

Deno.test("a client whose session has ended gets another one, and its other session keeps its name", () => {
  const fixture = new SessionFixture();
  const begin = (number: number, nonce: number): string =>
    fixture.begin(number, { nonce, capabilities: [["client-id", "c"]] });
  begin(1, 7);
  fixture.expire(1);
  assert.equal(begin(2, 7), "2");
  begin(3, 8);
  fixture.expire(2);
  assert.equal(begin(4, 8), "3");
  fixture.expire(3);
  assert.deepEqual(fixture.rows(), { 1: 1 });
});

Deno.test("an entry that comes twice begins one session", () => {
  const fixture = new SessionFixture();
  assert.equal(fixture.begin(1), "1");
  fixture.ask(1, { id: 1 }, count("n"));
  assert.equal(fixture.begin(1), "1");
  assert.equal(fixture.ask(1, { id: 1 }, count("n")), "1 rev 1");
  assert.equal(fixture.totals.sessions, 1);
});

Deno.test("there are at most 10,000 sessions", () => {
  const fixture = new SessionFixture();
  for (let number = 1; number <= 10_000; number++) fixture.begin(number);
  assert.equal(fixture.begin(10_001), "429 TOO_MANY_SESSIONS");
  fixture.expire(17);
  assert.equal(fixture.begin(10_001), "10001");
  assert.equal(fixture.begin(10_002), "429 TOO_MANY_SESSIONS");
});

Deno.test("a session that ends leaves nothing, and ends once", () => {
  const fixture = new SessionFixture();
  fixture.begin(1, { capabilities: [["client-id", "c"]] });
  fixture.create(2);
  fixture.ask(1, { id: 1 }, watch("k"));
  fixture.ask(1, { id: 2, low: 1 }, watch("^a", { tree: true, old: true }));
  fixture.ask(1, { id: 3, low: 1 }, set("k", 1));
  assert.deepEqual(fixture.expire(1, 5, 1), { ended: 1, isLeft: false });
  assert.deepEqual(fixture.expire(1), { ended: 0, isLeft: false });
  assert.deepEqual(fixture.all, [2]);
  assert.equal(fixture.totals.watches + fixture.totals.pending, 0);
  fixture.expire(2);
  assert.deepEqual(fixture.rows(), { 1: 1 });
  for (const question of [sessionQuestion(idOf(1)), requestsQuestion({ session: idOf(1) })]) {
    assert.equal(shown(fixture.machine.query(question)), "410 SESSION_EXPIRED");
  }
});

Deno.test("one entry sweeps a bounded number of rows of what has ended, and says what is left", () => {
  const fixture = new SessionFixture();
  fixture.create(1, 2);
  const requests = 3_000;
  fixture.ask(2, { id: 1 }, watch("k"));
  fixture.ask(1, { id: 1 }, watch("k"));
  for (let id = 1; id <= requests; id++) {
    fixture.ask(2, { id: id + 1, low: Math.max(1, id - 900) }, set("k", id));
  }
  const count = () => Object.values(fixture.rows()).reduce((sum, some) => sum + some, 0);
  let rows = count();
  let left = fixture.expire(1, 2).isLeft;
  assert.ok(left);
  // They are gone at once, whatever is left of them.
  assert.deepEqual(fixture.all, []);
  assert.equal(fixture.ask(2, { id: 9_999 }, set("k", 0)), "[410 SESSION_EXPIRED]");
  fixture.create(2);
  assert.deepEqual(fixture.waiting(2), []);
  fixture.ask(2, { id: 1 }, set("k", 1));
  assert.deepEqual(fixture.waiting(2), []);
  for (let entries = 0; left; entries++) {
    assert.ok(entries < 20, "sweeps for ever");
    left = fixture.expire().isLeft;
    assert.ok(rows - count() <= 2 * MAX_SWEPT_ROWS + 10, `${rows - count()} rows at once`);
    rows = count();
  }
  fixture.expire(2);
  assert.deepEqual(fixture.rows(), { 1: 1 });
  const { sessions, pending, pendingBytes, watches, leavings } = fixture.totals;
  assert.deepEqual({ sessions, pending, pendingBytes, watches, leavings }, {
    sessions: 0,
    pending: 0,
    pendingBytes: 0,
    watches: 0,
    leavings: 0,
  });
});

Deno.test("what has left nothing leaves no mark", () => {
  const fixture = new SessionFixture();
  const sessions = Array.from({ length: MAX_ENDED }, (_, i) => i + 1);
  fixture.create(...sessions);
  const { store } = fixture;
  const transaction = store.transaction.bind(store);
  let marks = 0;
  store.transaction = (change) =>
    transaction((state) =>
      change({
        ...state,
        put(key, value) {
          if (equalBytes(key.subarray(0, LEAVINGS.length), LEAVINGS)) marks++;
          state.put(key, value);
        },
      })
    );
  assert.equal(fixture.expire(...sessions).isLeft, false);
  assert.deepEqual(fixture.rows(), { 1: 1 });
  assert.equal(marks, 0);
  fixture.create(1);
  fixture.ask(1, { id: 1 }, watch("k"));
  fixture.expire(1);
  assert.equal(marks, 2, "of its answer, and of its watch");
});

Deno.test("none begins as long as too much is left of others", () => {
  const fixture = new SessionFixture();
  fixture.store.transaction((state) =>
    putTotals(state, { ...getTotals(state), leavings: MAX_LEAVINGS })
  );
  assert.equal(fixture.begin(1), "429 TOO_MANY_SESSIONS");
});

Deno.test("one entry ends at most so many sessions", () => {
  const fixture = new SessionFixture();
  fixture.create(1);
  const [result] = fixture.apply(
    expireSessionsCommand(Array.from({ length: MAX_ENDED + 1 }, (_, i) => idOf(i))),
  );
  assert.equal(shown(result), "422 INVALID");
  assert.ok(fixture.has(1));
});

Deno.test("a listener learns which sessions have ended, and which have new server requests, each once a batch", () => {
  const fixture = new SessionFixture();
  fixture.create(1, 2, 3);
  fixture.ask(1, { id: 1 }, watch("k"));
  fixture.ask(2, { id: 1 }, watch("k"));
  assert.deepEqual(fixture.told, []);
  fixture.ask(3, { id: 1 }, set("other", 1));
  assert.deepEqual(fixture.told, []);
  const change = { id: 2, low: 1 };
  fixture.ask(3, change, set("k", 1));
  fixture.ask(3, change, set("k", 1));
  fixture.expire(1, 9, 3);
  assert.deepEqual(
    fixture.told.map(({ requests, ended }) => ({ requests: [...requests], ended: [...ended] })),
    [
      { requests: [idOf(1), idOf(2)], ended: [] },
      { requests: [], ended: [idOf(1), idOf(3)] },
    ],
  );
});

Deno.test("sessions are listed in pages, in the order of their ids", () => {
  const fixture = new SessionFixture();
  fixture.create(5, 1, 4, 2, 3);
  const page = (after: number | undefined, limit: number): string => {
    const question = sessionsQuestion({ after: after === undefined ? after : idOf(after), limit });
    const { sessions, more } = decodeSessions((fixture.machine.query(question) as Success).body);
    return `${sessions.map(({ id }) => numberOf(id))}${more ? "+" : ""}`;
  };
  assert.deepEqual([page(undefined, 2), page(2, 2), page(4, 2), page(undefined, 5), page(5, 1)], [
    "1,2+",
    "3,4+",
    "5",
    "1,2,3,4,5",
    "",
  ]);
});
