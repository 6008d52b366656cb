/**
 * A program that reads one topic and writes others, killed again and again while the servers are killed, too: what it has written
 * has each message that it has read exactly once.
 *
 * `SKEIN_SEED=n` repeats what chance decided.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { TopicClient } from "../../client/mod.ts";
import { eventually } from "../support/agents.ts";
import { loopback } from "../support/loopback.ts";
import { Cluster } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { below } from "../support/random_value.ts";
import { SeededRandom } from "../support/simulation/random.ts";

const PROGRAM = join(import.meta.dirname ?? ".", "../support/topics/pipeline/program.ts");
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const hosts = [loopback(), loopback(), loopback()];

/** How often the program is killed; each fourth time with the server that leads. */
const KILLS = 12;
const INPUTS = 600;
const PARTITIONS = 2;

/** The program, until it is killed. */
class Pipeline {
  readonly #child: Deno.ChildProcess;
  readonly #stderr: Promise<string>;
  #isOver = false;

  constructor(address: string) {
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", PROGRAM, address],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#stderr = new Response(this.#child.stderr).text();
    this.#child.status.then(() => this.#isOver = true);
  }

  /** Fails when it has ended by itself. */
  async check(): Promise<void> {
    if (this.#isOver) assert.fail(`The program has ended: ${await this.#stderr}`);
  }

  /** Kills it. */
  async kill(): Promise<void> {
    if (!this.#isOver) this.#child.kill("SIGKILL");
    await this.#child.status;
    await this.#stderr;
  }
}

/** The texts of all messages of a topic. */
async function textsOf(client: TopicClient, topic: string): Promise<string[]> {
  const { partitions } = await client.describeTopic(topic);
  let left = partitions.reduce((sum, { end }) => sum + end, 0);
  const texts: string[] = [];
  await using consumer = client.consumer(topic);
  for (; left > 0; left--) {
    const message = await consumer.fetchOne() ?? assert.fail("a message is missing");
    texts.push(message.value?.text() ?? "");
  }
  return texts;
}

Deno.test("a program that is killed while it reads, writes and commits has written each message once", async () => {
  const random = new SeededRandom(SEED);
  const folder = await Deno.makeTempDir({ prefix: "skein_pipeline_" });
  const pipelines: Pipeline[] = [];
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const address = hosts.map((host) => `${host}:9092`).join(",");
    await using client = await TopicClient.connect({ address });
    await client.createTopic("in", { partitions: PARTITIONS });
    await client.createTopic("out", { partitions: 3 });
    await client.createTopic("log");
    await using producer = client.producer({ idempotent: true, lingerMs: 1 });
    const expected: string[] = [];
    const send = async (count: number): Promise<void> => {
      const sent = Array.from({ length: count }, async (_, i) => {
        const value = `${expected.length + i}`;
        return { value, at: await producer.send("in", { value, partition: i % PARTITIONS }) };
      });
      for (const { value, at } of await Promise.all(sent)) {
        expected.push(`${at.partition} ${at.offset} ${value}`);
      }
    };
    const committed = async (): Promise<number> => {
      const offsets = await client.committedOffsets("pipeline");
      return offsets.reduce((sum, { offset }) => sum + offset, 0);
    };
    const untilCommitted = (count: number): Promise<unknown> =>
      eventually(`${count} are committed`, async () => {
        await Promise.all(pipelines.map((one) => one.check()));
        return await committed() >= count;
      }, 60_000);
    for (let kill = 0; kill < KILLS; kill++) {
      pipelines.push(new Pipeline(address));
      const sending = send(INPUTS / KILLS);
      await untilCommitted(kill * INPUTS / KILLS + below(random, INPUTS / KILLS));
      const leader = kill % 4 === 3 ? await cluster.leader() : undefined;
      const killed = leader && cluster.kill(leader);
      // Each third one goes on beside the next one.
      if (kill % 3 !== 1) await Promise.all(pipelines.splice(0).map((one) => one.kill()));
      await killed;
      if (leader !== undefined) await cluster.start(leader);
      await sending;
    }
    pipelines.push(new Pipeline(address));
    await untilCommitted(INPUTS);
    await Promise.all(pipelines.splice(0).map((one) => one.kill()));
    for (const topic of ["out", "log"]) {
      assert.deepEqual((await textsOf(client, topic)).sort(), expected.toSorted(), `seed ${SEED}`);
    }
    assert.equal(cluster.kills, KILLS / 4);
  } finally {
    await Promise.all(pipelines.map((one) => one.kill()));
    await Deno.remove(folder, { recursive: true });
  }
});
