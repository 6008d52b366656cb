/**
 * Each kind of agent declares an agent of the other kind gone, dead or alive, through its own command line.
 *
 * @module
 */

import assert from "node:assert/strict";
import { eventually, type Program, runCli, skein } from "../support/agents.ts";
import { allShow, join, LIMIT_MS, type Node, startNode } from "../support/interop/cluster.ts";
import { goTest, newestGoTest } from "../support/interop/go.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();

goTest("force-leave and prune work across kinds of agents", async (go) => {
  await using s1 = await startNode(skein, "s1", HOST);
  await using s2 = await startNode(skein, "s2", HOST);
  await using g1 = await startNode(go, "g1", HOST);
  await using g2 = await startNode(go, "g2", HOST);
  for (const node of [g1, s2, g2]) await join(node, s1);
  await allShow([s1, s2, g1, g2], { s1: "alive", s2: "alive", g1: "alive", g2: "alive" });

  s2.agent.kill("SIGKILL");
  await allShow([s1, g1, g2], { s1: "alive", s2: "failed", g1: "alive", g2: "alive" });
  const silent = { code: 0, stdout: "", stderr: "" };
  assert.deepEqual(await runCli(go, ["force-leave", "s2"], g1.agent.rpc), silent);
  await allShow([s1, g1, g2], { s1: "alive", s2: "left", g1: "alive", g2: "alive" });

  g2.agent.kill("SIGKILL");
  await allShow([s1, g1], { s1: "alive", s2: "left", g1: "alive", g2: "failed" });
  assert.deepEqual(await runCli(skein, ["force-leave", "g2"], s1.agent.rpc), silent);
  await allShow([s1, g1], { s1: "alive", s2: "left", g1: "alive", g2: "left" });

  assert.deepEqual(await runCli(skein, ["force-leave", "-prune", "g2"], s1.agent.rpc), silent);
  await allShow([s1, g1], { s1: "alive", s2: "left", g1: "alive" });
  assert.deepEqual(await runCli(go, ["force-leave", "-prune", "s2"], g1.agent.rpc), silent);
  await allShow([s1, g1], { s1: "alive", g1: "alive" });
});

for (const test of [goTest, newestGoTest]) {
  test("a member that lives is pruned by Go agents, and stays at skein's", prunedAlive);
  test("in a cluster of two, skein's forced leave reaches the other member", forcedInTwo);
}

async function prunedAlive(go: Program): Promise<void> {
  const flags = ["-log-level=debug"];
  await using s1 = await startNode(skein, "s1", HOST, { flags });
  await using g1 = await startNode(go, "g1", HOST, { flags });
  await using s2 = await startNode(skein, "s2", HOST);
  for (const node of [g1, s2]) await join(node, s1);
  await allShow([s1, g1, s2], { s1: "alive", g1: "alive", s2: "alive" });
  for (const node of [s1, g1]) await logs(node, "messageJoinType: s2");

  // The wait of s1 begins first, so that it would be over when that of g1 is.
  await runCli(skein, ["force-leave", "-prune", "s2"], s1.agent.rpc);
  await runCli(go, ["force-leave", "-prune", "s2"], g1.agent.rpc);
  await allShow([g1], { s1: "alive", g1: "alive" });
  await allShow([s1, s2], { s1: "alive", g1: "alive", s2: "alive" });
}

async function forcedInTwo(go: Program): Promise<void> {
  const flags = ["-log-level=debug"];
  await using s1 = await startNode(skein, "s1", HOST, { flags });
  await using g1 = await startNode(go, "g1", HOST, { flags });
  await join(g1, s1);
  await allShow([s1, g1], { s1: "alive", g1: "alive" });
  await logs(s1, "messageJoinType: g1");

  await runCli(skein, ["force-leave", "g1"], s1.agent.rpc);
  await logs(g1, "Refuting an older leave intent");
  await allShow([s1, g1], { s1: "alive", g1: "alive" });

  await runCli(go, ["force-leave", "s1"], g1.agent.rpc);
  await allShow([g1], { s1: "leaving", g1: "alive" });
}

/**
 * Waits until an agent has logged something. An agent that has not heard of a join yet would force a leave at a time
 * that is old to the one that joined.
 */
function logs({ name, agent }: Node, line: string): Promise<boolean> {
  return eventually(`${name} logs '${line}'`, () => agent.output().includes(line), LIMIT_MS);
}
