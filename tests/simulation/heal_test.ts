import assert from "node:assert/strict";
import { CATCH_UP_MS, Cluster } from "../support/simulation/cluster.ts";
import { scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";

/** A failed member is forgotten after this time here, so that no run lasts a day. */
const RECONNECT_TIMEOUT_MS = 2 * 60_000;

const HEAL_MS = 60_000;

/** Two sides of a cluster that were apart until they forgot each other. */
async function apart(cluster: Cluster<SerfApp>, count: number): Promise<void> {
  const { simulation } = cluster;
  await cluster.form(count);
  const hosts = cluster.live.map(({ address }) => address.host);
  simulation.partition(hosts.slice(0, count / 2), hosts.slice(count / 2));
  await simulation.runFor(RECONNECT_TIMEOUT_MS + 3 * 60_000);
  for (const { app } of cluster.live) assert.equal(app.serf.members().length, count / 2);
}

for (const count of [4, 20, 60]) {
  scenario(`two sides of ${count} nodes that forgot each other become one cluster`, {}, async (
    test,
  ) => {
    const { simulation } = test;
    const serf = { reconnectTimeoutMs: RECONNECT_TIMEOUT_MS, healIntervalMs: HEAL_MS };
    const cluster = new Cluster<SerfApp>(simulation, startSerf({ serf }));
    await apart(cluster, count);
    const before = simulation.stats.streams;
    await simulation.runFor(10 * HEAL_MS);
    const healedAt = simulation.now;
    simulation.heal();
    await cluster.agree(4 * HEAL_MS + CATCH_UP_MS);
    test.report({
      "agreed after ms": (simulation.now - healedAt).toFixed(0),
      "streams of 10 intervals": String(simulation.stats.streams - before),
    });
  });
}

scenario("without the healer they never meet", {}, async ({ simulation }) => {
  const serf = { reconnectTimeoutMs: RECONNECT_TIMEOUT_MS, healIntervalMs: 0 };
  const cluster = new Cluster<SerfApp>(simulation, startSerf({ serf }));
  await apart(cluster, 4);
  simulation.heal();
  await simulation.runFor(60 * 60_000);
  for (const { app } of cluster.live) assert.equal(app.serf.members().length, 2);
});

scenario("addresses to join are looked for while they are no members, and only then", {}, async ({
  simulation,
}) => {
  const serf = { healIntervalMs: HEAL_MS };
  const cluster = new Cluster<SerfApp>(simulation, startSerf({ serf }));
  const [a, b] = cluster.grow(2);
  a!.app.serf.lookFor([`${b!.address.host}:${b!.address.port}`, "nowhere"]);
  await cluster.agree(2 * HEAL_MS);
  await simulation.runFor(HEAL_MS);
  cluster.kill(b!);
  const died = cluster.live[0]!;
  await simulation.runUntil(() => died.app.statuses().get(b!.name) === "failed", 60_000);
  const before = simulation.stats.streams;
  await simulation.runFor(10 * HEAL_MS);
  // Nobody is there for a push/pull; a failed member is still a member, which the reconnector tries.
  assert.equal(died.app.statuses().get(b!.name), "failed");
  assert.ok(simulation.stats.streams - before <= 20);
});

scenario("another node at the address of a lost one is left alone", {}, async ({ simulation }) => {
  const serf = { reconnectTimeoutMs: RECONNECT_TIMEOUT_MS, healIntervalMs: HEAL_MS };
  const start = startSerf({ serf });
  const cluster = new Cluster<SerfApp>(simulation, start);
  await cluster.form(3);
  const [, , victim] = cluster.live;
  cluster.kill(victim!);
  await simulation.runFor(RECONNECT_TIMEOUT_MS + 2 * 60_000);
  const other = new Cluster<SerfApp>(simulation, start);
  other.restart({ ...victim!, name: "stranger" });
  await simulation.runFor(10 * HEAL_MS);
  assert.equal(other.live[0]!.app.serf.members().length, 1);
  for (const { app } of cluster.live) assert.equal(app.serf.members().length, 2);
});
