/**
 * A trial of topics: producers and consumers are busy while something happens to the servers, and at the end all that was said and
 * seen is judged.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { TopicClient } from "../../../../client/topics/client.ts";
import { eventually, runSkeinCli } from "../../agents.ts";
import { SeededRandom } from "../../simulation/random.ts";
import { RawTopics } from "../../topics/raw_client.ts";
import { read } from "../../topics/segments_on_disk.ts";
import { History } from "../history.ts";
import { type Trial, whileDisturbed } from "../trial.ts";
import { fetch, follow, look, type World, write } from "./clients.ts";
import { TopicLedger } from "./ledger.ts";
import { consume, produce } from "./programs.ts";
import { type Log, nameOf, PARTITIONS, Topics } from "./workload.ts";

const TOPICS_PORT = 9092;
const RPC_PORT = 7373;

/** How many clients of each kind there are. */
const WRITERS = 3;
const FOLLOWERS = 2;

/** What was said of messages, and how many were read meanwhile. */
export interface TopicCounts {
  readonly acknowledged: number;
  readonly refused: number;
  readonly unknown: number;
  readonly read: number;
  readonly topics: number;
  readonly judged: number;
}

/**
 * Runs a trial. Throws when what was acknowledged is not there once, in order, where it was said to be, when anything else is
 * there, when anybody read what is another message later, when the history is not linearizable, or when servers do not have the
 * same in the end, on disks without damage.
 */
export async function runTopicTrial(trial: Trial): Promise<TopicCounts> {
  const { judge, seed, folder, recoveryLimitMs } = trial;
  const places = trial.places.map(({ hostname }) => `${hostname}:${TOPICS_PORT}`);
  const path = join(folder, "history.jsonl");
  using history = new History(path);
  const ledger = new TopicLedger();
  await using client = await TopicClient.connect({ address: places.join(",") });
  const topics = await Topics.create(client, new SeededRandom(seed, 1));
  let stream = 2;
  const random = (): SeededRandom => new SeededRandom(seed, stream++);
  await whileDisturbed(trial.disturb, (signal) => {
    const world: World = { places, topics, ledger, history, signal };
    let process = 0;
    const many = (count: number, run: (process: number) => Promise<void>) =>
      Array.from({ length: count }, () => run(process++));
    return [
      ...many(WRITERS, (process) => write(world, process, random())),
      ...many(2, (process) => produce(world, process, true)),
      ...many(1, (process) => produce(world, process, false)),
      ...many(FOLLOWERS, (process) => follow(world, process, random())),
      ...places.map((_, server) => look(world, server, random())),
      consume(world),
    ];
  });
  const logs = topics.all.flatMap((topic) =>
    Array.from({ length: PARTITIONS }, (_, partition): Log => ({ topic, partition }))
  );
  for (const log of logs) await readAtLeader(log, places, { ledger, history }, recoveryLimitMs);
  history.flush();
  const { word, text } = await judge.judge(path);
  assert.equal(word, "ok", text);
  for (const log of logs) await compare(log, places, ledger, recoveryLimitMs);
  ledger.end();
  for (const { hostname } of trial.places) await verify(hostname, recoveryLimitMs);
  const { acknowledged, refused, unknown, read } = ledger;
  assert.ok(acknowledged > 50 && read > 50, "Nothing was put to the test");
  const { done, unknown: lost } = history.counts;
  return { acknowledged, refused, unknown, read, topics: topics.all.length, judged: done + lost };
}

/** Reads a whole log from the server that leads, so that the judge knows all that is there. */
async function readAtLeader(
  log: Log,
  places: readonly string[],
  world: Pick<World, "ledger" | "history">,
  limitMs: number,
): Promise<void> {
  let server = 0;
  await eventually(`${nameOf(log)} can be read`, async () => {
    using client = await RawTopics.open(places[server++ % places.length] as string);
    for (let offset = 0;;) {
      const next = await fetch(world, { client, process: -1, log, offset });
      if (next === undefined) return false;
      if (next === offset) return true;
      offset = next;
    }
  }, limitMs);
}

/** Waits until each server has the same messages by itself, and looks whether they are what the clients were told. */
async function compare(
  log: Log,
  places: readonly string[],
  ledger: TopicLedger,
  limitMs: number,
): Promise<void> {
  let all: Map<number, string>[] = [];
  await eventually(`all servers have the same of ${nameOf(log)}`, async () => {
    all = await Promise.all(places.map(async (place) => {
      using client = await RawTopics.open(place);
      const { values, refused } = await read(client, log.topic, log.partition);
      assert.equal(refused, undefined, `${place} refuses ${nameOf(log)}`);
      return values;
    }));
    return all.every(({ size }) => size === all[0]?.size);
  }, limitMs);
  for (const values of all) assert.deepEqual(values, all[0]);
  ledger.judge(nameOf(log), all[0] ?? new Map());
}

/** Waits until a server finds no damage on its disk. */
async function verify(hostname: string, limitMs: number): Promise<void> {
  await eventually(`${hostname} finds no damage`, async () => {
    const { code, stdout, stderr } = await runSkeinCli(
      ["raft", "verify"],
      `${hostname}:${RPC_PORT}`,
    );
    assert.equal(code, 0, stdout + stderr);
    return true;
  }, limitMs);
}
