/**
 * What topics cost, beside the goals for it.
 *
 * `deno task bench:topics [--quick] [--rounds 5] [--only encode,decode]`
 *
 * @module
 */

import { readOptions } from "../command_line/options.ts";
import { type Sample, summarise } from "../measure.ts";
import { figure, table, withSpread } from "../table.ts";
import { measureDecode, measureEncode } from "./codec.ts";

const options = readOptions(
  "deno task bench:topics [--quick] [--rounds 5] [--only encode,decode]",
  {
    quick: { type: "boolean", default: false },
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
  },
);

/** Milliseconds that a figure takes, after as long a time to get warm. */
const MS = 400;
const QUICK_MS = 10;

/** The parts of the benchmark by name, in the order in which they run. */
const PARTS: Record<string, readonly [title: string, run: (ms: number) => Sample[]]> = {
  encode: ["Encode", measureEncode],
  decode: ["Decode", measureDecode],
};

const rounds = Number(options.rounds);
const chosen = options.only === "" ? Object.keys(PARTS) : options.only.split(",");
const unknown = chosen.find((name) => !Object.hasOwn(PARTS, name));
if (unknown !== undefined || !Number.isSafeInteger(rounds) || rounds < 1) {
  console.error(
    unknown !== undefined
      ? `Unknown part '${unknown}': expected some of ${Object.keys(PARTS).join(", ")}`
      : `Expected a number of rounds, got '${options.rounds}'`,
  );
  Deno.exit(1);
}
for (const name of chosen) {
  const [title, run] = PARTS[name]!;
  const samples = Array.from({ length: rounds }, () => run(options.quick ? QUICK_MS : MS)).flat();
  const rows = summarise(samples).map(({ name, unit, skein, goal, met }) => [
    `${name}, ${unit}`,
    withSpread(skein),
    `at most ${figure(goal!.bound)}`,
    met ? "yes" : "**no**",
  ]);
  console.log(
    `## ${title}\n\n${table(["median (least to most)", "skein", "goal", "met"], rows)}\n`,
  );
}
