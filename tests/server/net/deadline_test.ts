/**
 * Waiting, but not for ever.
 *
 * @module
 */

import assert from "node:assert/strict";
import { pause, within } from "../../../server/net/deadline.ts";

Deno.test("within() gives what the promise gives, or nothing when it is late", async () => {
  assert.equal(await within(60_000, Promise.resolve(1)), 1);
  assert.equal(await within(1, new Promise(() => {})), undefined);
});

Deno.test("a limit that no timer can hold is a long one, not none", async () => {
  const later = new Promise((resolve) => setTimeout(resolve, 20, "done"));
  assert.equal(await within(2 ** 40, later), "done");
  const ending = new AbortController();
  let over = false;
  const pausing = pause(2 ** 40, ending.signal).then(() => over = true);
  await later;
  assert.equal(over, false);
  ending.abort();
  await pausing;
});
