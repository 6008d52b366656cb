/**
 * What servers keep of topics: a new one gets it while writes go on, and what is damaged is not served and comes back from the others.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { TopicSettings } from "../../../protocol/topics/mod.ts";
import type { Agent } from "../../../server/agent/agent.ts";
import { planRebuild } from "../../../server/replica/rebuilding/rebuild.ts";
import type { VerifyReport } from "../../../server/replica/verification/verify.ts";
import { eventually } from "../../support/agents.ts";
import { folder, leaderOf, Servers, statusOf, threeServers } from "../../support/replica/agents.ts";
import { fetching, isRefused, producing, RawTopics } from "../../support/topics/raw_client.ts";
import { read, segmentFiles } from "../../support/topics/segments_on_disk.ts";

const KiB = 1024;
const MiB = 1024 * KiB;
const PARTITIONS = 3;

/** What comes is asked of all others again within this time, in milliseconds. */
const LIMIT_MS = 30_000;

/** A snapshot after few entries, so that a new server needs one. */
const RAFT = {
  electionTimeoutMs: 500,
  heartbeatMs: 50,
  snapshotEntries: 40,
  trailing: 10,
} as const;

const UNCHANGED = {
  retentionMs: -2,
  retentionBytes: -2,
  segmentBytes: -2,
  segmentMs: -2,
  dedupeMs: -2,
};

/** Produces batches of three messages, and remembers what was acknowledged. */
class Writer {
  /** Values of each partition, by offset. */
  readonly values = Array.from({ length: PARTITIONS }, () => new Map<number, string>());
  #count = 0;

  async write(client: RawTopics, bytes: number): Promise<void> {
    const partition = this.#count++ % PARTITIONS;
    const batch = [0, 1, 2].map((i) => `${this.#count}/${i} `.padEnd(bytes, "."));
    const answer = await client.done("produce", producing("t", batch, { partition }));
    for (const [i, value] of batch.entries()) {
      this.values[partition]?.set(answer.baseOffset + i, value);
    }
  }
}

async function clientOfLeader(servers: Servers): Promise<RawTopics> {
  const client = await RawTopics.open(servers.at(await leaderOf(servers.agents)));
  await eventually("it can be asked", async () => !isRefused(await client.ask("listTopics", {})));
  return client;
}

/** Waits until a server has all that was acknowledged. It never has anything else. */
async function hasAll(agent: Agent, writer: Writer): Promise<void> {
  using client = await RawTopics.open(agent);
  await eventually("it has all messages", async () => {
    let isAll = true;
    for (const [partition, wanted] of writer.values.entries()) {
      const { values, refused } = await read(client, "t", partition);
      for (const [offset, value] of values) {
        if (wanted.get(offset) !== value) {
          assert.fail(`Offset ${offset} is '${value.slice(0, 20)}'`);
        }
      }
      if (refused !== undefined || values.size !== wanted.size) isAll = false;
    }
    return isAll;
  }, LIMIT_MS);
}

/** Turns a bit over in the middle of a file. */
function flip(path: string): void {
  using file = Deno.openSync(path, { read: true, write: true });
  const at = Math.floor(file.statSync().size / 2);
  const byte = new Uint8Array(1);
  file.seekSync(at, Deno.SeekMode.Start);
  file.readSync(byte);
  byte[0]! ^= 1;
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(byte);
}

function verify(agent: Agent): Promise<VerifyReport> {
  return agent.state?.administer("verify") as Promise<VerifyReport>;
}

Deno.test("a new server has all messages in the end, which came while more were written", async () => {
  await using dir = await folder();
  await using servers = new Servers(dir.path, { bootstrapExpect: 1, raft: RAFT });
  await servers.start("a");
  using client = await clientOfLeader(servers);
  await client.done("createTopic", { topic: "t", partitions: PARTITIONS, replicationFactor: 1 });
  const writer = new Writer();
  for (let i = 0; i < 90; i++) await writer.write(client, 100 * KiB);
  await eventually("there is a snapshot", async () => {
    const [peer] = (await statusOf(servers.at("a"))).peers;
    return peer !== undefined && (await statusOf(servers.at("a"))).snapshot_index > 40;
  });
  const starting = servers.start("b", { bootstrapExpect: 0 });
  let isOver = false;
  const writing = (async () => {
    while (!isOver) await writer.write(client, 1 * KiB);
  })();
  const b = await starting;
  const { applied_index: before } = await statusOf(servers.at("a"));
  await eventually("it has come to where the others were", async () => {
    return (await statusOf(b)).applied_index >= before;
  }, LIMIT_MS);
  isOver = true;
  await writing;
  await hasAll(b, writer);
  const taken = segmentFiles(`${dir.path}/b`).reduce((sum, { bytes }) => sum + bytes, 0);
  assert.ok(taken > 25 * MiB, `${taken} bytes`);
  const report = await verify(b);
  assert.ok(report.equal, JSON.stringify(report));
});

Deno.test("a segment that is damaged on one of three is never served, and comes back from the others", async () => {
  await using dir = await folder();
  await using servers = await threeServers(dir.path, { raft: RAFT });
  using client = await clientOfLeader(servers);
  await client.done("createTopic", { topic: "t", partitions: PARTITIONS, replicationFactor: 3 });
  const writer = new Writer();
  for (let i = 0; i < 60; i++) await writer.write(client, 10 * KiB);
  const leader = await leaderOf(servers.agents);
  const victim = ["a", "b", "c"].find((name) => name !== leader) as string;
  const dataDir = `${dir.path}/${victim}`;
  // While it does not run.
  await servers.end(victim);
  for (const { path } of segmentFiles(dataDir)) flip(path);
  await hasAll(await servers.start(victim), writer);
  // While it runs: who compares finds it, also where nobody reads.
  const [{ path } = { path: "" }] = segmentFiles(dataDir);
  flip(path);
  const report = await verify(servers.at(victim));
  const found = report.servers.find(({ name }) => name === victim);
  assert.equal(found?.result, "damaged", JSON.stringify(report));
  assert.match(
    found.problems.join(),
    /^Segment 'topics\/\d+\/\d-0+\.log' is damaged: /,
  );
  await eventually(
    "it is whole again",
    async () => (await verify(servers.at(victim))).equal,
    LIMIT_MS,
  );
  await writer.write(client, 10 * KiB);
  await hasAll(servers.at(victim), writer);
  // A file that is gone, and one that is cut.
  await servers.end(victim);
  const [first, second] = segmentFiles(dataDir);
  Deno.removeSync(first?.path ?? "");
  Deno.truncateSync(second?.path ?? "", 1_000);
  await writer.write(client, 10 * KiB);
  await hasAll(await servers.start(victim), writer);
  const again = await verify(servers.at(victim));
  assert.ok(again.equal, JSON.stringify(again));
});

Deno.test("a lone server refuses what is damaged, serves the rest, and goes on", async () => {
  await using dir = await folder();
  await using servers = new Servers(dir.path, { bootstrapExpect: 1, raft: RAFT });
  await servers.start("a");
  const writer = new Writer();
  {
    using client = await clientOfLeader(servers);
    await client.done("createTopic", { topic: "t", partitions: PARTITIONS, replicationFactor: 1 });
    for (let i = 0; i < 12; i++) await writer.write(client, 10 * KiB);
  }
  await servers.end("a");
  flip(`${dir.path}/a/topics/1/0-0000000000000000.log`);
  // That is nothing to rebuild a server for.
  await assert.rejects(planRebuild(`${dir.path}/a`, { force: false, clusterId: undefined }), {
    name: "RebuildRefusedError",
    message: /^Segment 'topics\/1\/0-0+\.log' is damaged: [^:]* \(1 in all\): the server of/,
  });
  const a = await servers.start("a");
  using client = await clientOfLeader(servers);
  const { values, refused } = await read(client, "t", 0);
  assert.equal(refused, 7);
  assert.ok(values.size > 0 && values.size < (writer.values[0]?.size ?? 0), `${values.size}`);
  for (const [offset, value] of values) assert.equal(value, writer.values[0]?.get(offset));
  assert.deepEqual((await read(client, "t", 1)).values, writer.values[1]);
  for (let i = 0; i < PARTITIONS; i++) await writer.write(client, 10);
  assert.deepEqual((await read(client, "t", 2)).values, writer.values[2]);
  const { servers: [one] } = await verify(a);
  assert.equal(one?.result, "damaged");
});

Deno.test("messages that are too many, or whose time is over, are gone on all servers, and so are their files", async () => {
  await using dir = await folder();
  await using servers = await threeServers(dir.path, { raft: RAFT });
  using client = await clientOfLeader(servers);
  await client.done("createTopic", { topic: "t", partitions: PARTITIONS, replicationFactor: 3 });
  const alter = (change: Partial<TopicSettings>) =>
    client.done("alterTopic", { topic: "t", settings: { ...UNCHANGED, ...change } });
  await alter({ segmentBytes: 16 * KiB, retentionBytes: 40 * KiB });
  const writer = new Writer();
  for (let i = 0; i < 90; i++) await writer.write(client, 1 * KiB);
  const count = writer.values[0]?.size ?? 0;
  for (const agent of servers.agents) {
    using one = await RawTopics.open(agent);
    await eventually("so much is left", async () => {
      const { values } = await read(one, "t", 0);
      const [first = 0] = values.keys();
      for (const [offset, value] of values) assert.equal(value, writer.values[0]?.get(offset));
      // Looked at when a segment is full: there may be one more.
      return first + values.size === count && values.size >= 36 && values.size <= 60;
    });
  }
  await alter({ retentionMs: 1_000, retentionBytes: -1 });
  await eventually("the first offset is the next one", async () => {
    const { start, end } = await client.done("getOffset", { topic: "t", partition: 0 });
    return start === end && start === count;
  });
  assert.equal(await client.refused("fetch", fetching("t", 0)), 3);
  await eventually("no file is left", () => {
    return ["a", "b", "c"].every((name) => segmentFiles(`${dir.path}/${name}`).length === 0);
  }, LIMIT_MS);
  for (const agent of servers.agents) {
    using one = await RawTopics.open(agent);
    assert.deepEqual((await read(one, "t", 0)).values, new Map());
  }
  assert.equal((await client.done("produce", producing("t", ["next"]))).baseOffset, count);
  const report = await verify(servers.at("a"));
  assert.ok(report.equal, JSON.stringify(report));
});

Deno.test("a server whose topics have no message has no folder for them", async () => {
  await using dir = await folder();
  await using servers = new Servers(dir.path, { bootstrapExpect: 1, raft: RAFT });
  const a = await servers.start("a");
  using client = await clientOfLeader(servers);
  for (let i = 0; i < 50; i++) await a.kv.set("k", i);
  await client.done("createTopic", { topic: "t", partitions: 3, replicationFactor: 1 });
  await a.state?.administer("snapshot");
  await servers.end("a");
  const names = [...Deno.readDirSync(`${dir.path}/a`)].map(({ name }) => name).sort();
  assert.deepEqual(names, ["lock", "node.json", "raft", "state"]);
});
