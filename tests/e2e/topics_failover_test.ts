/**
 * Programs that produce and consume while the servers of their topics are killed.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TopicClient, type TopicPosition } from "../../client/mod.ts";
import { loopback } from "../support/loopback.ts";
import { Cluster } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";

const hosts = [loopback(), loopback(), loopback()];
const PARTITIONS = 3;
const KILLS = 3;

/** Messages that are sent before and after each kill. */
const BETWEEN_KILLS = 400;

/** How long a message may take while a leader dies and another one is elected, in milliseconds. */
const OUTAGE_LIMIT_MS = 5_000;

Deno.test("leaders are killed, then all servers, and each message is there once, in order, where it was said to be; no consumer sees another one", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_topics_" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const address = hosts.map((host) => `${host}:9092`).join(",");
    await using client = await TopicClient.connect({ address });
    await client.createTopic("t", { partitions: PARTITIONS });
    await using producer = client.producer({ idempotent: true, lingerMs: 1, maxMessages: 20 });
    const sent: { readonly at: TopicPosition; readonly value: number; readonly ms: number }[] = [];
    const failed: unknown[] = [];
    let value = 0;
    const sendSome = async (): Promise<void> => {
      const sends = Array.from({ length: 40 }, async () => {
        const own = value++;
        const started = performance.now();
        const at = await producer.send("t", { value: `${own}`, partition: own % PARTITIONS });
        sent.push({ at, value: own, ms: performance.now() - started });
      });
      await Promise.all(sends).catch((error) => failed.push(error));
    };
    const seen = new Map<string, number>();
    const reading = (async () => {
      await using reader = await TopicClient.connect({ address });
      await using consumer = reader.consumer("t");
      const total = (KILLS + 1) * BETWEEN_KILLS;
      for await (const { partition, offset, value } of consumer) {
        const where = `${partition} ${offset}`;
        assert.ok(!seen.has(where), `${where} came twice`);
        seen.set(where, Number(value?.text()));
        if (seen.size === total) return;
      }
    })();
    const sendUntil = async (end: number): Promise<void> => {
      while (value < end) await sendSome();
    };
    for (let kill = 0; kill < KILLS; kill++) {
      await sendUntil((kill + 0.5) * BETWEEN_KILLS);
      const leader = await cluster.leader() ?? assert.fail("nobody leads");
      const sending = sendSome();
      await cluster.kill(leader);
      await sending;
      await cluster.start(leader);
      await sendUntil((kill + 1) * BETWEEN_KILLS);
    }
    const slowest = Math.max(...sent.map(({ ms }) => ms));
    const sending = sendSome();
    await Promise.all(cluster.servers.map((server) => cluster.kill(server)));
    await Promise.all(cluster.servers.map((server) => cluster.start(server)));
    await sending;
    await sendUntil((KILLS + 1) * BETWEEN_KILLS);
    await reading;
    assert.deepEqual(failed, []);
    assert.equal(cluster.kills, KILLS + hosts.length);
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const own = sent.filter(({ at }) => at.partition === partition)
        .sort((a, b) => a.at.offset - b.at.offset);
      assert.deepEqual(own.map(({ at }) => at.offset), own.map((_, i) => i));
      assert.deepEqual(
        own.map(({ value }) => value),
        own.map((_, i) => i * PARTITIONS + partition),
      );
      for (const { at, value } of own) assert.equal(seen.get(`${partition} ${at.offset}`), value);
    }
    console.log(`slowest message: ${Math.round(slowest)} ms`);
    assert.ok(slowest < OUTAGE_LIMIT_MS, `A message took ${slowest} ms`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
