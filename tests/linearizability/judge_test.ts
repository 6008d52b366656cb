/**
 * The judge of histories, judged: small histories of which anybody can see whether they are linearizable.
 *
 * @module
 */

import assert from "node:assert/strict";
import { History, type Operation, type Step } from "../support/linearizability/history.ts";
import { Judge, judgedTest } from "../support/linearizability/judge.ts";

type Line = Partial<Operation>;

/** A history: each operation takes 10 µs, one after the other, unless it says when. */
function written(...lines: readonly Line[]): string {
  const path = Deno.makeTempFileSync({ prefix: "history_" });
  Deno.removeSync(path);
  using history = new History(path);
  lines.forEach((line, i) =>
    history.add({
      process: i,
      action: "GET",
      key: "k",
      outcome: "done",
      start: i * 20,
      ...line.outcome !== "unknown" && { end: i * 20 + 10 },
      ...line,
    })
  );
  return path;
}

const set = (value: string, rev: number, more: Line = {}): Line => ({
  action: "SET",
  value,
  rev,
  ...more,
});
const get = (seen: string, rev: number, more: Line = {}): Line => ({ seen, rev, ...more });
const incr = (seen: string, rev: number): Line => ({ action: "INCR", seen, rev });
/** A TXN that has set its value. */
const swap = (expected: string, value: string, rev: number): Line => ({
  action: "TXN",
  if: [{ key: "k", value: expected }],
  then: [{ action: "SET", key: "k", value }],
  else: [{ action: "GET", key: "k" }],
  succeeded: true,
  results: [OK],
  rev,
});
/** One that saw another value. */
const looked = (expected: string, seen: string): Line => ({
  ...swap(expected, "x", 0),
  succeeded: false,
  results: [seen],
});
const OK = '"OK"';
const sets = (key: string, value: string): Step => ({ action: "SET", key, value });
const gets = (key: string): Step => ({ action: "GET", key });
const adds = (key: string): Step => ({ action: "INCR", key });
const drops = (key: string): Step => ({ action: "DEL", key });
/** Something about the keys of a group. */
const all = (rev: number, then: Step[], results: string[], more: Line = {}): Line => ({
  action: "TXN",
  key: "g",
  group: "g",
  then,
  results,
  succeeded: true,
  rev,
  ...more,
});
const mget = (keys: string[], results: string[], more: Line = {}): Line => ({
  ...all(0, keys.map(gets), results, more),
  action: "MGET",
});
const one = (key: string, line: Line): Line => ({ ...line, key, group: "g" });
const lost = (line: Line): Line => {
  const { rev: _, seen: __, succeeded: ___, results: ____, ...rest } = line;
  return { ...rest, outcome: "unknown" };
};

const LEGAL: Readonly<Record<string, readonly Line[]>> = {
  "nothing": [],
  "what was set is read": [{ outcome: "missing" }, set("a", 1), get("a", 1)],
  "a read beside a write sees the value before, or the one after": [
    set("a", 1),
    set("b", 2, { start: 100, end: 200 }),
    get("a", 1, { start: 110, end: 120 }),
    get("b", 2, { start: 130, end: 140 }),
  ],
  "a lost write that happened": [set("a", 1), lost(set("b", 0)), get("b", 2)],
  "a lost write that did not happen": [set("a", 1), lost(set("b", 0)), get("a", 1)],
  "a lost write that happened late": [
    set("a", 1),
    lost(set("b", 0)),
    get("a", 1),
    set("c", 2),
    get("b", 3),
  ],
  "a refused write left nothing": [set("a", 1), set("b", 0, { outcome: "never" }), get("a", 1)],
  "sums": [incr("1", 1), incr("2", 2), lost(incr("", 0)), incr("4", 4), get("4", 4)],
  "what is deleted is gone": [
    set("a", 1),
    { action: "DEL", rev: 2 },
    { outcome: "missing" },
    { action: "DEL", outcome: "missing" },
    incr("1", 3),
  ],
  "conditions": [
    set("a", 3, { if_rev: 0 }),
    set("b", 3, { if_rev: 2, outcome: "refused" }),
    set("b", 4, { if_rev: 3 }),
    { action: "DEL", rev: 5, if_rev: 4 },
    set("c", 0, { if_rev: 4, outcome: "refused" }),
  ],
  "transactions": [
    looked("a", "null"),
    set("a", 3),
    swap("a", "b", 5),
    looked("a", "b"),
    lost(swap("a", "c", 0)),
    get("b", 5),
    lost(swap("b", "d", 0)),
    get("d", 6),
  ],
  "a condition on a write that was lost": [
    lost(set("a", 0)),
    set("b", 9, { if_rev: 7 }),
    get("b", 9),
  ],
  "what is done together is seen together": [
    mget(["a", "b"], ["null", "null"]),
    all(1, [sets("a", "x"), sets("b", "y"), adds("c")], [OK, OK, "1"]),
    one("a", get("x", 1)),
    mget(["a", "b", "c"], ["x", "y", "1"]),
    all(3, [gets("a"), drops("a"), gets("a"), drops("a")], ["x", "1", "null", "null"]),
    mget(["b", "a"], ["y", "null"]),
    all(5, [adds("c"), adds("c"), adds("d")], ["2", "3", "1"]),
    one("c", get("3", 5)),
  ],
  "conditions on several keys": [
    all(1, [sets("a", "x")], [OK], { if: [{ key: "b", value: "null" }] }),
    all(1, [], ["x", "null"], {
      if: [{ key: "a", value: "x" }, { key: "b", value: "y" }],
      else: [gets("a"), gets("b")],
      succeeded: false,
    }),
    all(2, [adds("c")], ["1"], {
      if: [{ key: "a", value: "x" }, { key: "b", value: "null" }],
    }),
  ],
  "reads of several keys beside a change see both before or both after": [
    all(1, [sets("a", "x"), sets("b", "x")], [OK, OK]),
    all(2, [sets("a", "y"), sets("b", "y")], [OK, OK], { start: 100, end: 200 }),
    mget(["a", "b"], ["x", "x"], { start: 110, end: 120 }),
    mget(["a", "b"], ["y", "y"], { start: 130, end: 140 }),
  ],
  "a lost transaction that happened late, and all of it": [
    one("c", incr("1", 1)),
    lost(all(0, [adds("c"), adds("d")], [])),
    mget(["c", "d"], ["1", "null"]),
    one("c", incr("2", 2)),
    mget(["c", "d"], ["3", "1"]),
  ],
  "a lost transaction that could not be done": [
    one("a", set("x", 1)),
    lost(all(0, [sets("b", "y"), adds("a")], [])),
    mget(["a", "b"], ["x", "null"]),
  ],
  "keys do not care for each other": [
    set("a", 1, { start: 0, end: 100 }),
    set("b", 2, { key: "l", start: 0, end: 100 }),
    get("b", 2, { key: "l", start: 110, end: 120 }),
    get("a", 1, { start: 110, end: 120 }),
  ],
};

const ILLEGAL: Readonly<Record<string, readonly Line[]>> = {
  "a write that is lost": [set("a", 1), { outcome: "missing" }],
  "a value that nobody wrote": [set("a", 1), get("b", 1)],
  "an old value": [set("a", 1), set("b", 2), get("a", 1)],
  "a value that comes and goes": [
    set("a", 1),
    set("b", 2, { start: 100, end: 200 }),
    get("b", 2, { start: 110, end: 120 }),
    get("a", 1, { start: 130, end: 140 }),
  ],
  "a lost write that happens twice": [
    lost(set("a", 0)),
    get("a", 1),
    set("b", 2),
    get("a", 3),
  ],
  "a write that surely never happened, and is read": [
    set("a", 1),
    set("b", 0, { outcome: "never" }),
    get("b", 2),
  ],
  "an increment that is done twice": [incr("1", 1), incr("3", 3)],
  "two that get one sum": [incr("1", 1), incr("1", 2)],
  "two winners of one condition": [
    set("a", 1),
    set("b", 2, { if_rev: 1 }),
    set("c", 3, { if_rev: 1 }),
  ],
  "two winners of one value": [set("a", 1), swap("a", "b", 2), swap("a", "c", 3)],
  "a transaction that does not see what it expects": [set("a", 1), looked("a", "a")],
  "a transaction that sees an old value": [set("a", 1), set("b", 2), looked("c", "a")],
  "a transaction that sees nothing where something is": [set("a", 1), looked("c", "null")],
  "a lost transaction whose condition did not hold, and that happened": [
    set("a", 1),
    lost(swap("b", "c", 0)),
    get("c", 2),
  ],
  "a condition refused that held": [set("a", 1), set("b", 1, { if_rev: 1, outcome: "refused" })],
  "a deletion that comes back": [set("a", 1), { action: "DEL", rev: 2 }, get("a", 1)],
  "a revision that goes back": [set("a", 5), set("b", 4)],
  "a revision that changes under a value": [set("a", 1), get("a", 2)],
  "a transaction that is lost": [
    all(1, [sets("a", "x"), sets("b", "y")], [OK, OK]),
    mget(["a", "b"], ["null", "null"]),
  ],
  "a transaction that is torn": [
    all(1, [sets("a", "x"), sets("b", "y")], [OK, OK]),
    mget(["a", "b"], ["x", "null"]),
  ],
  "a transaction that is seen torn": [
    all(1, [sets("a", "x"), sets("b", "x")], [OK, OK]),
    all(2, [sets("a", "y"), sets("b", "y")], [OK, OK], { start: 100, end: 200 }),
    mget(["a", "b"], ["y", "x"], { start: 110, end: 120 }),
  ],
  "a transaction that is seen torn by two": [
    all(1, [sets("a", "x"), sets("b", "x")], [OK, OK]),
    all(2, [sets("a", "y"), sets("b", "y")], [OK, OK], { start: 100, end: 200 }),
    one("b", get("y", 2, { start: 110, end: 120 })),
    one("a", get("x", 1, { start: 130, end: 140 })),
  ],
  "a transaction that is done twice": [
    all(1, [adds("c"), adds("d")], ["1", "1"]),
    mget(["c", "d"], ["2", "2"]),
  ],
  "a lost transaction that is done twice": [
    lost(all(0, [adds("c"), adds("d")], [])),
    mget(["c", "d"], ["2", "2"]),
  ],
  "a lost transaction of which one change happened": [
    lost(all(0, [adds("c"), adds("d")], [])),
    mget(["c", "d"], ["1", "null"]),
  ],
  "a transaction whose condition did not hold": [
    one("b", set("y", 1)),
    all(2, [sets("a", "x")], [OK], { if: [{ key: "b", value: "null" }] }),
  ],
  "a transaction whose condition held, and that did the other thing": [
    one("b", set("y", 1)),
    all(1, [sets("a", "x")], ["y"], {
      if: [{ key: "b", value: "y" }],
      else: [gets("b")],
      succeeded: false,
    }),
  ],
  "a transaction whose condition saw what it did": [
    all(1, [sets("a", "x")], [OK], { if: [{ key: "a", value: "x" }] }),
  ],
  "a step that does not see the one before": [
    all(1, [sets("a", "x"), gets("a")], [OK, "null"]),
  ],
  "a transaction that tells a revision before one that it saw": [
    one("a", set("x", 4)),
    all(3, [gets("b")], ["null"]),
  ],
  "a transaction that tells a revision that comes later": [
    all(3, [gets("b")], ["null"]),
    one("a", set("x", 2)),
  ],
  "two winners of a condition on another key": [
    all(1, [sets("a", "x"), sets("b", "y")], [OK, OK], { if: [{ key: "a", value: "null" }] }),
    all(2, [sets("a", "z"), adds("c")], [OK, "1"], { if: [{ key: "a", value: "null" }] }),
  ],
  "revisions of two keys against time": [set("a", 5), set("b", 4, { key: "l" })],
  "one revision of two keys": [
    set("a", 5, { start: 0, end: 100 }),
    set("b", 5, { key: "l", start: 0, end: 100 }),
  ],
};

judgedTest("the judge passes what is linearizable, and nothing else", async () => {
  await using judge = await Judge.build();
  for (const [histories, wanted] of [[LEGAL, "ok"], [ILLEGAL, "illegal"]] as const) {
    for (const [name, lines] of Object.entries(histories)) {
      const path = written(...lines);
      const { word, text } = await judge.judge(path);
      assert.equal(word, wanted, `${name}: ${text}`);
      await Deno.remove(path);
      await Deno.remove(`${path}.html`).catch(ignoreMissing);
    }
  }
});

judgedTest("the judge names the key and draws it", async () => {
  await using judge = await Judge.build();
  const path = written(set("a", 1), set("b", 2, { key: "other" }), get("b", 1));
  const { text } = await judge.judge(path);
  assert.match(text, /^key "k": Illegal, 2 operations\n/);
  assert.match(text, /\nillegal: 3 operations, 2 keys, 1 illegal, 0 unknown\n$/);
  assert.match(await Deno.readTextFile(`${path}.html`), /<html/);
  await Deno.remove(path);
  await Deno.remove(`${path}.html`);
});

judgedTest("the judge refuses a file that is no history", async () => {
  await using judge = await Judge.build();
  const five = all(1, ["a", "b", "c", "d", "e"].map(adds), ["1", "1", "1", "1", "1"]);
  const jump = all(1, [{ ...adds("a"), action: "JUMP" as "SET" }], ["1"]);
  const short = all(1, [adds("a"), adds("b")], ["1"]);
  const bad = [{ action: "JUMP" as "SET" }, { rev: 0 }, { rev: 1, end: -1 }, five, jump, short];
  for (const line of bad) {
    const path = written(line);
    await assert.rejects(judge.judge(path), /No history: line 1: /);
    await Deno.remove(path);
  }
});

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
