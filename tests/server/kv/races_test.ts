/**
 * Many clients at a time.
 *
 * @module
 */

import assert from "node:assert/strict";
import { brief, type KvPeer, serve, type Stage } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";

const HOST = loopback();
const CLIENTS = 100;

/** What each of many clients finds. */
async function crowd<T>(stage: Stage, act: (client: KvPeer, i: number) => Promise<T>) {
  return await Promise.all(
    Array.from({ length: CLIENTS }, async (_, i) => {
      using client = await stage.client();
      return await act(client, i);
    }),
  );
}

Deno.test("of many racing clients exactly one wins", async () => {
  await using stage = serve(HOST);
  const races = [
    { action: "SET", key: "nx", nx: true },
    { action: "SET", key: "rev", if_rev: 0 },
  ];
  for (const race of races) {
    const replies = await crowd(stage, (client, value) => client.ask({ ...race, value }));
    const winners = replies.flatMap(({ status }, i) => status === "ok" ? [i] : []);
    assert.equal(winners.length, 1);
    assert.ok(replies.every(({ status, code }) => status === "ok" || code === 409));
    using client = await stage.client();
    const { result } = await client.ask({ action: "GET", key: race.key });
    assert.equal(result, winners[0]);
  }
});

Deno.test("of many racing transactions exactly one wins, and all of it is done once", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.ask({ action: "SET", key: "value", value: "old" });
  const conditions = [
    { key: "absent", exists: false },
    { key: "value", rev: 1 },
    { key: "value", value: "old" },
  ];
  for (const condition of conditions) {
    const { key } = condition;
    await client.ask({ action: "DEL", key: "count", if_exists: true });
    const replies = await crowd(stage, (client, value) =>
      client.ask({
        action: "TXN",
        if: [condition],
        then: [{ action: "SET", key, value }, { action: "INCR", key: "count" }],
        else: [{ action: "GET", key }],
      }));
    const results = replies.map(({ result }) =>
      result as { succeeded: boolean; results: unknown[] }
    );
    const winners = results.flatMap(({ succeeded }, i) => succeeded ? [i] : []);
    assert.equal(winners.length, 1);
    for (const { succeeded, results: [result] } of results) {
      assert.equal(result, succeeded ? "OK" : winners[0]);
    }
    const { result } = await client.ask({ action: "MGET", keys: [key, "count"] });
    assert.deepEqual(result, [winners[0], 1]);
    const { rev } = await client.ask({ action: "SET", key: "value", value: "old" });
    conditions[1] = { key: "value", rev: rev as number };
  }
});

Deno.test("of many that take what is there exactly one gets it", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  await client.ask({ action: "SET", key: "ticket", value: "the one" });
  const replies = await crowd(
    stage,
    (client, i) => client.ask({ action: "SET", key: "ticket", value: i, xx: true, get: true }),
  );
  assert.equal(replies.filter(({ result }) => result === "the one").length, 1);
  assert.equal(new Set(replies.map(({ result }) => result)).size, CLIENTS);
});

Deno.test("no increment of many clients is lost or seen twice", async () => {
  await using stage = serve(HOST);
  const replies = await crowd(stage, async (client) => {
    const sums: unknown[] = [];
    for (let i = 0; i < 50; i++) {
      sums.push((await client.ask({ action: "INCR", key: "n" }))["result"]);
    }
    const more = await client.all(Array.from({ length: 50 }, () => ({ action: "INCR", key: "n" })));
    return [...sums, ...more.map(({ result }) => result)] as number[];
  });
  for (const sums of replies) assert.deepEqual(sums, sums.toSorted((a, b) => a - b));
  const all = replies.flat().sort((a, b) => a - b);
  assert.deepEqual(all, Array.from({ length: CLIENTS * 100 }, (_, i) => i + 1));
});

Deno.test("a thousand values under a thousand keys are all there", async () => {
  await using stage = serve(HOST);
  using client = await stage.client();
  for (let i = 0; i < 1_000; i++) {
    assert.equal(
      brief(await client.ask({ action: "SET", key: `k${i}`, value: `v${i}` })),
      `"OK" rev ${i + 1}`,
    );
  }
  const replies = await client.all(
    Array.from({ length: 1_000 }, (_, i) => ({ action: "GET", key: `k${i}` })),
  );
  assert.deepEqual(replies.map(brief), replies.map((_, i) => `"v${i}" rev ${i + 1}`));
});

Deno.test("many clients on one key see its changes in one order", async () => {
  await using stage = serve(HOST);
  await crowd(stage, async (client, i) => {
    let last = 0;
    for (let round = 0; round < 20; round++) {
      const value = `${i}.${round}`;
      const set = await client.ask({ action: "SET", key: "k", value });
      const got = await client.ask({ action: "GET", key: "k" });
      const [setRev, gotRev] = [set["rev"], got["rev"]].map(Number) as [number, number];
      assert.ok(setRev > last && gotRev >= setRev, `${last}, ${setRev}, ${gotRev}`);
      if (gotRev === setRev) assert.equal(got["result"], value);
      last = gotRev;
    }
  });
});
