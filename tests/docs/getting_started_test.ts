/**
 * docs/GETTING-STARTED.md from top to bottom, as a newcomer pastes it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { blocksOf, runTour } from "../support/docs/tour.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

Deno.test("the getting-started page works as it stands", async (t) => {
  const blocks = await blocksOf("GETTING-STARTED.md");
  assert.ok(blocks.length > 15);
  await runTour(t, blocks, HOST);
});
