/**
 * What a gateway asks for, for all that is watched there.
 *
 * @module
 */

import assert from "node:assert/strict";
import { covers, MAX_CHARACTERS, placesToAsk } from "../../../../server/replica/gateway/places.ts";
import { MAX_PLACES } from "../../../../server/replica/watching/fetch_codec.ts";

function many(count: number, pathOf: (i: number) => string) {
  return Array.from({ length: count }, (_, i) => ({ path: pathOf(i), tree: i % 2 === 0 }));
}

Deno.test("what is asked for covers all that is watched, and stays small", () => {
  const cases = [
    [many(3, () => "a^b"), 2],
    [many(MAX_PLACES, (i) => `a^${i}`), MAX_PLACES],
    [many(MAX_PLACES + 1, (i) => `n${i % 3}^${i}`), 3],
    [many(100, (i) => `n^${i}${"x".repeat(200)}`), 1],
    [many(MAX_PLACES + 1, (i) => `n${i}^a`), 1],
    [[{ path: "", tree: true }, { path: "a", tree: false }], 2],
  ] as const;
  for (const [watched, count] of cases) {
    const places = placesToAsk(watched);
    assert.equal(places.length, count);
    assert.ok(places.reduce((sum, { path }) => sum + path.length, 0) <= MAX_CHARACTERS);
    for (const place of watched) assert.ok(covers(places, place), place.path);
  }
});

Deno.test("a place is covered by itself and by trees above it, and by nothing else", () => {
  const places = [{ path: "a^b", tree: true }, { path: "c", tree: false }];
  for (const path of ["a^b", "a^b^c", "a^b^c^d"]) {
    assert.ok(covers(places, { path, tree: true }) && covers(places, { path, tree: false }), path);
  }
  for (const path of ["a", "a^bc", "c^d", "ca", ""]) {
    assert.ok(!covers(places, { path, tree: false }), path);
  }
  assert.ok(covers(places, { path: "c", tree: false }));
  assert.ok(!covers(places, { path: "c", tree: true }));
  assert.ok(covers([{ path: "", tree: true }], { path: "x", tree: true }));
});
