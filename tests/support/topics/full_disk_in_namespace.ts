/**
 * What `full_disk_test.ts` of the topics port runs where `/mnt` is a disk of 24 MiB.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually } from "../agents.ts";
import { writeUntilFull } from "../linearizability/real/disks.ts";
import { leaderOf, Servers } from "../replica/agents.ts";
import { isRefused, producing, RawTopics } from "./raw_client.ts";
import { read } from "./segments_on_disk.ts";

/** What the port says when there is no room, and when nobody knows in time what becomes of a message. */
const STORAGE_FULL = 105;
const UNKNOWN = 6;

/** What is known of a message that was under way when there was no more room, in milliseconds. */
const LIMIT_MS = 500;

const FILLER = "/mnt/filler";

async function clientOf(servers: Servers): Promise<RawTopics> {
  const client = await RawTopics.open(servers.at(await leaderOf(servers.agents)));
  await eventually("it can be asked", async () => !isRefused(await client.ask("listTopics", {})));
  return client;
}

Deno.test("no room", async () => {
  await using servers = new Servers("/mnt", {
    bootstrapExpect: 1,
    raft: { electionTimeoutMs: 500, heartbeatMs: 50, snapshotEntries: 50, trailing: 10 },
  });
  await servers.start("a");
  const acknowledged = new Map<number, string>();
  const unknown = new Set<string>();
  let number = 0;
  const produce = async (client: RawTopics): Promise<number> => {
    const value = `${number++}`.padEnd(20_000, ".");
    const answer = await client.ask("produce", producing("t", [value], { timeoutMs: LIMIT_MS }));
    if (!isRefused(answer)) acknowledged.set(answer.baseOffset, value);
    else if (answer.code === UNKNOWN) unknown.add(value);
    return isRefused(answer) ? answer.code : 0;
  };
  const look = async (client: RawTopics): Promise<void> => {
    const { values, refused } = await read(client, "t", 0);
    assert.equal(refused, undefined);
    for (const [offset, value] of acknowledged) assert.equal(values.get(offset), value);
    for (const [offset, value] of values) {
      assert.ok(acknowledged.get(offset) === value || unknown.has(value), `Offset ${offset}`);
    }
  };
  {
    using client = await clientOf(servers);
    for (let times = 0; times < 3; times++) {
      for (let i = 0; i < 30; i++) assert.equal(await produce(client), 0);
      writeUntilFull(FILLER);
      await eventually("there is no room", async () => await produce(client) === STORAGE_FULL);
      await look(client);
      Deno.removeSync(FILLER);
      await eventually("there is room again", async () => await produce(client) === 0);
      await look(client);
    }
    // It ends without room, and what it has not written comes from the log.
    writeUntilFull(FILLER);
    await eventually("there is no room", async () => await produce(client) === STORAGE_FULL);
  }
  await servers.end("a");
  Deno.removeSync(FILLER);
  await servers.start("a");
  using client = await clientOf(servers);
  assert.equal(await produce(client), 0);
  await look(client);
  const report = await servers.at("a").state?.administer("verify") as { readonly equal: boolean };
  assert.ok(report.equal, JSON.stringify(report));
});
