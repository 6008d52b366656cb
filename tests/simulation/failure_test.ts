import assert from "node:assert/strict";
import { CATCH_UP_MS, Cluster, joinText, spread } from "../support/simulation/cluster.ts";
import { scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";

/** Probe interval of the LAN profile. */
const PROBE_MS = 1_000;

/** Time that a suspected node has when enough others confirm (docs/spec/memberlist.md 8.9), LAN profile. */
function suspicionMs(count: number): number {
  return 4 * PROBE_MS * Math.max(1, Math.log10(count));
}

for (const count of [3, 10, 30, 100]) {
  scenario(`a killed node of ${count} is seen as failed in time`, {}, async (test) => {
    const { simulation } = test;
    const cluster = new Cluster<SerfApp>(simulation, startSerf());
    cluster.forbidFalseDeaths();
    await cluster.form(count);
    cluster.kill(cluster.live[count >> 1]!);
    const killedAt = simulation.now;
    // One probe round finds it (each of the others probes one node per interval, at random), the
    // probe takes an interval, the suspicion runs, and the news spreads.
    const probeMs = 2 * Math.max(2, Math.min(count, 5)) * PROBE_MS;
    await cluster.agree(probeMs + PROBE_MS + suspicionMs(count) + 3_000);
    const times = cluster.live.map(({ view }) => view.changedAt - killedAt);
    const { median, last } = spread(times);
    const first = Math.min(...times);
    test.report({ "first ms": first.toFixed(0), "median ms": median.toFixed(0) });
    test.report({ "last ms": last.toFixed(0), "least ms": suspicionMs(count).toFixed(0) });
    assert.ok(first >= suspicionMs(count), `Declared failed after only ${first} ms`);
  });
}

for (const count of [3, 10, 30, 100]) {
  scenario(`nobody of ${count} is declared failed at 5 % loss`, { loss: 0.05 }, async (test) => {
    const cluster = new Cluster<SerfApp>(test.simulation, startSerf());
    cluster.forbidFalseDeaths();
    await cluster.form(count);
    test.report(await cluster.rates(5 * 60_000));
    await cluster.agree(0);
  });
}

scenario("a killed node is seen as failed at 5 % loss, and nobody else is", {
  loss: 0.05,
}, async (test) => {
  const cluster = new Cluster<SerfApp>(test.simulation, startSerf());
  cluster.forbidFalseDeaths();
  await cluster.form(30);
  const killedAt = test.simulation.now;
  cluster.kill(cluster.live[7]!);
  await cluster.agree(60_000);
  const { median, last } = spread(cluster.live.map(({ view }) => view.changedAt - killedAt));
  test.report({ "median ms": median.toFixed(0), "last ms": last.toFixed(0) });
  await test.simulation.runFor(60_000);
  await cluster.agree(0);
});

scenario("a node that stands still for 2 s is not declared failed", {}, async (test) => {
  const { simulation } = test;
  const cluster = new Cluster<SerfApp>(simulation, startSerf());
  cluster.forbidFalseDeaths();
  await cluster.form(10);
  for (let i = 0; i < 10; i++) {
    const { host } = cluster.live[i]!.address;
    simulation.pause(host);
    await simulation.runFor(2_000);
    simulation.resume(host);
    await simulation.runFor(10_000);
  }
  await cluster.agree(0);
});

scenario(
  "a node that stands still for a minute refutes its death and is back",
  {},
  async (test) => {
    const { simulation } = test;
    const cluster = new Cluster<SerfApp>(simulation, startSerf());
    await cluster.form(10);
    const paused = cluster.live[4]!;
    simulation.pause(paused.address.host);
    await simulation.runFor(60_000);
    for (const { name, view } of cluster.live) {
      if (name !== paused.name) assert.equal(view.absent.get(paused.name), "failed");
    }
    simulation.resume(paused.address.host);
    const resumedAt = simulation.now;
    // The others' reconnector looks for it every 30 s, with a chance of 1 in 9 each.
    await cluster.agree(5 * 60_000);
    test.report({ "back after ms": (simulation.now - resumedAt).toFixed(0) });
    await simulation.runFor(60_000);
    await cluster.agree(0);
  },
);

scenario("a killed node that starts again is alive for everybody", {}, async (test) => {
  const { simulation } = test;
  const cluster = new Cluster<SerfApp>(simulation, startSerf());
  await cluster.form(10);
  for (const downMs of [500, 20_000, 120_000]) {
    const victim = cluster.live[2]!;
    cluster.kill(victim);
    await simulation.runFor(downMs);
    const again = cluster.restart(victim);
    const begun = simulation.now;
    await simulation.settle(again.app.join([joinText(cluster.live[0]!)]));
    await cluster.agree(CATCH_UP_MS);
    test.report({ [`back after ${downMs} ms down`]: `${(simulation.now - begun).toFixed(0)} ms` });
    await simulation.runFor(60_000);
    await cluster.agree(0);
  }
});

scenario("a node whose packets to half of the cluster were lost is alive for everybody", {}, async (
  test,
) => {
  const { simulation } = test;
  const cluster = new Cluster<SerfApp>(simulation, startSerf());
  await cluster.form(10);
  const hosts = cluster.live.map(({ address }) => address.host);
  simulation.partition(hosts.slice(0, 1), hosts.slice(5), true);
  await simulation.runFor(3 * 60_000);
  // Those it cannot reach suspect it when they ask only each other for help. It refutes that by way of
  // the other half; a refutation that goes to the wrong half alone, 4 in 1,000, costs it its life.
  const failures = cluster.live.flatMap(({ view }) => [...view.failures.values()]);
  test.report({ "declared failed": `${failures.reduce((sum, times) => sum + times, 0)} times` });
  simulation.heal();
  await cluster.agree(CATCH_UP_MS);
});

scenario("two minutes of 50 % loss leave nothing behind", {}, async (test) => {
  const { simulation } = test;
  const cluster = new Cluster<SerfApp>(simulation, startSerf());
  await cluster.form(30);
  simulation.setNetwork({ loss: 0.5 });
  await simulation.runFor(2 * 60_000);
  const failures = cluster.live.reduce((sum, { view }) => sum + view.failures.size, 0);
  test.report({ "declared failed": `${failures} times` });
  simulation.setNetwork({ loss: 0 });
  const begun = simulation.now;
  await cluster.agree(CATCH_UP_MS);
  test.report({ "agreed after ms": (simulation.now - begun).toFixed(0) });
  await simulation.runFor(60_000);
  await cluster.agree(CATCH_UP_MS);
});
