/**
 * Servers with `raft.auto_rebuild`, whose directories are damaged while they do not run.
 *
 * @module
 */

import assert from "node:assert/strict";
import { AgentStartError } from "../../../../server/agent/agent.ts";
import { DEFAULT_AGENT_CONFIG } from "../../../../server/config/settings.ts";
import {
  type RebuildPlan,
  RebuildRefusedError,
} from "../../../../server/replica/rebuilding/rebuild.ts";
import { majorityOf, planRepair } from "../../../../server/replica/rebuilding/repair.ts";
import type { GossipServer } from "../../../../server/replica/servers.ts";
import type { VerifyReport } from "../../../../server/replica/verification/verify.ts";
import { eventually } from "../../../support/agents.ts";
import { CLUSTER, server } from "../../../support/replica/planted.ts";
import {
  folder,
  leaderOf,
  type Servers,
  startServer,
  statusOf,
  threeServers,
} from "../../../support/replica/agents.ts";
import { writtenLength } from "../../../support/replica/written.ts";

const { raft: DEFAULTS } = DEFAULT_AGENT_CONFIG;
const SETTINGS = {
  raft: { ...DEFAULTS, electionTimeoutMs: 500, heartbeatMs: 50, autoRebuild: true },
};

function namesIn(path: string): string[] {
  return Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  await Deno.writeFile(path, bytes);
}

function asideIn(path: string): string[] {
  return namesIn(path).filter((name) => name.startsWith("damaged-"));
}

/** Behind the entry that says who founded the cluster, so that the members are known. */
async function damageLog(path: string): Promise<void> {
  const log = `${path}/raft/0000000000000001.log`;
  await flip(log, writtenLength(await Deno.readFile(log)) >> 1);
}

async function equalOnAll(servers: Servers): Promise<void> {
  await eventually("all servers are equal", async () => {
    const report = await servers.at("a").state?.administer("verify", "", 5_000) as VerifyReport;
    return report.equal && report.servers.length === 3;
  }, 20_000);
}

/** Three servers with something in their logs. */
async function written(path: string): Promise<Servers> {
  const servers = await threeServers(path, SETTINGS);
  await leaderOf(servers.agents);
  for (let i = 0; i < 20; i++) await servers.at("a").kv.set("foo", `${i}`.repeat(50));
  await equalOnAll(servers);
  return servers;
}

Deno.test("a damaged server rebuilds itself once a majority of the others runs, and once only", async () => {
  await using data = await folder();
  await using servers = await written(data.path);
  const path = `${data.path}/b`;
  const { id: old } = await statusOf(servers.at("b"));
  await servers.end("b", "c");
  await damageLog(path);
  const b = await servers.start("b");
  // One of three is no majority: whatever it has is kept until there is one.
  await eventually("it says whom it waits for", () => {
    return b.log.lines().some((line) => line.includes("sees 1 of 3 voters run, 2 have to"));
  });
  assert.equal(b.state, undefined);
  assert.deepEqual(asideIn(path), []);
  await servers.start("c");
  await eventually("it is rebuilt", () => b.state !== undefined, 20_000);
  await servers.at("a").kv.set("foo", "after");
  await equalOnAll(servers);
  const { id, peers } = await statusOf(b);
  assert.notEqual(id, old);
  assert.ok(!peers.some((peer) => peer.id === old));
  assert.equal((await b.kv.get("foo"))?.value, "after");
  assert.equal(asideIn(path).length, 1);

  await servers.end("b");
  await damageLog(path);
  await assert.rejects(planRepair(path), (error: Error) => {
    assert.ok(error instanceof RebuildRefusedError);
    return /damaged-\d+T\d+Z' is kept aside since an earlier time: /.test(error.message);
  });
  await assert.rejects(servers.start("b"), (error: Error) => {
    assert.ok(error instanceof AgentStartError);
    return error.message.endsWith(`'skein raft rebuild -data-dir ${path}' has it made anew`);
  });
  assert.equal(asideIn(path).length, 1);
});

Deno.test("only voters that run under the ids that are known, in the same cluster, are a majority", () => {
  const members = [..."abcde"].map((id) => ({ id, role: "voter" as const }));
  const identity = { nodeId: "a", clusterId: CLUSTER.padEnd(32, "f") };
  const plan = (kind: "all" | "state"): RebuildPlan => ({
    path: "",
    kind,
    clusterId: undefined,
    found: { identity, members, damage: [], stateDamage: [], messageDamage: [] },
  });
  const isThere = (...servers: GossipServer[]) => majorityOf(plan("all"), servers).isThere;
  const [b, c, d] = [server("b"), server("c"), server("d")];
  assert.equal(isThere(b, c, d), true);
  assert.equal(isThere(b, c), false);
  assert.equal(isThere(b, c, server("a")), false, "itself is damaged");
  assert.equal(isThere(b, c, server("x")), false, "who was rebuilt may lack what it had");
  assert.equal(isThere(b, c, server("d", { status: "failed" })), false);
  assert.equal(isThere(b, c, server("d", { isLeaving: true })), false);
  assert.equal(isThere(b, c, server("d", { cluster: "99999999" })), false);
  assert.equal(isThere(b, c, server("d", { cluster: undefined })), false, "it has nothing yet");
  assert.equal(majorityOf(plan("state"), []).isThere, true, "its own log has all");
});

Deno.test("a lone server rebuilds its state by itself, and nothing else", async () => {
  await using data = await folder();
  const path = `${data.path}/a`;
  const start = () => startServer("a", data.path, { ...SETTINGS, bootstrapExpect: 1 });
  let id: string;
  {
    await using agent = await start();
    for (let i = 0; i < 20; i++) await agent.kv.set("foo", `${i}`.repeat(50));
    ({ id } = await statusOf(agent));
  }
  const name = namesIn(`${path}/state`).find((name) => name.endsWith(".db"));
  await flip(`${path}/state/${name}`, 3);
  {
    await using agent = await start();
    await eventually("it is rebuilt", () => agent.state !== undefined);
    assert.equal((await statusOf(agent)).id, id);
    assert.equal((await agent.kv.get("foo"))?.value, "19".repeat(50));
  }
  const [aside = ""] = asideIn(path);
  await Deno.remove(`${path}/${aside}`, { recursive: true });
  await damageLog(path);
  await assert.rejects(start(), /is damaged at byte \d+: .* has it made anew$/);
  assert.deepEqual(asideIn(path), []);
});
