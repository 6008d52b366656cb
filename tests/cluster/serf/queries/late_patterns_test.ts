import assert from "node:assert/strict";
import { compilePattern, loadPatterns } from "../../../../cluster/serf/model/pattern.ts";
import { encodeFilters } from "../../../../cluster/serf/queries/filter.ts";
import { fixture, queryMessage } from "../../../support/serf/fixture.ts";

// The order of these tests matters: what is loaded once stays loaded.

Deno.test("a pattern before the engine is loaded says what is missing", () => {
  assert.throws(() => compilePattern("a"), /loadPatterns/);
});

Deno.test("the first query with a pattern is passed on at once and told when the engine is loaded", async () => {
  const f = fixture({ config: { tags: { role: "web" } } });
  const ask = (ID: number, role: string): void =>
    f.delegate.notifyMessage(queryMessage({ ID, Filters: encodeFilters({ tags: { role } }) }));
  ask(1, "^web$");
  ask(2, "^db$");
  f.delegate.notifyMessage(queryMessage({ ID: 3, Filters: encodeFilters({ nodes: ["a"] }) }));
  assert.equal(f.gossip().length, 3);
  const ids = (): unknown[] => f.events.map((event) => event.type === "query" && event.id);
  assert.deepEqual(ids(), [3]);
  await loadPatterns();
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual(ids(), [3, 1]);
  ask(4, "^web$");
  assert.deepEqual(ids(), [3, 1, 4]);
});
