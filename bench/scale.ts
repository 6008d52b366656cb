/**
 * How the protocol behaves in clusters of up to 10,000 nodes: real Serf cores in the simulator, in virtual time.
 *
 * `deno task bench:scale [--nodes 100,1000,5000,10000] [--seed 1] [--out FOLDER]`
 *
 * Prints tables, and writes `scale.json` and charts under `bench/results/` unless `--out` says otherwise. Sizes that
 * are not run keep their former results. 100 and 1,000 nodes take some minutes, all four the better part of an hour,
 * and 10,000 take 12 GB.
 *
 * @module
 */

import { join } from "node:path";
import { readOptions } from "./command_line/options.ts";
import { scaleCharts } from "./scale/charts.ts";
import { planFor } from "./scale/plan.ts";
import { measureSize, type ScaleRow } from "./scale/result.ts";
import { scaleTables } from "./scale/tables.ts";

const options = readOptions(
  "deno task bench:scale [--nodes 100,1000,5000,10000] [--seed 1] [--out FOLDER]",
  {
    nodes: { type: "string", default: "100,1000,5000,10000" },
    seed: { type: "string", default: "1" },
    out: { type: "string", default: join(import.meta.dirname!, "results") },
  },
);
const sizes = options.nodes.split(",").filter((text) => text !== "").map(wholeNumber);
const seed = wholeNumber(options.seed);
const file = join(options.out, "scale.json");

Deno.mkdirSync(options.out, { recursive: true });
for (const nodes of sizes) {
  const row = await measureSize(nodes, seed, planFor(nodes), (line) => console.error(line));
  const rows = [...earlierRows().filter((other) => other.nodes !== nodes), row];
  rows.sort((a, b) => a.nodes - b.nodes);
  Deno.writeTextFileSync(file, JSON.stringify({ rows }, null, 2) + "\n");
}
const rows = earlierRows();
for (const { name, svg } of scaleCharts(rows)) {
  Deno.writeTextFileSync(join(options.out, `scale-${name}.svg`), svg);
}
console.log(scaleTables(rows));

function earlierRows(): ScaleRow[] {
  try {
    return JSON.parse(Deno.readTextFileSync(file)).rows;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  console.error(`"${text}" is not a whole number above 0`);
  Deno.exit(1);
}
