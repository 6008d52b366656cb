/**
 * Shows of each rule that sessions go by that simulated clients find something wrong without it, in one of a few runs.
 *
 * @module
 */

import assert from "node:assert/strict";
import { runMutant } from "../support/mutant.ts";
import { SESSION_RULES } from "../support/sessions/simulation/rules.ts";

/** Seeds from 1 on, of which one has to do harm. Most rules need one to three, `ready-leader` one in some 50, by chance 127 now. */
const SEEDS = 150;

for (const [rule, mutation] of Object.entries(SESSION_RULES)) {
  Deno.test(`without "${rule}" simulated clients with sessions come to harm`, async () => {
    const found = await runMutant(mutation, "tests/support/sessions/simulation/search.ts", [
      "1",
      `${SEEDS}`,
    ]);
    assert.match(found, /^\d+ ./, `${SEEDS} seeds find nothing`);
  });
}
