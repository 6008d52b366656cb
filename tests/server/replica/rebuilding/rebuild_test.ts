/**
 * Data directories that are damaged, made anew, and started again beside servers that go on.
 *
 * @module
 */

import assert from "node:assert/strict";
import { AgentStartError } from "../../../../server/agent/agent.ts";
import { openDirectory } from "../../../../server/replica/directory/directory.ts";
import { DirectoryInUseError } from "../../../../server/replica/directory/errors.ts";
import { newId } from "../../../../server/replica/directory/node_file.ts";
import { decodeTag } from "../../../../server/replica/gossip_tag.ts";
import { inspect, NoDataError } from "../../../../server/replica/rebuilding/inspection.ts";
import {
  carryOut,
  planRebuild,
  RebuildRefusedError,
  type RebuildReport,
} from "../../../../server/replica/rebuilding/rebuild.ts";
import type { VerifyReport } from "../../../../server/replica/verification/verify.ts";
import { KvError, NoLeaderError } from "../../../../protocol/kv/errors.ts";
import { eventually } from "../../../support/agents.ts";
import {
  folder,
  leaderOf,
  type Servers,
  startServer,
  statusOf,
  threeServers,
} from "../../../support/replica/agents.ts";

const NOT_FORCED = { force: false, clusterId: undefined };
const FORCED = { force: true, clusterId: undefined };

async function rebuild(path: string, options = NOT_FORCED): Promise<RebuildReport> {
  return await carryOut(await planRebuild(path, options), new Date());
}

function namesIn(path: string): string[] {
  return Array.from(Deno.readDirSync(path), ({ name }) => name).sort();
}

async function flip(path: string, at: number): Promise<void> {
  const bytes = await Deno.readFile(path);
  bytes[at] = (bytes[at] as number) ^ 1;
  await Deno.writeFile(path, bytes);
}

/** Ways to damage a directory: what is left of a server that way, and what its start says. */
const DAMAGE: Record<string, { kind: string; said: RegExp; harm(path: string): Promise<void> }> = {
  "a log": {
    kind: "all",
    said: /Log file 'raft\/\d+\.log' is damaged at byte \d+/,
    harm: async (path) => {
      const log = namesIn(`${path}/raft`).find((name) => name.endsWith(".log"));
      await flip(`${path}/raft/${log}`, 100);
    },
  },
  "a log that is gone": {
    kind: "all",
    said: /State has entry \d+, the log ends with \d+/,
    harm: async (path) => {
      for (const name of namesIn(`${path}/raft`)) {
        if (name !== "vote") await Deno.remove(`${path}/raft/${name}`, { recursive: true });
      }
    },
  },
  "a vote": {
    kind: "all",
    said: /Vote file 'raft\/vote' is damaged: File has a wrong checksum/,
    harm: (path) => flip(`${path}/raft/vote`, 20),
  },
  "a snapshot": {
    kind: "all",
    said: /Snapshot 'raft\/snapshots\/.*' is damaged/,
    harm: async (path) => {
      const folder = `${path}/raft/snapshots`;
      await flip(`${folder}/${namesIn(folder).at(-1)}`, 30);
    },
  },
  "a state": {
    kind: "state",
    said: /State '.*\.db' is damaged/,
    harm: async (path) => {
      const name = namesIn(`${path}/state`).find((name) => name.endsWith(".db"));
      await flip(`${path}/state/${name}`, 3);
    },
  },
  "who it is": {
    kind: "all",
    said: /File '.*node\.json' is damaged/,
    harm: (path) => flip(`${path}/node.json`, 30),
  },
};

async function equalOnAll(servers: Servers, count: number): Promise<void> {
  await eventually("all servers are equal", async () => {
    const report = await servers.agents[0]?.state?.administer("verify", "", 5_000) as VerifyReport;
    return report.equal && report.servers.length === count;
  }, 20_000);
}

Deno.test("a server with any file damaged is rebuilt while the others are written to", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  await leaderOf(servers.agents);
  const path = `${data.path}/b`;
  let isOver = false;
  const [a, , c] = servers.agents;
  const writes = (async () => {
    let count = 0;
    while (!isOver) {
      try {
        await [a, c][count % 2]?.kv.set(`k${count % 20}`, count);
        count++;
      } catch (error) {
        // The leader may be the one that ends.
        if (!(error instanceof KvError)) throw error;
      }
    }
    return count;
  })();
  let replaced = "";
  for (const [what, { kind, said, harm }] of Object.entries(DAMAGE)) {
    await eventually("it has something of each kind", async () => {
      const { snapshot_index, applied_index } = await statusOf(servers.at("b"));
      if (snapshot_index === 0 && applied_index > 0) {
        await servers.at("b").state?.administer("snapshot");
      }
      return snapshot_index > 0;
    });
    const { id: old, cluster_id: cluster } = await statusOf(servers.at("b"));
    await servers.end("b");
    await harm(path);
    await assert.rejects(servers.start("b"), (error: Error) => {
      assert.ok(error instanceof AgentStartError);
      assert.match(error.message, said, what);
      assert.ok(
        error.message.endsWith(`: 'skein raft rebuild -data-dir ${path}' has it made anew`),
        error.message,
      );
      return !error.message.includes("\n");
    });
    const report = await rebuild(path);
    assert.equal(report.kind, kind, what);
    assert.deepEqual(namesIn(report.aside), [...report.moved].sort(), "nothing is deleted");
    await servers.start("b");
    const { id } = await statusOf(servers.at("b"));
    assert.equal(id === old, kind === "state", what);
    if (what === "who it is") {
      assert.deepEqual([report.old_node_id, report.cluster_id], [null, null]);
      await eventually("it is a member", async () => {
        return (await statusOf(a!)).peers.length === 4;
      });
      // The change that takes it in may still be under way.
      await eventually("what it was is taken out", async () => {
        await a?.state?.administer("remove", old);
        return true;
      });
    } else assert.deepEqual([report.old_node_id, report.cluster_id], [old, cluster]);
    await equalOnAll(servers, 3);
    replaced = id;
  }
  isOver = true;
  assert.ok(await writes > 20);
  await eventually("it votes again", async () => {
    const { peers } = await statusOf(a!);
    return peers.find(({ id }) => id === replaced)?.role === "voter";
  }, 30_000);
  await equalOnAll(servers, 3);
});

Deno.test("what a server had promised does not count any more once it is rebuilt", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  await leaderOf(servers.agents);
  await servers.end("b");
  await leaderOf(servers.agents);
  // a and c have it, and nobody else.
  await servers.at("a").kv.set("acknowledged", 1);
  await servers.endAll();
  await rebuild(`${data.path}/c`, FORCED);
  await servers.start("b");
  await servers.start("c");
  // b and c would be a majority of three, if c were the server that it was. That nothing happens can only be watched for a while.
  for (let i = 0; i < 4; i++) {
    for (const agent of servers.agents) {
      await assert.rejects(agent.kv.get("acknowledged", { timeoutMs: 400 }), NoLeaderError);
    }
  }
  await servers.start("a");
  for (const { kv } of servers.agents) {
    await eventually("it is there", async () => (await kv.get("acknowledged"))?.value === 1);
  }
  await equalOnAll(servers, 3);
});

Deno.test("a process that ended between the new id and the moving of files leaves a server that catches up", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  await leaderOf(servers.agents);
  await servers.at("a").kv.set("foo", 1);
  await servers.end("b");
  const nodeId = newId();
  {
    await using directory = await openDirectory(`${data.path}/b`);
    const { nodeId: old, clusterId } = directory;
    await directory.become({ nodeId, clusterId, rebuilt: { replaces: [old] } });
  }
  await servers.start("b");
  await servers.at("a").kv.set("foo", 2);
  await equalOnAll(servers, 3);
  assert.equal((await statusOf(servers.at("b"))).id, nodeId);
});

Deno.test("a server that was rebuilt founds no cluster, whatever it is started with", async () => {
  await using data = await folder();
  {
    await using servers = await threeServers(data.path);
    await leaderOf(servers.agents);
  }
  const { cluster_id: cluster } = await rebuild(`${data.path}/a`, FORCED);
  await using agent = await startServer("a", data.path, { bootstrapExpect: 1 });
  await assert.rejects(agent.kv.set("foo", 1, { timeoutMs: 1_500 }), NoLeaderError);
  const { last_index, cluster_id } = await statusOf(agent);
  assert.deepEqual([last_index, cluster_id], [0, cluster]);
  const tag = decodeTag(agent.members()[0]?.tags["skein"]);
  assert.deepEqual([tag?.cluster, tag?.expect], [cluster?.slice(0, 8), 0]);
});

Deno.test("of two who looked at a directory only one rebuilds it, so that no id is forgotten", async () => {
  await using data = await folder();
  const path = `${data.path}/a`;
  const old = await openDirectory(path);
  await old.close();
  const [first, second] = [await planRebuild(path, FORCED), await planRebuild(path, FORCED)];
  const { node_id: id } = await carryOut(first, new Date());
  await assert.rejects(carryOut(second, new Date()), RebuildRefusedError);
  await using after = await openDirectory(path);
  assert.equal(after.nodeId, id);
  assert.deepEqual(after.replaces, [old.nodeId]);
  assert.equal(namesIn(path).filter((name) => name.startsWith("damaged-")).length, 1);
});

Deno.test("what is whole, in use, alone or nothing is not rebuilt", async () => {
  await using data = await folder();
  const path = `${data.path}/a`;
  {
    await using agent = await startServer("a", data.path, { bootstrapExpect: 1 });
    await agent.kv.set("foo", 1);
    await assert.rejects(planRebuild(path, FORCED), DirectoryInUseError);
  }
  await assert.rejects(planRebuild(path, NOT_FORCED), (error: Error) => {
    assert.ok(error instanceof RebuildRefusedError);
    return /is whole: its server starts with it; -force/.test(error.message);
  });
  await assert.rejects(planRebuild(path, FORCED), /is the only voter: nobody else has what it had/);
  for (const nothing of [`${data.path}/nothing`, data.path]) {
    await assert.rejects(planRebuild(nothing, FORCED), NoDataError);
  }
  assert.deepEqual(namesIn(data.path), ["a"]);
  await DAMAGE["a state"]?.harm(path);
  const { node_id: id, old_node_id: old } = await rebuild(path);
  assert.equal(id, old);
  await using again = await startServer("a", data.path, { bootstrapExpect: 1 });
  assert.equal((await again.kv.get("foo"))?.value, 1, "the log has it");
});

Deno.test("a server that has lost its vote file, or all but its name, does not start, and is damaged", async () => {
  for (const lost of [["raft/vote"], ["raft", "state"]]) {
    await using data = await folder();
    const start = () => startServer("a", data.path, { bootstrapExpect: 1 });
    const agent = await start();
    await agent.kv.set("foo", 1);
    await agent.shutdown();
    for (const name of lost) await Deno.remove(`${data.path}/a/${name}`, { recursive: true });
    await assert.rejects(start(), /Vote file 'raft\/vote' is damaged: It is missing: 'skein raft /);
    const { damage } = await inspect(`${data.path}/a`);
    assert.deepEqual(damage, ["Vote file 'raft/vote' is damaged: It is missing"]);
    await assert.rejects(start(), /It is missing/, "Looking does not make one");
  }
});
