/**
 * A group of real processes whose members come, go, are killed and stopped, while its servers are killed: in the end every message
 * was dealt with, and what the group has committed never went back.
 *
 * `SKEIN_GROUP_SECONDS=n` makes it that long, `SKEIN_SEED=n` repeats what chance decided.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TopicClient } from "../../client/mod.ts";
import { eventually } from "../support/agents.ts";
import { Cluster } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { dice, letLoose, pause, type Scene } from "../support/linearizability/real/nemesis.ts";
import { killAnyone, killLeader } from "../support/linearizability/real/processes.ts";
import { loopback } from "../support/loopback.ts";
import { SeededRandom } from "../support/simulation/random.ts";
import { Processes } from "../support/topics/groups/processes.ts";

const hosts = [loopback(), loopback(), loopback()];
const SECONDS = Number(Deno.env.get("SKEIN_GROUP_SECONDS") ?? 12);
const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const PARTITIONS = 6;
const SESSION_MS = 1_000;
const MOST_MEMBERS = 4;
/** Messages that are sent together ... */
const WAVE = 30;
/** ... while no more of them wait than one member deals with in some seconds. */
const MOST_WAITING = 2_000;

/** Members are started, killed, sent away, and most of all stopped. */
async function trouble(processes: Processes, { random, signal, tell }: Scene): Promise<void> {
  const stops: Promise<void>[] = [];
  while (!signal.aborted) {
    await pause(100 + dice(random, 600), signal);
    const awake = processes.running.filter(({ isStopped }) => !isStopped);
    const one = awake[dice(random, Math.max(1, awake.length))];
    const what = dice(random, 6);
    if (one === undefined || awake.length < 2 || what === 0) {
      if (processes.running.length >= MOST_MEMBERS) continue;
      tell("start a member");
      processes.start();
    } else if (what === 1) {
      tell("kill a member");
      await one.kill();
    } else if (what === 2) {
      tell("send a member away");
      await one.leave();
    } else {
      tell("stop a member");
      one.stop();
      // Some are removed meanwhile, and some are not.
      stops.push(pause(dice(random, 3 * SESSION_MS), signal).then(() => one.resume()));
    }
  }
  await Promise.all(stops);
}

Deno.test("whatever becomes of members and servers, all messages are dealt with, and no commit goes back", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_groups_" });
  const story: string[] = [];
  const begin = performance.now();
  const tell = (line: string): void => {
    story.push(`${((performance.now() - begin) / 1_000).toFixed(3)} s  ${line}`);
  };
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    const address = hosts.map((host) => `${host}:9092`).join(",");
    await using client = await TopicClient.connect({ address });
    await client.createTopic("t", { partitions: PARTITIONS });
    await using processes = new Processes(address, "t", "g", SESSION_MS);
    for (let i = 0; i < 3; i++) processes.start();
    const over = AbortSignal.timeout(SECONDS * 1_000);
    const scene: Scene = { cluster, random: new SeededRandom(SEED), signal: over, tell };
    let isOver = false;
    let wrong: unknown;
    const producing = (async () => {
      await using producer = client.producer({ idempotent: true, lingerMs: 5 });
      let count = 0;
      while (!over.aborted) {
        const done = [...processes.committed.values()].reduce((sum, one) => sum + one, 0);
        const wave = count - done > MOST_WAITING ? 0 : WAVE;
        const sent = Array.from({ length: wave }, () => {
          return producer.send("t", { value: `${count}`, partition: count++ % PARTITIONS });
        });
        await Promise.all([...sent, pause(50, over)]);
      }
    })();
    const watching = (async () => {
      while (!isOver) {
        await processes.look(client);
        await pause(20, new AbortController().signal);
      }
    })().catch((error) => void (wrong = error));
    await Promise.all([
      producing,
      // A leader that dies gives all members their full time anew: first some are removed.
      pause(SECONDS * 500, over).then(() => {
        return letLoose([killLeader, killAnyone], scene, Infinity);
      }),
      trouble(processes, { ...scene, random: new SeededRandom(SEED + 1) }),
    ]);
    tell("over");
    if (processes.running.length === 0) processes.start();
    const { partitions } = await client.describeTopic("t");
    const ends = partitions.map(({ end }) => end);
    await eventually("all is committed", () => {
      if (wrong !== undefined) throw wrong;
      return ends.every((end, partition) => processes.committed.get(partition) === end);
    }, 60_000);
    isOver = true;
    await watching;
    assert.equal(wrong, undefined);
    processes.checkAll(ends);
    const total = ends.reduce((sum, end) => sum + end, 0);
    const members = processes.members.length;
    const losses = processes.members.reduce((sum, one) => sum + one.losses, 0);
    const again = [...processes.dealt.values()].flatMap((one) => [...one.values()])
      .reduce((sum, count) => sum + count - 1, 0);
    console.log(
      `  groups: seed ${SEED}, ${total} messages, ${again} again, ${members} members, ${losses} losses, ` +
        `${cluster.kills} kills of servers`,
    );
    assert.ok(total > 100);
    await Promise.all(processes.running.map((member) => member.leave()));
    assert.deepEqual((await client.describeGroup("g")).members, []);
  } catch (error) {
    const text = `seed ${SEED}: ${(error as Error).message}\n${story.join("\n")}`;
    throw new Error(text, { cause: error });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
