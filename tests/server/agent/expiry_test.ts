/**
 * Values that expire at agents of this process, by the real clock.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { AgentKv } from "../../../server/kv/local/local.ts";
import { nextTurn } from "../../../server/runtime.ts";
import { eventually } from "../../support/agents.ts";
import { folder, startServer, threeServers } from "../../support/replica/agents.ts";

/** A value may be there so long after it was due, in milliseconds; that holds of most, on a machine that others use as well. */
const LATE_MS = 250;

/** When a value was seen last, and when its absence was seen first, in milliseconds of the wall clock. */
interface Sighting {
  readonly last: number;
  readonly gone: number;
}

/** Watches a value until it is gone. */
async function watch(kv: AgentKv, key: string): Promise<Sighting> {
  for (let last = 0;;) {
    const asked = Date.now();
    if (await kv.get(key) === undefined) return { last, gone: Date.now() };
    last = asked;
    // A lone server answers at once, and timers want their turn.
    await nextTurn();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

Deno.test("a value is there until its time, and gone at most 250 ms after", async () => {
  await using data = await folder();
  await using agent = await startServer("a", data.path, { bootstrapExpect: 1 });
  const { kv } = agent;
  await kv.set("first", 1);
  const late = await Promise.all([300, 450, 600, 750, 900].map(async (ttlMs) => {
    const key = `k${ttlMs}`;
    const before = Date.now();
    await kv.set(key, 1, { ttlMs });
    const after = Date.now();
    const { last, gone } = await watch(kv, key);
    assert.ok(gone >= before + ttlMs, `${key} was gone after ${gone - before} ms`);
    assert.ok(last > 0);
    return gone - (after + ttlMs);
  }));
  assert.ok(median(late) <= LATE_MS, `Gone ${late} ms late`);
});

Deno.test("a time that was taken away or given anew is the one that counts", async () => {
  await using data = await folder();
  await using agent = await startServer("a", data.path, { bootstrapExpect: 1 });
  const { kv } = agent;
  const keys = ["persisted", "overwritten", "renewed", "kept", "moved"];
  await kv.setMany(keys.map((key) => ({ key, value: 1, ttlMs: 400 })));
  await kv.persist("persisted");
  await kv.set("overwritten", 2);
  const before = Date.now();
  await kv.expire("renewed", 1_500);
  await kv.set("kept", 2, { keepTtl: true });
  await kv.transaction({
    if: [{ key: "moved", rev: 1 }],
    then: [{ action: "expire", key: "moved", ttlMs: 1_500 }],
  });
  await watch(kv, "kept");
  assert.deepEqual(await kv.getMany(keys), [1, 2, 1, null, 1]);
  for (const key of ["renewed", "moved"]) {
    const { gone } = await watch(kv, key);
    assert.ok(gone - before >= 1_500, `${key} was gone after ${gone - before} ms`);
  }
  assert.deepEqual(await kv.getMany(keys), [1, 2, null, null, null]);
});

Deno.test("a restart ends no life early, and brings nothing back", async () => {
  await using data = await folder();
  const settings = { bootstrapExpect: 1 };
  let before: number;
  {
    await using agent = await startServer("a", data.path, settings);
    await agent.kv.set("gone", 1, { ttlMs: 1 });
    await watch(agent.kv, "gone");
    await agent.kv.set("long", 1, { ttlMs: 600_000 });
    before = Date.now();
    await agent.kv.set("short", 1, { ttlMs: 2_000 });
  }
  await using agent = await startServer("a", data.path, settings);
  const { kv } = agent;
  assert.deepEqual(await kv.getMany(["gone", "long"]), [null, 1]);
  const { gone } = await watch(kv, "short");
  assert.ok(gone >= before + 2_000, `Gone after ${gone - before} ms`);
  const left = await kv.ttl("long") as number;
  assert.ok(left > 500_000 && left <= 600_000 - 2_000, `${left} ms are left`);
});

Deno.test("with three servers a value goes at all of them, also when the leader ends meanwhile", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  const [first] = servers.agents;
  await first?.kv.set("first", 1);
  const before = Date.now();
  await first?.kv.set("k", 1, { ttlMs: 2_000 });
  await first?.kv.set("long", 1, { ttlMs: 600_000 });
  const leader = first?.state?.administer("status").then((status) =>
    (status as { leader: string }).leader
  );
  await servers.end(await leader as string);
  await Promise.all(servers.agents.map(async ({ kv, config }) => {
    const { gone } = await watch(kv, "k");
    assert.ok(gone >= before + 2_000, `Gone after ${gone - before} ms at ${config.nodeName}`);
    await eventually("the server itself has seen it", async () => {
      return await kv.get("k", { consistency: "stale" }) === undefined;
    });
    assert.equal((await kv.get("long"))?.value, 1);
  }));
});
