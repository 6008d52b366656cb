import assert from "node:assert/strict";
import { Keyring } from "../../cluster/memberlist/mod.ts";
import { CATCH_UP_MS, Cluster, joinText, spread } from "../support/simulation/cluster.ts";
import { scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";

for (const count of [3, 10, 30, 100]) {
  scenario(`${count} nodes that join one at once end with the same view`, {}, async (test) => {
    const cluster = new Cluster<SerfApp>(test.simulation, startSerf());
    cluster.forbidFalseDeaths();
    await cluster.form(count);
    const { median, last } = spread(cluster.live.map(({ view }) => view.changedAt));
    test.report({ "median ms": median.toFixed(0), "last ms": last.toFixed(0) });
    assert.ok(median < 3_000, `The median node took ${median} ms`);
    assert.ok(last < 5_000, `The last node took ${last} ms`);
    test.report(await cluster.rates(60_000));
  });
}

const BAD_NETWORK = { latencyMs: [1, 80], loss: 0.05, duplicate: 0.05, reorder: 0.1 } as const;

scenario("30 nodes on a bad network end with the same view", BAD_NETWORK, async (test) => {
  const cluster = new Cluster<SerfApp>(test.simulation, startSerf());
  await cluster.form(30);
  const { median, last } = spread(cluster.live.map(({ view }) => view.changedAt));
  test.report({ "median ms": median.toFixed(0), "last ms": last.toFixed(0) });
});

scenario("10 nodes with encryption and a label end with the same view", {}, async (test) => {
  const key = Uint8Array.from({ length: 32 }, (_, i) => i);
  const start = startSerf({
    memberlist: { keyring: new Keyring([key]), label: "blue" },
  });
  const cluster = new Cluster<SerfApp>(test.simulation, start);
  await cluster.form(10);
  test.report(await cluster.rates(60_000));
});

scenario("two clusters of 15 that a join connects become one", {}, async (test) => {
  const cluster = new Cluster<SerfApp>(test.simulation, startSerf());
  const nodes = cluster.grow(30);
  const [left, right] = [nodes[0]!, nodes[15]!];
  const joins = nodes.map(({ app }, i) => app.join([joinText(i < 15 ? left : right)]));
  await test.simulation.settle(Promise.all(joins));
  await test.simulation.runFor(CATCH_UP_MS);
  assert.deepEqual(nodes.map(({ view }) => view.alive), new Array(30).fill(15));
  const begun = test.simulation.now;
  await test.simulation.settle(nodes[3]!.app.join([joinText(nodes[20]!)]));
  await cluster.agree(CATCH_UP_MS);
  const { median, last } = spread(nodes.map(({ view }) => view.changedAt - begun));
  test.report({ "median ms": median.toFixed(0), "last ms": last.toFixed(0) });
});
