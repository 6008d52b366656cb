import assert from "node:assert/strict";
import { EventQueueFullError } from "../../cluster/serf/model/errors.ts";
import { CATCH_UP_MS, Cluster, type SimNode, spread } from "../support/simulation/cluster.ts";
import { type Scenario, scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";

/** Of the LAN profile. What is new does not wait for it. */
const GOSSIP_INTERVAL_MS = 200;

for (const count of [3, 10, 30, 100]) {
  scenario(`an event of one of ${count} nodes reaches all, once`, {}, async (test) => {
    const cluster = new Cluster<SerfApp>(test.simulation, startSerf());
    await cluster.form(count);
    const payload = new TextEncoder().encode("with 32 bytes of payload, exactly");
    cluster.live[count >> 1]!.app.serf.userEvent("deploy", payload, false);
    const { median } = await seenByAll(test, cluster, ["deploy"]);
    assert.ok(median < GOSSIP_INTERVAL_MS / 2, `The median node saw it after ${median} ms`);
  });
}

scenario("an event of each of 30 nodes reaches all, once, on a bad network", {
  loss: 0.05,
  duplicate: 0.05,
  reorder: 0.1,
}, async (test) => {
  const cluster = new Cluster<SerfApp>(test.simulation, startSerf());
  await cluster.form(30);
  const names = cluster.live.map(({ name, app }) => {
    app.serf.userEvent(`from-${name}`, null, false);
    return `from-${name}`;
  });
  await seenByAll(test, cluster, names);
});

scenario("an event during a partition reaches the other side after it", {}, async (test) => {
  const { simulation } = test;
  const cluster = new Cluster<SerfApp>(simulation, startSerf());
  await cluster.form(10);
  const hosts = cluster.live.map(({ address }) => address.host);
  simulation.partition(hosts.slice(0, 5), hosts.slice(5));
  await simulation.runFor(2_000);
  cluster.live[0]!.app.serf.userEvent("during", null, false);
  await simulation.runFor(120_000);
  const knows = ({ app }: SimNode<SerfApp>) => app.userEvents.has("during");
  assert.deepEqual(cluster.live.map(knows), hosts.map((_, i) => i < 5));
  simulation.heal();
  await seenByAll(test, cluster, ["during"]);
});

scenario(
  "of 2,500 events a second each one is told of: it reaches all, or is refused",
  {},
  async (test) => {
    const { simulation } = test;
    const cluster = new Cluster<SerfApp>(simulation, startSerf());
    await cluster.form(10);
    const { serf } = cluster.live[0]!.app;
    const sent: string[] = [];
    let refused = 0;
    for (let round = 0; round < 200; round++) {
      for (let i = 0; i < 25; i++) {
        const name = `e${round}-${i}`;
        try {
          serf.userEvent(name, new Uint8Array(30), false);
          sent.push(name);
        } catch (error) {
          if (!(error instanceof EventQueueFullError)) throw error;
          refused++;
        }
      }
      await simulation.runFor(10);
    }
    await simulation.runFor(CATCH_UP_MS);
    test.report({ sent: String(sent.length), refused: String(refused) });
    for (const { name, app } of cluster.live) {
      const missed = sent.filter((event) => !app.userEvents.has(event));
      assert.deepEqual(missed, [], name);
      assert.equal(app.serf.counters.broadcastsDropped + app.serf.counters.eventsDropped, 0);
    }
    assert.ok(sent.length >= 512 && refused > 0);
  },
);

/** Waits until every live node saw each event, and asserts that none saw one twice. */
async function seenByAll(
  { simulation, report }: Scenario,
  { live }: Cluster<SerfApp>,
  names: readonly string[],
): Promise<{ median: number; last: number }> {
  const begun = simulation.now;
  const all = () => live.every(({ app }) => names.every((name) => app.userEvents.has(name)));
  assert.ok(await simulation.runUntil(all, CATCH_UP_MS), "Not everybody saw every event");
  const times = live.flatMap(({ app }) =>
    names.map((name) => app.userEvents.get(name)!.firstAt - begun)
  );
  const { median, last } = spread(times);
  report({ "median ms": median.toFixed(0), "last ms": last.toFixed(0) });
  await simulation.runFor(CATCH_UP_MS);
  for (const { name, app } of live) {
    for (const event of names) {
      assert.equal(app.userEvents.get(event)!.count, 1, `${name} ${event}`);
    }
  }
  return { median, last };
}
