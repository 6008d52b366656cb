/**
 * `skein topic consume -g` as several people run it at once: they share the partitions, and go on when one of them is killed or
 * stopped.
 *
 * @module
 */

import assert from "node:assert/strict";
import { TopicClient } from "../../client/mod.ts";
import { eventually, skein } from "../support/agents.ts";
import { Cluster } from "../support/linearizability/real/cluster.ts";
import { loopbackGround } from "../support/linearizability/real/ground.ts";
import { loopback } from "../support/loopback.ts";
import { linesOf } from "../support/topics/groups/processes.ts";

const hosts = [loopback(), loopback(), loopback()];
const address = hosts.map((host) => `${host}:9092`).join(",");
const PARTITIONS = 6;

/** Times of members, in milliseconds: heartbeats come in a third of a session. */
const SESSION_MS = 3_000;
const HEARTBEAT_MS = SESSION_MS / 3;

/** What else a change takes, on a machine that is busy. */
const SLACK_MS = 2_000;

/** How long something may take that nothing hinders. */
const LIMIT_MS = 20_000;

/** A process that reads for the group. */
class Reader implements AsyncDisposable {
  /** What it printed: partition and value of each message. */
  readonly lines: string[] = [];
  readonly child: Deno.ChildProcess;
  readonly #reading: Promise<void>;

  constructor(...flags: string[]) {
    const [program = "", ...rest] = skein.command;
    this.child = new Deno.Command(program, {
      args: [...rest, "topic", "consume", "-g=g", "-format=json", ...flags, "t"],
      env: { SKEIN_TOPICS_ADDR: address },
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#reading = linesOf(this.child.stdout, (line) => {
      const { partition, value } = JSON.parse(line);
      this.lines.push(`${partition} ${value}`);
    });
  }

  /** Its exit code, once it has ended. */
  async end(): Promise<number> {
    const { code } = await this.child.status;
    await this.#reading;
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch { /* It has ended. */ }
    await this.end();
  }
}

/** What `skein topic groups` tells of the group. */
async function group(): Promise<{
  members: { member: string; partitions: number }[];
  partitions: { partition: number; committed: number | null; lag: number; member: string }[];
}> {
  const [program = "", ...rest] = skein.command;
  const args = [...rest, "topic", "groups", "-format=json", `-topics-addr=${address}`, "g"];
  const { code, stdout } = await new Deno.Command(program, { args, stderr: "inherit" }).output();
  assert.equal(code, 0);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Resolves when so many members have equal shares of all partitions. */
async function shared(members: number, limitMs: number): Promise<void> {
  await eventually(`${members} share`, async () => {
    const now = await group();
    return now.members.length === members &&
      now.members.every(({ partitions }) => partitions === PARTITIONS / members);
  }, limitMs);
}

Deno.test("three processes share six partitions: when one is killed or stopped the others take over, and what was taken over is not committed by who had it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "skein_groups_" });
  try {
    await using cluster = await Cluster.start(loopbackGround(hosts, folder), folder);
    assert.equal(cluster.servers.length, 3);
    await using client = await TopicClient.connect({ address });
    await client.createTopic("t", { partitions: PARTITIONS });
    await using producer = client.producer({ idempotent: true });
    let sent = 0;
    const send = async (): Promise<void> => {
      const value = `${sent++}`;
      const partitions = Array.from({ length: PARTITIONS }, (_, partition) => partition);
      await Promise.all(partitions.map((partition) => producer.send("t", { value, partition })));
    };
    const flags = ["-follow", `-session-timeout=${SESSION_MS}ms`];
    await using first = new Reader(...flags);
    await using second = new Reader(...flags);
    await using third = new Reader(...flags);
    await shared(3, LIMIT_MS);
    await send();
    const all = () => [...first.lines, ...second.lines, ...third.lines].sort();
    await eventually("each message is printed", () => all().length === PARTITIONS, LIMIT_MS);
    assert.deepEqual(all(), ["0 0", "1 0", "2 0", "3 0", "4 0", "5 0"]);
    for (const { lines } of [first, second, third]) assert.equal(lines.length, 2);

    const killedAt = performance.now();
    third.child.kill("SIGKILL");
    await send();
    const printed = (value: number, ...readers: Reader[]): boolean => {
      const lines = new Set(readers.flatMap(({ lines }) => lines));
      return Array.from({ length: PARTITIONS }, (_, i) => `${i} ${value}`)
        .every((line) => lines.has(line));
    };
    await eventually("the others take over", () => printed(1, first, second), LIMIT_MS);
    const took = performance.now() - killedAt;
    console.log(`took over after ${Math.round(took)} ms of a session of ${SESSION_MS} ms`);
    assert.ok(took < SESSION_MS + HEARTBEAT_MS + SLACK_MS, `${took} ms`);
    await shared(2, LIMIT_MS);

    // It has printed all, and not committed the last.
    second.child.kill("SIGSTOP");
    await eventually("the last one has all", async () => {
      return (await group()).members.length === 1;
    }, LIMIT_MS);
    await send();
    await eventually("it prints all", () => printed(2, first), LIMIT_MS);
    await eventually("it has committed", async () => {
      return (await group()).partitions.every(({ committed }) => committed === 3);
    }, LIMIT_MS);
    const before = second.lines.length;
    second.child.kill("SIGCONT");
    await shared(2, LIMIT_MS);
    const { partitions } = await group();
    assert.deepEqual(partitions.map(({ committed }) => committed), Array(PARTITIONS).fill(3));
    await send();
    await eventually("both go on", () => printed(3, first, second), LIMIT_MS);
    // Of what it lost it read nothing again that the other one was done with.
    assert.deepEqual(second.lines.slice(before).map((line) => line.split(" ")[1]), ["3", "3", "3"]);

    for (const { child } of [first, second]) child.kill("SIGINT");
    assert.deepEqual(await Promise.all([first.end(), second.end()]), [0, 0]);
    const after = await group();
    assert.deepEqual(after.members, []);
    assert.deepEqual(after.partitions.map(({ lag }) => lag), Array(PARTITIONS).fill(0));

    // Without -follow they end when the group has read all.
    for (let i = 0; i < 20; i++) await send();
    await using fourth = new Reader();
    await using fifth = new Reader();
    assert.deepEqual(await Promise.all([fourth.end(), fifth.end()]), [0, 0]);
    const rest = new Set([...fourth.lines, ...fifth.lines]);
    assert.equal(rest.size, 20 * PARTITIONS);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
