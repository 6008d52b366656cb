/**
 * Each kind of agent declares a dead agent of the other kind gone, through its own command line.
 *
 * @module
 */

import assert from "node:assert/strict";
import { runCli, skein } from "../support/agents.ts";
import { allShow, join, startNode } from "../support/interop/cluster.ts";
import { goTest } from "../support/interop/go.ts";
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
