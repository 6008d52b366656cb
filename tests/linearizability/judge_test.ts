/**
 * The judge of histories, judged: small histories of which anybody can see whether they are linearizable.
 *
 * @module
 */

import assert from "node:assert/strict";
import { History, type Operation } from "../support/linearizability/history.ts";
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
/** A TXN that has set its value; without a revision, one that saw another value. */
const swap = (expected: string, value: string, rev: number): Line => ({
  action: "TXN",
  expected,
  value,
  rev,
  swapped: true,
});
const looked = (expected: string, seen: string): Line => ({
  action: "TXN",
  expected,
  value: "x",
  seen,
});
const lost = (line: Line): Line => {
  const { rev: _, seen: __, swapped: ___, ...rest } = line;
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
  for (const line of [{ action: "JUMP" as "SET" }, { rev: 0 }, { rev: 1, end: -1 }]) {
    const path = written(line);
    await assert.rejects(judge.judge(path), /No history: line 1: /);
    await Deno.remove(path);
  }
});

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
