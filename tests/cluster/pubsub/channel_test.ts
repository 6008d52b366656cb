/**
 * Channels and patterns as requests have them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { channelOf, interestOf, interestOfText } from "../../../cluster/pubsub/channel.ts";

/** The kind and the text, or the reason why there is none. */
function read(key: string | readonly string[]): string {
  const interest = interestOf(key);
  if ("ok" in interest) return `${interest.code} ${interest.reason} ${interest.field}`;
  return `${interest.kind} ${interest.text} of ${interest.base}`;
}

Deno.test("a channel is a path from the root on, and a pattern ends with its stars", () => {
  const cases: [string | string[], string][] = [
    ["news", "channel news of news"],
    ["^news", "channel news of news"],
    ["a^b", "channel a^b of a^b"],
    [["a", "b"], "channel a^b of a^b"],
    ["global^a", "channel global^a of global^a"],
    ["e\u0301", "channel \u00e9 of \u00e9"],
    ["a^*", "level a^* of a"],
    ["^a^b^*", "level a^b^* of a^b"],
    ["a^**", "tree a^** of a"],
    [["a", "**"], "tree a^** of a"],
    ["*", "level * of "],
    ["**", "tree ** of "],
    ["a*", "channel a* of a*"],
    ["a^***", "channel a^*** of a^***"],
    ["*^a", "422 BAD_KEY channel"],
    ["a^*^b", "422 BAD_KEY channel"],
    ["**^*", "422 BAD_KEY channel"],
    ["", "422 BAD_KEY channel"],
    ["^", "422 BAD_KEY channel"],
    ["^^a", "422 BAD_KEY channel"],
    ["a^", "422 BAD_KEY channel"],
    ["a^^b", "422 BAD_KEY channel"],
    [" a", "422 BAD_KEY channel"],
    ["a\n", "422 BAD_KEY channel"],
    [[], "422 BAD_KEY channel"],
    [["a^b"], "422 BAD_KEY channel"],
    ["\ud800", "422 BAD_KEY channel"],
    ["x".repeat(256), "422 BAD_KEY channel"],
    ["a^".repeat(16) + "*", "422 BAD_KEY channel"],
    ["$sys", "403 RESERVED channel"],
    ["$sys^a", "403 RESERVED channel"],
    ["^$sys^**", "403 RESERVED channel"],
    ["$system", "channel $system of $system"],
  ];
  for (const [key, expected] of cases) assert.equal(read(key), expected, JSON.stringify(key));
});

Deno.test("nothing is published to a pattern", () => {
  assert.equal(channelOf("^a^b"), "a^b");
  for (const pattern of ["a^*", "**", "a^*^b"]) {
    const failure = channelOf(pattern);
    assert.deepEqual(failure, { ok: false, code: 422, reason: "BAD_KEY", field: "channel" });
  }
  assert.equal((channelOf("$sys^a") as { code: number }).code, 403);
});

Deno.test("a canonical text is its own interest", () => {
  for (const text of ["a", "a^b", "a^*", "a^**", "*", "**", "a*^b"]) {
    assert.equal(interestOfText(text)?.text, text);
    assert.deepEqual(interestOfText(text), interestOf(text));
  }
  assert.equal(interestOfText("*^a"), undefined);
});
