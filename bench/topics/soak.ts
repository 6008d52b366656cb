/**
 * Whether three servers of topics stay as they are when they work for long: messages are produced at half of the rate that was
 * found to be possible, consumed as they come, and let go by retention, while memory and open files are looked at.
 *
 * `deno run -A bench/topics/soak.ts [--minutes 10] [--dir FOLDER]`
 *
 * Ends with 1 when a server has more memory, or open files, in the last third of the time than in the second, but for a few percent:
 * segments are opened and closed all the time.
 *
 * @module
 */

import {
  connectTopics,
  type TopicClient,
  type TopicProducer,
} from "../../tests/support/bench/topic_client.ts";
import { loopback } from "../../tests/support/loopback.ts";
import { readOptions } from "../command_line/options.ts";
import { residentMiB } from "../process.ts";
import { Ground } from "../state/ground.ts";
import { Load } from "../state/load.ts";
import { Servers } from "../state/peers.ts";
import { figure, table } from "../table.ts";
import { topicsPeer } from "./peers.ts";

const TOPIC = "soak";
const PARTITIONS = 3;

/** What is kept of each partition, so that segments come and go. */
const RETENTION = { retentionBytes: 32 * 2 ** 20, segmentBytes: 8 * 2 ** 20 };

const VALUE = "0123456789".repeat(10);

/** So long it is found out what is possible; messages leave every so often; servers are looked at every so often. In milliseconds. */
const PEAK_MS = 10_000;
const TURN_MS = 10;
const LOOK_MS = 5_000;

/** A server may have so much more, of memory and of open files, in the last third than in the second. */
const MOST_GROWTH = 0.05;

/** What a server had at a time. */
interface Look {
  readonly mib: number;
  readonly files: number;
}

const options = readOptions("deno run -A bench/topics/soak.ts [--minutes 10] [--dir FOLDER]", {
  minutes: { type: "string", default: "10" },
  dir: { type: "string" },
});
const minutes = Number(options.minutes);
if (!(minutes > 0)) {
  console.error(`--minutes must be a number over 0, not '${options.minutes}'`);
  Deno.exit(1);
}
await using ground = await Ground.make(options.dir);
const load = await Load.build(ground);
const hosts = [loopback(), loopback(), loopback()];
await using servers = await Servers.start(topicsPeer, hosts, { ground, load });
await using client = await connectTopics(servers.addresses);
await client.createTopic(TOPIC, { partitions: PARTITIONS, ...RETENTION });
let failures = 0;
const over = new AbortController();
const consumed = consume(client, over.signal);
const looks: Look[][] = [];
{
  await using producer = client.producer({ idempotent: true });
  const peak = await produce(producer, Infinity, PEAK_MS);
  const rate = Math.floor(peak / 2);
  console.log(`${figure(peak)} messages a second are possible, ${figure(rate)} are sent`);
  const timer = setInterval(() => looks.push(servers.pids.map(lookAt)), LOOK_MS);
  const sent = await produce(producer, rate, minutes * 60_000);
  clearInterval(timer);
  console.log(`${figure(sent)} a second were acknowledged, ${failures} failed`);
}
over.abort();
console.log(`${figure(await consumed)} were consumed\n`);
if (!report() || failures > 0) Deno.exitCode = 1;

/** Sends so many messages a second, as evenly as it goes. Resolves with how many were acknowledged in a second. */
async function produce(producer: TopicProducer, rate: number, ms: number): Promise<number> {
  const began = performance.now();
  let sent = 0;
  let done = 0;
  while (performance.now() - began < ms) {
    const due = Math.min(rate * (performance.now() - began) / 1_000, sent + 1_000);
    for (; sent < due; sent++) {
      producer.send(TOPIC, { value: VALUE, partition: sent % PARTITIONS })
        .then(() => done++, () => failures++);
    }
    await producer.ready();
    await new Promise((resolve) => setTimeout(resolve, rate === Infinity ? 0 : TURN_MS));
  }
  await producer.flush();
  return done * 1_000 / (performance.now() - began);
}

/** Reads all that comes, whatever retention leaves of it. */
async function consume(client: TopicClient, signal: AbortSignal): Promise<number> {
  await using consumer = client.consumer(TOPIC);
  let count = 0;
  while (!signal.aborted) {
    count += (await consumer.fetch({ timeoutMs: 1_000 }).catch(() => [])).length;
  }
  return count;
}

function lookAt(pid: number): Look {
  return { mib: residentMiB(pid), files: [...Deno.readDirSync(`/proc/${pid}/fd`)].length };
}

/** Prints what servers had, and tells whether they stayed as they were. */
function report(): boolean {
  const third = Math.floor(looks.length / 3);
  const rows = hosts.map((_, i) => {
    const of = (from: number, to: number) => looks.slice(from, to).map((look) => look[i] as Look);
    const middle = of(third, 2 * third);
    const last = of(2 * third, 3 * third);
    const [before, after] = [middle, last].map((some) => mean(some.map(({ mib }) => mib)));
    const files = [middle, last].map((some) => mean(some.map(({ files }) => files)));
    const most = 1 + MOST_GROWTH;
    return {
      cells: [`server ${i}`, figure(before!), figure(after!), figure(files[0]!), figure(files[1]!)],
      isFlat: after! <= before! * most && files[1]! <= files[0]! * most,
    };
  });
  const head = ["second third, last third", "MiB", "MiB", "open files", "open files"];
  console.log(table(head, rows.map(({ cells }) => cells)));
  return rows.every(({ isFlat }) => isFlat);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
