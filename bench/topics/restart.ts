/**
 * How long servers take to work again after a power cut, with many messages on their disks.
 *
 * `deno run -A bench/topics/restart.ts [--gib 10] [--servers 1] [--runs 3] [--dir FOLDER]`
 *
 * Fills a topic, kills all servers with SIGKILL, has the kernel forget what it has read of files where it may (as root), starts them,
 * and measures the time until a message is acknowledged and the first and the last one before are read. Ends with 1 when one start
 * takes more than 3 seconds.
 *
 * @module
 */

import { connectTopics, type TopicClient } from "../../tests/support/bench/topic_client.ts";
import { loopback } from "../../tests/support/loopback.ts";
import { readOptions } from "../command_line/options.ts";
import { residentMiB } from "../process.ts";
import { Ground } from "../state/ground.ts";
import { Load } from "../state/load.ts";
import { Servers } from "../state/peers.ts";
import { figure, table } from "../table.ts";
import { topicsPeer } from "./peers.ts";

const TOPIC = "large";

/** Goal for the start, in milliseconds. */
const MOST_MS = 3_000;

const VALUE_BYTES = 1024 * 1024 - 1024;

/** Messages under way at once. */
const UNDER_WAY = 16;

const USAGE =
  "deno run -A bench/topics/restart.ts [--gib 10] [--servers 1] [--runs 3] [--dir FOLDER]";
const options = readOptions(USAGE, {
  gib: { type: "string", default: "10" },
  servers: { type: "string", default: "1" },
  runs: { type: "string", default: "3" },
  dir: { type: "string" },
});
const gib = positive("gib", options.gib);
const runs = positive("runs", options.runs);
await using ground = await Ground.make(options.dir);
const load = await Load.build(ground);
const hosts = Array.from({ length: positive("servers", options.servers) }, () => loopback());
await using servers = await Servers.start(topicsPeer, hosts, { ground, load });
await fill();
const isForgotten = forgetFiles();
const rows: string[][] = [];
for (let run = 0; run < runs; run++) rows.push(await startAnew());
console.log(`files are read ${isForgotten ? "from the disk" : "from memory"}\n`);
console.log(table([`${gib} GiB`, "acknowledged, ms", "all read, ms", "memory, MiB"], rows));

async function fill(): Promise<void> {
  await using client = await connectTopics(servers.addresses);
  await client.createTopic(TOPIC, { partitions: 1 });
  await using producer = client.producer({ idempotent: true, maxMessages: 1 });
  const count = Math.ceil(gib * 1024);
  const began = performance.now();
  const underWay = new Set<Promise<unknown>>();
  for (let i = 0; i < count; i++) {
    const sent = producer.send(TOPIC, { value: valueOf(i) });
    underWay.add(sent);
    sent.finally(() => underWay.delete(sent));
    if (underWay.size >= UNDER_WAY) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  const seconds = (performance.now() - began) / 1_000;
  console.log(`${count} messages of 1 MiB in ${figure(seconds)} s`);
}

async function startAnew(): Promise<string[]> {
  for (const i of hosts.keys()) await servers.kill(i);
  forgetFiles();
  const began = performance.now();
  for (const i of hosts.keys()) await servers.start(i);
  await using client = await patientClient();
  await using producer = client.producer({ idempotent: true });
  await producer.send(TOPIC, { value: "anew" });
  const acknowledged = performance.now() - began;
  const end = await check(client);
  const read = performance.now() - began;
  if (acknowledged > MOST_MS) Deno.exitCode = 1;
  const mib = Math.max(...servers.pids.map(residentMiB));
  return [`${end} messages`, figure(acknowledged), figure(read), figure(mib)];
}

/** Reads the first message and the last that was there before. Returns how many there are. */
async function check(client: TopicClient): Promise<number> {
  const { partitions: [partition] } = await client.describeTopic(TOPIC);
  const count = Math.ceil(gib * 1024);
  for (const offset of [0, count - 1]) {
    await using consumer = client.consumer(TOPIC, { start: offset });
    const message = await consumer.fetchOne();
    const value = message?.value;
    if (!value || value.some((byte) => byte !== offset % 251)) {
      throw new Error(`Message ${offset} is not what was sent`);
    }
  }
  return partition?.end ?? 0;
}

async function patientClient(): Promise<TopicClient> {
  const until = performance.now() + 60_000;
  for (;;) {
    try {
      return await connectTopics(servers.addresses);
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function valueOf(i: number): Uint8Array {
  return new Uint8Array(VALUE_BYTES).fill(i % 251);
}

/** Has the kernel drop what it keeps of files; tells whether it may be asked to. */
function forgetFiles(): boolean {
  try {
    new Deno.Command("sync").outputSync();
    Deno.writeTextFileSync("/proc/sys/vm/drop_caches", "3");
    return true;
  } catch {
    return false;
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  console.error(`--${name} must be a number over 0, not '${text}'`);
  Deno.exit(1);
}
