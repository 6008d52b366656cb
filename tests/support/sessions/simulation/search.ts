/**
 * Looks for a seed whose run does harm: `search.ts FROM COUNT`. Writes the first one with what is wrong, or nothing.
 *
 * @module
 */

import { SimulatedSessionRun } from "./run.ts";

const [from = 1, count = 1] = Deno.args.map(Number);
for (let seed = from; seed < from + count; seed++) {
  try {
    await new SimulatedSessionRun(seed).run();
  } catch (error) {
    console.log(`${seed} ${(error as Error).message}`);
    Deno.exit();
  }
}
