/**
 * What a rebuild does not do: forget an id that may vote, or empty the only server that has something.
 *
 * @module
 */

import assert from "node:assert/strict";
import { openDirectory } from "../../../../server/replica/directory/directory.ts";
import { MAX_REPLACED } from "../../../../server/replica/directory/node_file.ts";
import {
  carryOut,
  planRebuild,
  RebuildRefusedError,
} from "../../../../server/replica/rebuilding/rebuild.ts";
import { eventually } from "../../../support/agents.ts";
import {
  folder,
  leaderOf,
  startServer,
  statusOf,
  threeServers,
} from "../../../support/replica/agents.ts";
import { writtenLength } from "../../../support/replica/written.ts";

const NOT_FORCED = { force: false, clusterId: undefined };
const FORCED = { force: true, clusterId: undefined };

async function identityAt(path: string): Promise<{ nodeId: string; replaces: readonly string[] }> {
  await using directory = await openDirectory(path);
  const { nodeId, replaces } = directory;
  return { nodeId, replaces };
}

/** Turns a bit over behind the text that is found first, or in the middle. */
async function damage(path: string, at?: (bytes: Uint8Array) => number): Promise<void> {
  const bytes = await Deno.readFile(path);
  const place = at?.(bytes) ?? writtenLength(bytes) >> 1;
  bytes[place] = (bytes[place] as number) ^ 1;
  await Deno.writeFile(path, bytes);
}

Deno.test("no id is forgotten before it is out of the members, however often a directory is rebuilt", async () => {
  await using data = await folder();
  const path = `${data.path}/a`;
  const first = await identityAt(path);
  for (let i = 0; i < MAX_REPLACED; i++) {
    await carryOut(await planRebuild(path, FORCED), new Date());
  }
  const last = await identityAt(path);
  assert.equal(last.replaces[0], first.nodeId);
  await assert.rejects(planRebuild(path, FORCED), (error: Error) => {
    assert.ok(error instanceof RebuildRefusedError);
    assert.match(
      error.message,
      /was rebuilt 8 times, and its earlier ids are not out of the members/,
    );
    return !error.message.includes("\n");
  });
  assert.deepEqual(await identityAt(path), last);
});

Deno.test("an earlier id is forgotten once it is out of the members", async () => {
  await using data = await folder();
  await using servers = await threeServers(data.path);
  await leaderOf(servers.agents);
  await servers.end("b");
  const path = `${data.path}/b`;
  const { nodeId } = await identityAt(path);
  await carryOut(await planRebuild(path, FORCED), new Date());
  assert.deepEqual((await identityAt(path)).replaces, [nodeId]);
  await servers.start("b");
  const text = () => Deno.readTextFile(`${path}/node.json`);
  await eventually("it is forgotten", async () => !(await text()).includes(nodeId), 20_000);
  const { peers } = await statusOf(servers.at("a"));
  assert.ok(!peers.some(({ id }) => id === nodeId), "and no member");
  await servers.end("b");
  assert.deepEqual((await identityAt(path)).replaces, []);
});

Deno.test("the only server that has something is not emptied, also when its files cannot be read to the end", async () => {
  await using data = await folder();
  const path = `${data.path}/a`;
  const log = `${path}/raft/0000000000000001.log`;
  {
    await using agent = await startServer("a", data.path, { bootstrapExpect: 1 });
    for (let i = 0; i < 5; i++) await agent.kv.set("foo", "a".repeat(200));
  }
  const node = await Deno.readFile(`${path}/node.json`);
  await damage(`${path}/node.json`);
  const refused = /is the only voter, as far as its files can be read: .* with -cluster-id ID$/;
  await assert.rejects(planRebuild(path, NOT_FORCED), refused);
  await Deno.writeFile(`${path}/node.json`, node);

  await damage(log);
  await assert.rejects(planRebuild(path, NOT_FORCED), (error: Error) => {
    assert.ok(error instanceof RebuildRefusedError);
    assert.match(error.message, /is the only voter, as far as its files can be read: nobody else/);
    return !error.message.includes("\n");
  });
  const clusterId = "0123456789abcdef".repeat(2);
  assert.equal((await planRebuild(path, { force: false, clusterId })).kind, "all");

  // The entry that says who founded the cluster is gone as well: nobody can tell.
  await damage(log, () => 60);
  const { found, kind } = await planRebuild(path, NOT_FORCED);
  assert.deepEqual([kind, found.members], ["all", undefined]);
});
