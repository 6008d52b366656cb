import assert from "node:assert/strict";
import { CATCH_UP_MS, Cluster, spread } from "../support/simulation/cluster.ts";
import { type MemberlistApp, startMemberlist } from "../support/simulation/memberlist_node.ts";
import { scenario } from "../support/simulation/scenario.ts";

for (const count of [3, 10, 30, 100]) {
  const life = `memberlist: ${count} nodes join, one dies, one leaves, one stands still`;
  scenario(life, { loss: 0.01 }, async (test) => {
    const { simulation } = test;
    const cluster = new Cluster<MemberlistApp>(simulation, startMemberlist());
    cluster.forbidFalseDeaths();
    await cluster.form(count);
    const { median, last } = spread(cluster.live.map(({ view }) => view.changedAt));
    test.report({ "joined ms": `${median.toFixed(0)} to ${last.toFixed(0)}` });
    assert.ok(median < 5_000, `The median node took ${median} ms`);
    test.report(await cluster.rates(10_000));

    const still = cluster.live[1]!;
    simulation.pause(still.address.host);
    await simulation.runFor(2_500);
    simulation.resume(still.address.host);
    await cluster.agree(CATCH_UP_MS);

    const diedAt = simulation.now;
    cluster.kill(cluster.live[2]!);
    await cluster.agree(CATCH_UP_MS);
    test.report({ "death known ms": (simulation.now - diedAt).toFixed(0) });
    if (count === 3) return;

    const leftAt = simulation.now;
    await cluster.leave(cluster.live[3]!);
    await cluster.agree(CATCH_UP_MS);
    const left = spread(cluster.live.map(({ view }) => view.changedAt - leftAt));
    test.report({ "leave known ms": `${left.median.toFixed(0)} to ${left.last.toFixed(0)}` });
  });
}

scenario("memberlist: a killed node is forgotten, and its name is free again", {}, async (test) => {
  const { simulation } = test;
  const cluster = new Cluster<MemberlistApp>(simulation, startMemberlist());
  await cluster.form(10);
  const victim = cluster.live[5]!;
  cluster.kill(victim);
  await cluster.agree(CATCH_UP_MS);
  // Dead for 30 s, then gone when each node's probe ring wraps (docs/spec/memberlist.md 8.12).
  const forgotten = () => cluster.live.every(({ app }) => !app.statuses().has(victim.name));
  assert.ok(await simulation.runUntil(forgotten, 60_000, 1_000), "Somebody remembers it");
  const again = cluster.restart(victim);
  await simulation.settle(again.app.join([cluster.live[0]!.address.host]));
  await cluster.agree(CATCH_UP_MS);
});
