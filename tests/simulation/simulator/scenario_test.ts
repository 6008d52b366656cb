import assert from "node:assert/strict";
import { Noted } from "../../support/simulation/invariants/invariant.ts";
import { runScenario } from "../../support/simulation/scenario.ts";
import { chosenSeeds } from "../../support/simulation/seeds.ts";

/** The seeds of an environment. */
function seeds(
  variables: Readonly<Record<string, string>>,
  options: { seeds?: number[]; costly?: boolean } = {},
): { fixed: readonly number[]; fresh: number } {
  const { fixed, fresh } = chosenSeeds(options, (name) => variables[name]);
  return { fixed, fresh: new Set(fresh).size };
}

Deno.test("a scenario takes seed 1 and old failures, and new seeds on a CI machine or on demand", () => {
  assert.deepEqual(seeds({}), { fixed: [1], fresh: 0 });
  assert.deepEqual(seeds({ CI: "" }), { fixed: [1], fresh: 0 });
  assert.deepEqual(seeds({ CI: "true" }, { seeds: [7] }), { fixed: [1, 7], fresh: 1 });
  assert.deepEqual(seeds({ CI: "true", SKEIN_NEW_SEEDS: "0" }), { fixed: [1], fresh: 0 });
  assert.deepEqual(seeds({ SKEIN_NEW_SEEDS: "5" }), { fixed: [1], fresh: 5 });
  assert.deepEqual(seeds({ CI: "true" }, { costly: true }), { fixed: [1], fresh: 0 });
  assert.deepEqual(seeds({ SKEIN_NEW_SEEDS: "5" }, { costly: true }), { fixed: [1], fresh: 5 });
  const replay = { SKEIN_SEED: "9", SKEIN_NEW_SEEDS: "5", CI: "true" };
  assert.deepEqual(seeds(replay, { seeds: [7] }), { fixed: [9], fresh: 0 });
  assert.throws(() => seeds({ SKEIN_SEED: "x" }), {
    message: "SKEIN_SEED is 'x', not a whole number",
  });
  assert.throws(() => seeds({ SKEIN_NEW_SEEDS: "-1" }), /SKEIN_NEW_SEEDS/);
});

Deno.test("a scenario that fails tells the seed, the step, the invariant and how to replay it", async () => {
  const errors: string[] = [];
  const output = { log: () => {}, error: (text: string) => void errors.push(text) };
  const failing = runScenario("all is well", 42, {}, async ({ simulation }) => {
    const { clock, logger } = simulation.addHost("10.0.0.1");
    const noted = new Noted("All is well");
    simulation.watch("10.0.0.1", [noted]);
    clock.setTimer(5, () => {
      logger("test").info("Something is wrong");
      noted.note("it is not");
    });
    await simulation.runFor(10);
  }, output);
  await assert.rejects(failing, { name: "InvariantError" });
  assert.deepEqual(errors.join("\n").split("\n"), [
    "       5.0 10.0.0.1 [INFO] test: Something is wrong",
    "Seed 42, step 1, 5.000 ms: InvariantError: Step 1, at 5.000 ms on 10.0.0.1, broke 'All is well': it is not",
    "Replay with: SKEIN_SEED=42 deno task test:sim --filter 'all is well'",
  ]);
});
