/**
 * docs/CORRECTNESS.md names tests and scripts that exist, each rule of the core and of sessions with its proof, and says something of each row.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROOFS } from "../support/raft/proofs.ts";
import { SESSION_RULES } from "../support/sessions/simulation/rules.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");
const page = Deno.readTextFileSync(join(ROOT, "docs", "CORRECTNESS.md"));

const two = (i: number): string => `${i}`.padStart(2, "0");
const names = (count: number, name: (i: number) => string): string[] =>
  Array.from({ length: count }, (_, i) => name(i + 1));

/** How many facts each stage of the plan has. */
const FACTS = [6, 4, 4, 4, 3, 3, 1, 4];

/** What the rows of each table begin with, by a pattern that finds them. */
const ROWS: Readonly<Record<string, readonly string[]>> = {
  "RAFT-": names(27, (i) => `RAFT-${two(i)}`),
  "KV-": names(46, (i) => `KV-${two(i)}`),
  "SES-": names(41, (i) => `SES-${two(i)}`),
  "TOP-": names(49, (i) => `TOP-${two(i)}`),
  "F\\d": FACTS.flatMap((count, i) => names(count, (fact) => `F${i + 1}.${fact}`)),
};

Deno.test("docs/CORRECTNESS.md has each rule of the core with its script and its seed", () => {
  const rows = page.matchAll(/^\| `([a-z-]+)` +\| [^|]+ \| `(\w+)` +\| +(\d+) \|$/gm);
  const told = [...rows].map(([, rule, script, seed]) => [rule, { script, seed: Number(seed) }]);
  assert.deepEqual(told, Object.entries(PROOFS));
});

Deno.test("docs/CORRECTNESS.md has each rule of sessions with a test", () => {
  const rows = page.matchAll(/^\| `([a-z-]+)` +\| [^|]+ \| `tests\/[^`]+` "[^"|]+" +\|$/gm);
  assert.deepEqual([...rows].map(([, rule]) => rule), Object.keys(SESSION_RULES));
});

Deno.test("docs/CORRECTNESS.md has a row for each claim, and a test unless it is open", () => {
  for (const [pattern, wanted] of Object.entries(ROWS)) {
    const rows = cellsOf(pattern);
    assert.deepEqual(rows.map(([name]) => name), wanted);
    for (const [name, , state = "", by = ""] of rows) {
      assert.match(state, /^(shown|part|open)(: .+)?$/, name);
      assert.equal(by === "", state.startsWith("open"), name);
      assert.ok(!state.startsWith("part") || state.includes(":"), `${name} says what is missing`);
    }
  }
});

Deno.test("docs/CORRECTNESS.md names tests that are there", () => {
  const named = [...page.matchAll(/`(tests\/[\w/]+\.(?:ts|txt))`((?:,? "[^"]+")*)/g)];
  assert.ok(named.length > 60);
  for (const [, path = "", titles = ""] of named) {
    assert.ok(existsSync(join(ROOT, path)), path);
    for (const [, title = ""] of titles.matchAll(/"([^"]+)"/g)) {
      assert.ok(hasTitle(path, title), `${path}: ${title}`);
    }
  }
  assert.ok(!hasTitle("tests/docs/correctness_test.ts", "a title of " + "nothing"));
});

function cellsOf(pattern: string): string[][] {
  const rows = page.split("\n").filter((line) => new RegExp(`^\\| ${pattern}`).test(line));
  return rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
}

function hasTitle(path: string, title: string): boolean {
  return Deno.readTextFileSync(join(ROOT, path)).includes(`"${title}"`);
}
