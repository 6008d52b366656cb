/**
 * Answers that are more than a connection may have waiting.
 *
 * @module
 */

import assert from "node:assert/strict";
import { MAX_VALUE_TEXT_BYTES } from "../../../cluster/machine/kv/mod.ts";
import { MAX_IN_FLIGHT, MAX_IN_FLIGHT_BYTES } from "../../../server/kv/limits.ts";
import { brief, serve } from "../../support/kv/stage.ts";
import { loopback } from "../../support/loopback.ts";
import { until } from "../../support/rpc/peer.ts";

const HOST = loopback();

const VALUE = "x".repeat(500_000);
const READS = 100;
const GET = `${JSON.stringify({ action: "GET", key: "large" })}\n`;

Deno.test("a client that does not read has no more answers in memory than its connection may", async () => {
  await using stage = serve(HOST);
  const { state } = stage;
  using client = await stage.client();
  await client.ask({ action: "SET", key: "large", value: VALUE });
  state.hold();
  await client.send(GET.repeat(READS));
  await until(() => state.waiting === READS);
  state.release();
  using other = await stage.client();
  assert.equal(brief(await other.ask({ action: "EXISTS", key: "small" })).slice(0, 1), "{");
  const most = MAX_IN_FLIGHT_BYTES / VALUE.length;
  assert.ok(state.answered <= 2 * most, `${state.answered} answers were read`);
  for (const { result } of await client.replies(READS)) assert.equal(result, VALUE);
});

for (const asksForRoom of [true, false]) {
  const where = asksForRoom ? "here" : "by another server";
  Deno.test(`reads that are put off are done in order, when answers are read ${where}`, async () => {
    await using stage = serve(HOST);
    const { state } = stage;
    state.asksForRoom = asksForRoom;
    using client = await stage.client();
    await client.ask({ action: "SET", key: "large", value: VALUE });
    await client.ask({ action: "INCR", key: "n" });
    state.hold();
    await client.send((GET + GET.replace("large", "n")).repeat(READS));
    await until(() => state.waiting === 2 * READS);
    state.release();
    using other = await stage.client();
    const counts: number[] = [];
    for (let i = 0; i < READS; i++) {
      await other.ask({ action: "INCR", key: "n" });
      const [large, n] = await client.replies(2);
      assert.equal(large?.result, VALUE);
      counts.push(n?.result as number);
    }
    assert.deepEqual(counts, counts.toSorted((a, b) => a - b));
    assert.ok((counts.at(-1) as number) > (counts[0] as number), "some were put off");
    await client.send(GET.replace("large", "none") + GET);
    assert.equal(brief((await client.replies(2))[0] ?? {}), "404 KEY_NOT_FOUND");
  });
}

Deno.test("a read that comes later is not done before one that is put off", async () => {
  await using stage = serve(HOST);
  const { state } = stage;
  using client = await stage.client();
  await client.ask({ action: "SET", key: "large", value: VALUE });
  await client.ask({ action: "INCR", key: "n" });
  const count = GET.replace("large", "n");
  state.hold();
  await client.send(GET.repeat(READS) + count);
  await until(() => state.waiting === READS + 1);
  state.release();
  await client.replies(READS / 5);
  state.hold();
  await client.send(count);
  await until(() => state.waiting > 0);
  state.release();
  using other = await stage.client();
  await other.ask({ action: "INCR", key: "n" });
  await client.replies(READS - READS / 5);
  assert.deepEqual((await client.replies(2)).map(brief), ["2 rev 3", "2 rev 3"]);
});

const LOOK = `${JSON.stringify({ action: "TXN", then: [{ action: "GET", key: "large" }] })}\n`;

Deno.test("transactions that tell values are as few at a time as their results have room", async () => {
  await using stage = serve(HOST);
  const { state } = stage;
  using client = await stage.client();
  await client.ask({ action: "SET", key: "large", value: VALUE });
  state.hold();
  await client.send(LOOK.repeat(READS));
  await until(() => state.waiting > 0);
  using other = await stage.client();
  const asked = other.ask({ action: "INCR", key: "n" });
  await until(() => state.waiting * VALUE.length > MAX_IN_FLIGHT_BYTES);
  const most = MAX_IN_FLIGHT_BYTES / MAX_VALUE_TEXT_BYTES;
  assert.equal(state.waiting, most + 1);
  state.release();
  await asked;
  for (const { result } of await client.replies(READS)) {
    assert.deepEqual(result, { succeeded: true, results: [VALUE] });
  }
});

Deno.test("each client has one transaction that tells values at a time while too much waits for all", async () => {
  await using stage = serve(HOST, { maxWaitingBytes: MAX_VALUE_TEXT_BYTES });
  const { state } = stage;
  using first = await stage.client();
  using second = await stage.client();
  await first.ask({ action: "SET", key: "large", value: VALUE });
  state.hold();
  await first.send(LOOK.repeat(5));
  await until(() => state.waiting === 2);
  await second.send(LOOK.repeat(5));
  await until(() => state.waiting === 3);
  // What tells no values goes on.
  using other = await stage.client();
  const asked = other.ask({ action: "INCR", key: "n" });
  await until(() => state.waiting >= 4);
  assert.equal(state.waiting, 4);
  state.release();
  await asked;
  for (const client of [first, second]) {
    assert.ok((await client.replies(5)).every(({ status }) => status === "ok"));
  }
});

Deno.test("requests about many keys count for each of them", async () => {
  await using stage = serve(HOST);
  const { state } = stage;
  using client = await stage.client();
  const keys = Array.from({ length: MAX_IN_FLIGHT / 5 }, (_, i) => `k${i}`);
  const requests = [
    { action: "MGET", keys },
    { action: "MSET", items: keys.map((key) => ({ key, value: 1 })) },
    { action: "TXN", if: keys.slice(0, 100).map((key) => ({ key, exists: true })) },
  ];
  for (const request of requests) {
    const each = request.if?.length ?? keys.length;
    state.hold();
    await client.send(`${JSON.stringify(request)}\n`.repeat(30));
    await until(() => state.waiting * each >= MAX_IN_FLIGHT);
    using other = await stage.client();
    const asked = other.ask({ action: "INCR", key: "n" });
    await until(() => state.waiting * each > MAX_IN_FLIGHT);
    assert.equal(state.waiting, MAX_IN_FLIGHT / each + 1, request.action);
    state.release();
    await asked;
    assert.ok((await client.replies(30)).every(({ status }) => status === "ok"));
  }
});
