import assert from "node:assert/strict";
import { suggest } from "../../../server/config/suggest.ts";

const NAMES = ["agent", "event", "force-leave", "join", "leave", "members", "monitor", "tags"];

Deno.test("suggest() finds the name behind a slip", () => {
  const slips: [string, string][] = [
    ["membres", "members"],
    ["member", "members"],
    ["agnet", "agent"],
    ["evnet", "event"],
    ["moniter", "monitor"],
    ["forceleave", "force-leave"],
    ["tag", "tags"],
    ["jion", "join"],
  ];
  for (const [word, name] of slips) assert.equal(suggest(word, NAMES), name, word);
});

Deno.test("suggest() stays silent when nothing is near", () => {
  for (const word of ["", "x", "help", "query", "keys", "restart", "m".repeat(1000)]) {
    assert.equal(suggest(word, NAMES), undefined, word);
  }
});
