/**
 * The numbers of messages.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Sequences } from "../../../cluster/pubsub/sequences.ts";

Deno.test("each channel is counted for itself", () => {
  const sequences = new Sequences();
  const given = ["a", "b", "a", "a", "b"].map((channel) => sequences.next(channel));
  assert.deepEqual(given, [1, 1, 2, 3, 2]);
});

Deno.test("a channel that is forgotten goes on above all numbers that were given, never below", () => {
  const sequences = new Sequences(10);
  for (let i = 0; i < 7; i++) sequences.next("old");
  assert.equal(sequences.next("old"), 8);
  let last = 0;
  for (let i = 0; i < 100; i++) {
    sequences.next(`c${i}`);
    const next = sequences.next("busy");
    assert.equal(next, last + 1, "a channel that is used is not forgotten");
    last = next;
  }
  assert.ok(sequences.next("old") > 8);
  assert.ok(sequences.next("new") > 1);
});
