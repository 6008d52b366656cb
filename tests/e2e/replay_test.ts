/**
 * Replays what HashiCorp's command line 0.9.4 printed where no running agent is needed, and shows that no sample is
 * forgotten.
 *
 * @module
 */

import assert from "node:assert/strict";
import { freePort } from "../support/agents.ts";
import { run } from "../support/e2e/cli.ts";
import {
  expectation,
  moved,
  NOWHERE,
  OTHERWISE,
  samples,
  samplesOf,
  title,
} from "../support/e2e/samples.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

Deno.test("every sample has its place, and those that are not replayed a reason", () => {
  const places = ["alone", "start", "life", "cluster", "late", "keys", "nowhere"] as const;
  const counts = places.map((place) => samplesOf(place).length);
  assert.deepEqual(counts, [25, 19, 9, 60, 6, 17, 4]);
  assert.equal(counts.reduce((sum, count) => sum + count), samples.length);
  assert.deepEqual(
    samplesOf("nowhere").map(({ note }) => note).sort(),
    Object.keys(NOWHERE).sort(),
  );
});

Deno.test("samples that need no agent", async (t) => {
  for (const sample of samplesOf("alone")) {
    const otherwise = OTHERWISE[sample.args.join(" ")];
    await t.step({
      name: otherwise === undefined ? title(sample) : `${title(sample)}: ${otherwise}`,
      ignore: otherwise !== undefined,
      fn: async () => assert.deepEqual(await run(sample.args), await expectation(sample)),
    });
  }
});

/** Starts that fail in another way here. */
const OTHER_START: Readonly<Record<string, string>> = {
  "-iface=ifb0": "Deno does not list interfaces without addresses",
};

Deno.test("samples of an agent that cannot start", async (t) => {
  const refused = `${HOST}:${await freePort(HOST)}`;
  const addresses = new Map([
    ["127.0.0.1:19999", refused],
    ["127.0.0.1:19960", `${HOST}:${await freePort(HOST)}`],
    ["127.0.0.1:19390", `${HOST}:${await freePort(HOST)}`],
    // Since 0.9.4 the text begins with a small letter and names the port.
    [`Failed to join 127.0.0.1: dial`, `failed to join ${refused}: dial`],
    ["127.0.0.1", HOST],
  ]);
  for (const sample of samplesOf("start")) {
    const reason = sample.args.map((arg) => OTHER_START[arg]).find((text) => text !== undefined);
    const name = reason === undefined ? title(sample) : `${title(sample)}: ${reason}`;
    await t.step({
      name,
      ignore: reason !== undefined,
      fn: async () => {
        const { args, ...rest } = moved(sample, addresses);
        assert.deepEqual(await run(args), await expectation({ args, ...rest }));
      },
    });
  }
});
