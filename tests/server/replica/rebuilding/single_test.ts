/**
 * A server that goes on alone as a new cluster, and the others of the old one.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Agent } from "../../../../server/agent/agent.ts";
import { openDirectory } from "../../../../server/replica/directory/directory.ts";
import { DirectoryInUseError } from "../../../../server/replica/directory/errors.ts";
import { newId } from "../../../../server/replica/directory/node_file.ts";
import { NoDataError } from "../../../../server/replica/rebuilding/inspection.ts";
import { carryOut, planRebuild } from "../../../../server/replica/rebuilding/rebuild.ts";
import { forceSingle, planSingle } from "../../../../server/replica/rebuilding/single.ts";
import type { VerifyReport } from "../../../../server/replica/verification/verify.ts";
import { NoLeaderError, OutcomeUnknownError } from "../../../../protocol/kv/errors.ts";
import { eventually } from "../../../support/agents.ts";
import {
  folder,
  leaderOf,
  startServer,
  statusOf,
  threeServers,
} from "../../../support/replica/agents.ts";

/** Writes as long as `work` takes, and until one has failed; resolves with the keys that the leader took on and could not commit. */
async function writesWithoutAnswer({ kv }: Agent, work: Promise<void>): Promise<string[]> {
  let [isOver, hasFailed] = [false, false];
  const ended = work.finally(() => isOver = true);
  const writes: Promise<string | undefined>[] = [];
  while ((!isOver || !hasFailed) && writes.length < 2_000) {
    const key = `u${writes.length}`;
    const write = kv.set(key, "unknown", { timeoutMs: 300 }).then(() => undefined, (error) => {
      hasFailed = true;
      if (error instanceof OutcomeUnknownError) return key;
      if (error instanceof NoLeaderError) return undefined;
      throw error;
    });
    writes.push(write);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await ended;
  return (await Promise.all(writes)).filter((key) => key !== undefined);
}

Deno.test("one server of three goes on alone with all it has, and the others cannot mix with it", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  await leaderOf(servers.agents);
  for (let i = 0; i < 30; i++) await servers.agents[i % 3]?.kv.set(`k${i}`, i);
  await servers.at("a").state?.administer("snapshot");
  await servers.at("b").kv.set("last", 1);
  const { cluster_id: old, id: oldId, role } = await statusOf(servers.at("a"));
  await eventually("all have it", async () => {
    const all = await Promise.all(servers.agents.map(statusOf));
    return new Set(all.map(({ applied_index }) => applied_index)).size === 1;
  });
  if (role !== "leader") await servers.at("a").state?.administer("transfer", "a");
  await eventually("a leads", async () => await leaderOf(servers.agents) === "a");
  await servers.end("b");
  const keys = await writesWithoutAnswer(servers.at("a"), servers.end("c"));
  assert.notEqual(keys.length, 0);
  await servers.endAll();

  const plan = await planSingle(`${data.path}/a`);
  assert.deepEqual([plan.clusterId, plan.members.length], [old, 3]);
  const single = await forceSingle(plan, new Date());
  assert.equal(single.index, plan.lastIndex + 1);
  assert.notEqual(single.cluster_id, old);
  assert.notEqual(single.node_id, oldId);

  await servers.start("a");
  const a = servers.at("a");
  for (let i = 0; i < 30; i++) assert.equal((await a.kv.get(`k${i}`))?.value, i);
  assert.equal((await a.kv.get("last"))?.value, 1);
  for (const key of keys) assert.equal((await a.kv.get(key))?.value, "unknown", key);
  await a.kv.set("last", "new cluster");
  const status = await statusOf(a);
  assert.deepEqual(status.peers.map(({ id, role }) => [id, role]), [[single.node_id, "voter"]]);
  assert.ok(status.term > single.term, `${status.term} after ${single.term}`);

  // The others come back after all: a majority of the old cluster, in the same gossip.
  await servers.start("b");
  await servers.start("c");
  const [b, c] = [servers.at("b"), servers.at("c")];
  await leaderOf([b, c]);
  await b.kv.set("last", "old cluster");
  assert.equal((await c.kv.get("last"))?.value, "old cluster");
  assert.equal((await a.kv.get("last"))?.value, "new cluster");
  await eventually("each sees servers of another cluster", async () => {
    const all = await Promise.all(servers.agents.map(statusOf));
    return all.every(({ other_clusters }) => other_clusters.length > 0);
  });
  for (const agent of [b, c]) {
    const { peers } = await statusOf(agent);
    assert.ok(peers.every(({ id }) => id !== single.node_id), "it is no member of theirs");
  }
  assert.equal((await statusOf(a)).peers.length, 1, "nor they of its");

  await servers.end("b", "c");
  for (const name of ["b", "c"]) {
    const options = { force: true, clusterId: single.cluster_id };
    await carryOut(await planRebuild(`${data.path}/${name}`, options), new Date());
    await servers.start(name);
  }
  await eventually("the others have joined it", async () => {
    const report = await a.state?.administer("verify", "", 5_000) as VerifyReport;
    return report.equal && report.servers.length === 3;
  }, 20_000);
  assert.equal((await servers.at("c").kv.get("last"))?.value, "new cluster");
});

Deno.test("what a process left that ended before the last entry is finished by another try", async () => {
  await using data = await folder();
  const path = `${data.path}/a`;
  {
    await using agent = await startServer("a", data.path, { bootstrapExpect: 1 });
    await agent.kv.set("foo", 1);
    await assert.rejects(planSingle(path), DirectoryInUseError);
  }
  {
    await using directory = await openDirectory(path);
    await directory.become({ nodeId: newId(), clusterId: newId() });
  }
  {
    await using agent = await startServer("a", data.path, { bootstrapExpect: 1 });
    await assert.rejects(agent.kv.set("foo", 2, { timeoutMs: 1_500 }), "it belongs to nothing");
  }
  await forceSingle(await planSingle(path), new Date());
  await using agent = await startServer("a", data.path, { bootstrapExpect: 1 });
  assert.equal((await agent.kv.get("foo"))?.value, 1);
});

Deno.test("no cluster is made of nothing", async () => {
  await using data = await folder();
  await assert.rejects(planSingle(data.path), NoDataError);
  await (await openDirectory(`${data.path}/a`)).close();
  await assert.rejects(planSingle(`${data.path}/a`), /has no entry of any cluster/);
});
