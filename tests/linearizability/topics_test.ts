/**
 * Topics of real servers that are killed again and again, one, the leader, and all at once: what was acknowledged is there once, at
 * its offset, on all of them, batches are there as a whole or not at all, and nobody reads what is another message later.
 *
 * `SKEIN_TOPIC_KILLS=n` makes it as long as n kills take, `SKEIN_SEED=n` repeats what chance decided. A failure names the folder of
 * what the servers said.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { TopicClient } from "../../client/topics/client.ts";
import { eventually, runSkeinCli } from "../support/agents.ts";
import { Cluster } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { pause, shuffled } from "../support/linearizability/real/nemesis.ts";
import { snapshot } from "../support/linearizability/real/members.ts";
import { killAll, killAnyone, killLeader } from "../support/linearizability/real/processes.ts";
import { TopicLedger } from "../support/linearizability/topics/ledger.ts";
import { PARTITIONS, TailReader, TopicWriter } from "../support/linearizability/topics/clients.ts";
import { loopback } from "../support/loopback.ts";
import { SeededRandom } from "../support/simulation/random.ts";
import { RawTopics } from "../support/topics/raw_client.ts";
import { read } from "../support/topics/segments_on_disk.ts";

const hosts = [loopback(), loopback(), loopback()] as const;
const PORT = 9092;
const KILLS = Number(Deno.env.get("SKEIN_TOPIC_KILLS") ?? 4);
const WRITERS = 3;

/** In the end all servers have the same within this time, in milliseconds. */
const LIMIT_MS = 30_000;

Deno.test("what was acknowledged of topics is there once, in order, on all servers, whatever is killed", async () => {
  const seed = Number(Deno.env.get("SKEIN_SEED") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  const folder = await Deno.makeTempDir({ prefix: "skein_topics_" });
  const places = hosts.map((host) => `${host}:${PORT}`);
  let cluster: Cluster | undefined;
  try {
    cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const ledger = new TopicLedger();
    {
      await using client = await TopicClient.connect({ address: places.join(",") });
      await client.createTopic("t", { partitions: PARTITIONS });
      const over = new AbortController();
      const writers = Array.from({ length: WRITERS }, (_, i) => new TopicWriter(i, places, ledger));
      const tail = new TailReader(places, ledger);
      const work = [...writers, tail].map((one) => one.run(over.signal));
      const sure = sendSurely(client, ledger, over.signal);
      const random = new SeededRandom(seed);
      const scene = { cluster, random, signal: new AbortController().signal, tell: () => {} };
      try {
        while (cluster.kills < KILLS) {
          for (const nemesis of shuffled([killAll, killLeader, killAnyone, snapshot], random)) {
            await pause(300 + random.float() * 700, scene.signal);
            await nemesis(scene);
            await cluster.settle();
          }
        }
        await pause(500, scene.signal);
      } finally {
        over.abort();
        await Promise.all([...work, sure]);
      }
    }
    await assertEqual(places, ledger);
    const { stdout, code } = await runSkeinCli(["raft", "verify"], cluster.servers[0]?.rpc ?? "");
    assert.equal(code, 0, stdout);
    const { acknowledged, unknown, refused, read } = ledger;
    console.log(
      `  seed ${seed}: ${cluster.kills} kills, ${acknowledged} batches acknowledged, ${refused} refused, ${unknown} unknown, ${read} messages read meanwhile`,
    );
    assert.ok(acknowledged > 50 && read > 50, "nothing was put to the test");
  } catch (error) {
    for (const [server, text] of Object.entries(cluster?.logs ?? {})) {
      await Deno.writeTextFile(join(folder, `${server}.log`), text);
    }
    throw new Error(`Seed ${seed}: ${(error as Error).message}\nSee ${folder}`, { cause: error });
  } finally {
    await cluster?.[Symbol.asyncDispose]();
  }
  await Deno.remove(folder, { recursive: true });
});

/** Sends with the client of programs, which sends again what may have got lost: each message is there once all the same. */
async function sendSurely(client: TopicClient, ledger: TopicLedger, signal: AbortSignal) {
  await using producer = client.producer({ idempotent: true, timeoutMs: 20_000 });
  for (let number = 0; !signal.aborted; number++) {
    const value = `sure/${number}/0`;
    const partition = number % PARTITIONS;
    ledger.begin([value]);
    try {
      const { offset } = await producer.send("t", { value, partition });
      ledger.done(partition, Number(offset), [value]);
    } catch {
      ledger.lost();
    }
  }
}

/** Each server has the same messages, and they are what the clients were told. */
async function assertEqual(places: readonly string[], ledger: TopicLedger): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    let all: Map<number, string>[] = [];
    await eventually(`all servers have the same of partition ${partition}`, async () => {
      all = await Promise.all(places.map(async (place) => {
        using client = await RawTopics.open(place);
        const { values, refused } = await read(client, "t", partition);
        assert.equal(refused, undefined);
        return values;
      }));
      return all.every(({ size }) => size === all[0]?.size);
    }, LIMIT_MS);
    for (const values of all) assert.deepEqual(values, all[0]);
    ledger.judge(partition, all[0] ?? new Map());
  }
  ledger.end();
}
