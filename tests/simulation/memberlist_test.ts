import assert from "node:assert/strict";
import { Cluster, spread } from "./cluster.ts";
import { type MemberlistApp, startMemberlist } from "./memberlist_node.ts";
import { scenario } from "./scenario.ts";

for (const count of [3, 10, 30, 100]) {
  scenario(`memberlist: ${count} nodes that join at once agree`, {}, async (test) => {
    const cluster = new Cluster<MemberlistApp>(test.simulation, startMemberlist());
    await cluster.form(count);
    const { median, last } = spread(cluster.live.map(({ view }) => view.changedAt));
    test.report({ nodes: count, "median ms": median.toFixed(0), "last ms": last.toFixed(0) });
    assert.ok(median < 3_000, `The median node took ${median} ms`);
    test.report(await cluster.rates(10_000));
  });
}
