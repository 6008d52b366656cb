/**
 * How long a query can be answered.
 *
 * @module
 */

import assert from "node:assert/strict";
import { PendingQueries } from "../../../server/rpc/pending_queries.ts";
import { until } from "../../support/rpc/peer.ts";

const respond = (): void => {};

Deno.test("queries are forgotten each at its own deadline, whatever their order", async () => {
  const pending = new PendingQueries();
  const now = performance.now();
  const ids = [400, 100, 60_000, 250].map((ms) => pending.add({ deadline: now + ms, respond }));
  assert.deepEqual(ids, [1, 2, 3, 4]);
  const left = () => ids.filter((id) => pending.get(id) !== undefined);
  const seen = new Set<string>();
  await until(() => {
    seen.add(left().join());
    return pending.size === 1;
  });
  const inOrder = ["1,2,3,4", "1,3,4", "1,3", "3"];
  assert.deepEqual([...seen], inOrder.filter((ids) => seen.has(ids)));
  assert.ok(seen.has("3"));
  pending.close();
  assert.equal(pending.size, 0);
});

Deno.test("a deadline that is sooner than those before it is not waited for with them", async () => {
  const pending = new PendingQueries();
  const now = performance.now();
  pending.add({ deadline: now + 600_000, respond });
  pending.add({ deadline: now + 20, respond });
  await until(() => pending.size === 1);
  pending.close();
});

Deno.test("a query that is over cannot be answered, although its timer is late", () => {
  const pending = new PendingQueries();
  const deadline = performance.now() + 2;
  const id = pending.add({ deadline, respond });
  while (performance.now() <= deadline);
  assert.equal(pending.size, 1);
  assert.equal(pending.get(id), undefined);
  pending.close();
});

Deno.test("a deadline in centuries is waited for, and closing leaves no timer", () => {
  const pending = new PendingQueries();
  const id = pending.add({ deadline: performance.now() + 2 ** 63 / 1e6, respond });
  assert.equal(pending.get(id), respond);
  assert.equal(pending.get(BigInt(id)), respond);
  assert.equal(pending.get(2n ** 64n - 1n), undefined);
  pending.remove(id);
  assert.equal(pending.get(id), undefined);
  pending.close();
});
