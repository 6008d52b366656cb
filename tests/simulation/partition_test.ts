import { CATCH_UP_MS, Cluster, spread } from "../support/simulation/cluster.ts";
import { scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";

/** Every 30 s each node may try to reach one failed member again (docs/spec/serf.md 8.2); some rounds of that. */
const RECONNECT_MS = 6 * 30_000;

const CASES = [
  { count: 10, side: 5, seconds: 20 },
  { count: 10, side: 5, seconds: 180 },
  { count: 30, side: 15, seconds: 180 },
  { count: 30, side: 3, seconds: 180 },
  { count: 100, side: 50, seconds: 180 },
  { count: 100, side: 1, seconds: 180 },
];

for (const { count, side, seconds } of CASES) {
  const sentence = `${count} nodes, ${side} of them cut off for ${seconds} s, become one cluster`;
  scenario(sentence, {}, async (test) => {
    const { simulation } = test;
    const cluster = new Cluster<SerfApp>(simulation, startSerf());
    await cluster.form(count);
    const hosts = cluster.live.map(({ address }) => address.host);
    simulation.partition(hosts.slice(0, side), hosts.slice(side));
    await simulation.runFor(seconds * 1_000);
    const sides = cluster.live.map(({ view }) => view.alive);
    test.report({ "sides see": `${sides[0]} and ${sides.at(-1)}` });
    simulation.heal();
    const healedAt = simulation.now;
    await cluster.agree(RECONNECT_MS);
    const { median, last } = spread(cluster.live.map(({ view }) => view.changedAt - healedAt));
    test.report({ "median ms": median.toFixed(0), "last ms": last.toFixed(0) });
    // Each side told the other of its dead; whoever misses how one of them refutes that declares it
    // failed once more, when the suspicion ends, and learns better from a push/pull.
    await simulation.runFor(60_000);
    await cluster.agree(CATCH_UP_MS);
  });
}
