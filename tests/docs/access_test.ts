/**
 * docs/ACCESS.md from top to bottom, as somebody pastes it who has been through the getting-started page.
 *
 * @module
 */

import assert from "node:assert/strict";
import { blocksOf, runTour } from "../support/docs/tour.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

Deno.test("the page about access works as it stands", async (t) => {
  const install = (await blocksOf("GETTING-STARTED.md")).slice(0, 1);
  assert.ok(install[0]?.commands.startsWith("deno install"));
  const blocks = await blocksOf("ACCESS.md");
  assert.ok(blocks.length > 4);
  await runTour(t, [...install, ...blocks], HOST);
});
