/**
 * docs/CORRECTNESS.md names tests and scripts that exist, each rule of the core with its proof, and says something of each row.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROOFS } from "../support/raft/proofs.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");
const page = Deno.readTextFileSync(join(ROOT, "docs", "CORRECTNESS.md"));

/** How many rows each table has. */
const ROWS = { RAFT: 27, KV: 46 };

Deno.test("docs/CORRECTNESS.md has each rule of the core with its script and its seed", () => {
  const rows = page.matchAll(/^\| `([a-z-]+)` +\| [^|]+ \| `(\w+)` +\| +(\d+) \|$/gm);
  const told = [...rows].map(([, rule, script, seed]) => [rule, { script, seed: Number(seed) }]);
  assert.deepEqual(told, Object.entries(PROOFS));
});

Deno.test("docs/CORRECTNESS.md has a row for each claim, and a test unless it is open", () => {
  for (const [prefix, count] of Object.entries(ROWS)) {
    const rows = cellsOf(prefix);
    const names = Array.from(
      { length: count },
      (_, i) => `${prefix}-${`${i + 1}`.padStart(2, "0")}`,
    );
    assert.deepEqual(rows.map(([name]) => name), names);
    for (const [name, , state = "", by = ""] of rows) {
      assert.match(state, /^(shown|part|open)(: .+)?$/, name);
      assert.equal(by === "", state.startsWith("open"), name);
      assert.ok(!state.startsWith("part") || state.includes(":"), `${name} says what is missing`);
    }
  }
});

Deno.test("docs/CORRECTNESS.md names tests that are there", () => {
  const named = [...page.matchAll(/`(tests\/[\w/]+\.(?:ts|txt))`(?: "([^"]+)")?/g)];
  assert.ok(named.length > 60);
  for (const [, path = "", title] of named) {
    assert.ok(existsSync(join(ROOT, path)), path);
    if (title !== undefined) assert.ok(hasTitle(path, title), `${path}: ${title}`);
  }
  assert.ok(!hasTitle("tests/docs/correctness_test.ts", "a title of " + "nothing"));
});

function cellsOf(prefix: string): string[][] {
  const rows = page.split("\n").filter((line) => line.startsWith(`| ${prefix}-`));
  return rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
}

function hasTitle(path: string, title: string): boolean {
  return Deno.readTextFileSync(join(ROOT, path)).includes(`"${title}"`);
}
