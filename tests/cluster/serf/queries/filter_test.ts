import assert from "node:assert/strict";
import { loadPatterns } from "../../../../cluster/serf/model/pattern.ts";
import { compileFilters, encodeFilters } from "../../../../cluster/serf/queries/filter.ts";
import { hex, unhex } from "../../../support/serf/fixture.ts";

await loadPatterns();

const TAGS = { role: "web", dc: "eu" };
const matches = (targets: Parameters<typeof encodeFilters>[0]) =>
  compileFilters(encodeFilters(targets))("a", TAGS);

Deno.test("filters are encoded as captured: nodes first, then one for each tag", () => {
  const filters = encodeFilters({ nodes: ["a", "z"], tags: { role: "^we" } });
  assert.deepEqual(filters?.map(hex), [
    "0092a161a17a",
    "0182a445787072a35e7765a3546167a4726f6c65",
  ]);
});

Deno.test("without targets there are no filters, and no filter excludes nobody", () => {
  assert.equal(encodeFilters({}), null);
  assert.equal(encodeFilters({ nodes: [], tags: {} }), null);
  assert.ok(compileFilters(null)("a", {}));
  assert.ok(compileFilters([])("a", {}));
});

Deno.test("a node filter takes exact names", () => {
  assert.ok(matches({ nodes: ["z", "a"] }));
  assert.ok(!matches({ nodes: ["z", "ab", "A"] }));
});

Deno.test("a tag filter searches anywhere in the value; a missing tag is empty", () => {
  assert.ok(matches({ tags: { role: "eb" } }));
  assert.ok(!matches({ tags: { role: "^eb" } }));
  assert.ok(matches({ tags: { nope: "^$" } }));
  assert.ok(!matches({ tags: { role: "^$" } }));
  assert.ok(matches({ tags: { constructor: "^$" } }), "not what every object has");
});

Deno.test("every filter must match", () => {
  assert.ok(matches({ nodes: ["a"], tags: { role: "w", dc: "eu" } }));
  assert.ok(!matches({ nodes: ["a"], tags: { role: "w", dc: "us" } }));
  assert.ok(!matches({ nodes: ["b"], tags: { role: "w" } }));
});

Deno.test("what cannot be read matches nothing", () => {
  const bad = ["", "02c0", "00", "01", "0081", "01a161", "0182a445787072a128a3546167a4726f6c65"];
  for (const filter of bad) {
    assert.ok(!compileFilters([unhex(filter)])("a", TAGS), filter);
  }
  assert.ok(!compileFilters([null])("a", TAGS));
  assert.ok(!matches({ tags: { role: "(a)\\1" } }));
});

Deno.test("patterns of one query share a bounded amount of work", () => {
  const filters = encodeFilters({ tags: { role: "[a-z]{0,1000}" } }) ?? [];
  assert.ok(compileFilters([...filters, ...filters])("a", TAGS));
  assert.ok(!compileFilters([...filters, ...filters, ...filters])("a", TAGS));
});
