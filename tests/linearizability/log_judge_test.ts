/**
 * What judges topics, judged: the judge of histories with small ones of a log, and the ledger with servers that do wrong.
 *
 * @module
 */

import assert from "node:assert/strict";
import { History, type Operation } from "../support/linearizability/history.ts";
import { Judge, judgedTest } from "../support/linearizability/judge.ts";
import { TopicLedger } from "../support/linearizability/topics/ledger.ts";

type Line = Partial<Operation>;

/** A history of one log: each operation takes 10 µs, one after the other, unless it says when. */
function written(...lines: readonly Line[]): string {
  const path = Deno.makeTempFileSync({ prefix: "history_" });
  Deno.removeSync(path);
  using history = new History(path);
  lines.forEach((line, i) =>
    history.add({
      process: i,
      action: "FETCH",
      key: "t/0",
      outcome: "done",
      start: i * 20,
      ...line.outcome !== "unknown" && { end: i * 20 + 10 },
      ...line,
    })
  );
  return path;
}

const append = (offset: number, values: string[], more: Line = {}): Line => ({
  action: "APPEND",
  offset,
  values,
  ...more,
});
const lost = (...values: string[]): Line => ({ action: "APPEND", values, outcome: "unknown" });
const fetch = (offset: number, values: string[], high: number, more: Line = {}): Line => ({
  offset,
  values,
  high,
  ...more,
});

const LEGAL: Readonly<Record<string, readonly Line[]>> = {
  "an empty log": [fetch(0, [], 0)],
  "what was appended is there, at its offset": [
    append(0, ["a"]),
    append(1, ["b", "c"]),
    fetch(0, ["a", "b", "c"], 3),
    fetch(1, ["b"], 3),
    fetch(3, [], 3),
  ],
  "a fetch beside an append sees the log before, or after": [
    append(0, ["a"]),
    append(1, ["b"], { start: 100, end: 200 }),
    fetch(0, ["a"], 1, { start: 110, end: 120 }),
    fetch(0, ["a", "b"], 2, { start: 130, end: 140 }),
  ],
  "a lost append that happened": [lost("a", "b"), fetch(0, ["a", "b"], 2)],
  "a lost append that did not happen": [lost("a"), append(0, ["b"]), fetch(0, ["b"], 1)],
  "lost appends that happened late, in another order": [
    lost("a"),
    lost("b"),
    lost("c"),
    append(0, ["d"]),
    fetch(0, ["d"], 1),
    append(3, ["e"]),
    fetch(0, ["d", "c", "a", "e"], 4),
  ],
  "logs do not care for each other": [append(0, ["a"]), append(0, ["b"], { key: "t/1" })],
};

const ILLEGAL: Readonly<Record<string, readonly Line[]>> = {
  "an append that is lost": [append(0, ["a"]), fetch(0, [], 0)],
  "an append at another offset": [append(0, ["a"]), append(2, ["b"])],
  "two appends at one offset": [append(0, ["a"]), append(0, ["b"])],
  "a message that comes after it was acknowledged": [
    append(0, ["a"]),
    append(1, ["b"]),
    fetch(0, ["a"], 1),
  ],
  "an offset that shows another message later": [
    append(0, ["a"], { start: 0, end: 100 }),
    append(1, ["b"], { start: 0, end: 100 }),
    fetch(0, ["a"], 2, { start: 110, end: 120 }),
    fetch(0, ["b"], 2, { start: 130, end: 140 }),
  ],
  "an end that goes back": [
    append(0, ["a"], { start: 0, end: 100 }),
    fetch(0, ["a"], 1, { start: 10, end: 20 }),
    fetch(0, [], 0, { start: 30, end: 40 }),
  ],
  "a batch that is torn": [lost("a", "b"), fetch(0, ["a"], 1)],
  "a message that is there twice": [append(0, ["a"]), fetch(0, ["a", "a"], 2)],
  "a lost message that is there twice": [lost("a"), fetch(0, ["a", "a"], 2)],
  "a message that surely was not appended": [
    append(0, ["a"], { outcome: "never" }),
    fetch(0, ["a"], 1),
  ],
  "a message that nobody sent": [fetch(0, ["a"], 1)],
};

judgedTest("the judge passes logs that are linearizable, and no others", async () => {
  await using judge = await Judge.build();
  for (const [histories, wanted] of [[LEGAL, "ok"], [ILLEGAL, "illegal"]] as const) {
    for (const [name, lines] of Object.entries(histories)) {
      const path = written(...lines);
      const { word, text } = await judge.judge(path);
      assert.equal(word, wanted, `${name}: ${text}`);
      await Deno.remove(path);
      if (wanted === "illegal") await Deno.remove(`${path}.html`);
    }
  }
});

judgedTest("the judge finds where twenty lost appends went", async () => {
  await using judge = await Judge.build();
  const names = Array.from({ length: 20 }, (_, i) => `v${i}`);
  const path = written(
    ...names.map((name) => lost(name)),
    append(10, ["a"]),
    fetch(0, [...names.slice(10), "a"], 11),
  );
  const { word, text } = await judge.judge(path);
  assert.equal(word, "ok", text);
  await Deno.remove(path);
});

judgedTest(
  "the judge refuses a key that is a log and a value, and an append of nothing",
  async () => {
    await using judge = await Judge.build();
    const both = [append(0, ["a"]), { action: "GET" as const, seen: "1", rev: 1 }];
    for (const lines of [both, [append(0, [])]]) {
      const path = written(...lines);
      await assert.rejects(judge.judge(path), /No history: line \d: /);
      await Deno.remove(path);
    }
  },
);

/** What is wrong, and what the ledger says of it. */
const CAUGHT: Readonly<
  Record<string, readonly [wrong: (ledger: TopicLedger) => void, says: RegExp]>
> = {
  "an acknowledged message that is gone": [(ledger) => ledger.done("t/0", 0, ["a"]), /is gone/],
  "an acknowledged message that is another": [
    (ledger) => {
      ledger.begin(["a"]);
      ledger.done("t/0", 0, ["a"]);
      ledger.judge("t/0", new Map([[0, "b"]]));
    },
    /Offset t\/0 0/,
  ],
  "an offset that changes": [
    (ledger) => {
      ledger.saw("t/0", 3, "a");
      ledger.saw("t/0", 3, "b");
    },
    /Offset t\/0 3 was 'a'/,
  ],
  "a message that was refused": [
    (ledger) => {
      ledger.begin(["a"]);
      ledger.refuse(["a"]);
      ledger.judge("t/0", new Map([[0, "a"]]));
    },
    /'a' was refused, and is there/,
  ],
  "a message that is there twice": [
    (ledger) => {
      ledger.begin(["a"]);
      ledger.judge("t/0", new Map([[0, "a"], [1, "a"]]));
    },
    /'a' is there twice/,
  ],
  "half of a batch": [
    (ledger) => {
      ledger.begin(["a", "b"]);
      ledger.judge("t/0", new Map([[0, "a"]]));
    },
    /batch of 'a' is not whole/,
  ],
  "a message that nobody sent": [
    (ledger) => ledger.judge("t/0", new Map([[0, "a"]])),
    /'a' was never sent/,
  ],
  "a gap": [
    (ledger) => {
      ledger.begin(["a"]);
      ledger.judge("t/0", new Map([[1, "a"]]));
    },
    /Offset 0 of t\/0 is missing/,
  ],
};

for (const [name, [wrong, says]] of Object.entries(CAUGHT)) {
  Deno.test(`the ledger of topics catches ${name}`, () => {
    const ledger = new TopicLedger();
    assert.throws(() => {
      wrong(ledger);
      ledger.end();
    }, says);
  });
}
