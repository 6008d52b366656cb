/**
 * Shows of each rule that sessions go by that simulated clients find something wrong without it, in one of a few runs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { runMutant } from "../support/mutant.ts";
import { SESSION_RULES } from "../support/sessions/simulation/rules.ts";

/** Runs of which one has to do harm. Most rules need one to three, `ready-leader` some 50. */
const SEEDS = 150;

for (const [rule, { seed = 1, ...mutation }] of Object.entries(SESSION_RULES)) {
  Deno.test(`without "${rule}" simulated clients with sessions come to harm`, async () => {
    const found = await runMutant(mutation, "tests/support/sessions/simulation/search.ts", [
      `${seed}`,
      `${SEEDS}`,
    ]);
    assert.match(found, /^\d+ ./, `${SEEDS} seeds from ${seed} on find nothing`);
  });
}
