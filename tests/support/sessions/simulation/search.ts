/**
 * Looks for a seed whose run does harm: `search.ts FROM COUNT`. Writes the first one with what is wrong, or nothing.
 *
 * @module
 */

import { RunError } from "../../replica/simulation/run.ts";
import { InvariantError } from "../../simulation/invariants/invariant.ts";
import { SimulatedSessionRun } from "./run.ts";

const [from = 1, count = 1] = Deno.args.map(Number);
for (let seed = from; seed < from + count; seed++) {
  try {
    await new SimulatedSessionRun(seed).run();
  } catch (error) {
    if (!(error instanceof RunError || error instanceof InvariantError)) throw error;
    console.log(`${seed} ${error.message}`);
    Deno.exit();
  }
}
