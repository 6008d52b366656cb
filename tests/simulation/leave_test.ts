import assert from "node:assert/strict";
import { CATCH_UP_MS, Cluster, spread } from "../support/simulation/cluster.ts";
import { scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";

for (const count of [3, 10, 30, 100]) {
  scenario(`a node of ${count} that leaves is seen as left`, {}, async (test) => {
    const { simulation } = test;
    const cluster = new Cluster<SerfApp>(simulation, startSerf());
    await cluster.form(count);
    const begun = simulation.now;
    const leaver = cluster.live[count >> 1]!;
    await cluster.leave(leaver);
    test.report({ "leave took ms": (simulation.now - begun).toFixed(0) });
    await cluster.agree(CATCH_UP_MS);
    const { median, last } = spread(cluster.live.map(({ view }) => view.changedAt - begun));
    test.report({ "median ms": median.toFixed(0), "last ms": last.toFixed(0) });
    await simulation.runFor(60_000);
    await cluster.agree(0);
    // Where the news of its end overtook that of its intent, it has failed for a moment (docs/spec/serf.md 6.6).
    const doubters = cluster.live.filter(({ view }) => view.failures.has(leaver.name)).length;
    test.report({ "failed first at": `${doubters} nodes` });
    assert.ok(
      doubters <= Math.max(2, count / 5),
      `${doubters} nodes saw the leaver as failed first`,
    );
  });
}

scenario("five of 30 nodes that leave at once at 5 % loss are left in the end", {
  loss: 0.05,
}, async (test) => {
  const cluster = new Cluster<SerfApp>(test.simulation, startSerf());
  cluster.forbidFalseDeaths();
  await cluster.form(30);
  await cluster.leave(...cluster.live.slice(10, 15));
  await cluster.agree(CATCH_UP_MS);
});

scenario("a node that left and starts again is alive for everybody", {}, async (test) => {
  const { simulation } = test;
  const cluster = new Cluster<SerfApp>(simulation, startSerf());
  await cluster.form(10);
  const leaver = cluster.live[3]!;
  await cluster.leave(leaver);
  await cluster.agree(CATCH_UP_MS);
  const again = cluster.restart(leaver);
  const { host, port } = cluster.live[0]!.address;
  await simulation.settle(again.app.join([`${host}:${port}`]));
  await cluster.agree(CATCH_UP_MS);
  await simulation.runFor(120_000);
  await cluster.agree(0);
});

scenario("a failed node that is forced to leave is left for everybody", {}, async (test) => {
  const { simulation } = test;
  const cluster = new Cluster<SerfApp>(simulation, startSerf());
  await cluster.form(10);
  const victim = cluster.live[6]!;
  cluster.kill(victim);
  await cluster.agree(CATCH_UP_MS);
  cluster.gone.set(victim.name, "left");
  await simulation.settle(cluster.live[0]!.app.serf.forceLeave(victim.name));
  await cluster.agree(CATCH_UP_MS);
  await simulation.runFor(120_000);
  await cluster.agree(0);
});

scenario("a live node that is forced to leave stays", {}, async (test) => {
  const { simulation } = test;
  const cluster = new Cluster<SerfApp>(simulation, startSerf());
  await cluster.form(10);
  await simulation.settle(cluster.live[0]!.app.serf.forceLeave(cluster.live[6]!.name));
  await simulation.runFor(CATCH_UP_MS);
  await cluster.agree(0);
});
