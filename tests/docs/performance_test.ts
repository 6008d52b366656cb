/**
 * The pages show the figures that the benchmarks found, and no others.
 *
 * @module
 */

import assert from "node:assert/strict";
import { PAGES, readResults, resultFiles, withResults } from "../../bench/report.ts";

const ROOT = new URL("../../", import.meta.url);

Deno.test("the pages and charts are those of the results (deno task bench:pages)", async () => {
  const results = await readResults(ROOT);
  for (const name of PAGES) {
    const page = await Deno.readTextFile(new URL(name, ROOT));
    assert.equal(withResults(page, results), page, name);
  }
  for (const [name, content] of Object.entries(resultFiles(results))) {
    assert.equal(await Deno.readTextFile(new URL(name, ROOT)), content, name);
  }
});

Deno.test("the results hold every part of the benchmark, and goals for nearly all figures", async () => {
  const { serf } = await readResults(ROOT);
  const goals = serf.parts.flatMap(({ measures }) => measures).filter(({ goal }) => goal);
  assert.ok(goals.length > 30);
  for (const { name, met } of goals) assert.equal(typeof met, "boolean", name);
});
