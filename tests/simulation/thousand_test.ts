import assert from "node:assert/strict";
import { Cluster, joinText, type SimNode, spread } from "../support/simulation/cluster.ts";
import { scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";
import { SharedNodes } from "../support/simulation/shared_nodes.ts";

const COUNT = 1_000;

/**
 * The LAN profile, but for what a test can wait for. With its factor 4 each of 1,000 nodes would send each of
 * 2,000 pieces of news 16 times, which takes ten minutes to simulate. Sent 4 times, gossip misses a node
 * with a chance of e^-4, 2 %, and the push/pulls have something to repair: one a minute, not one in three.
 */
const SETTINGS = { retransmitMult: 1, pushPullIntervalMs: 10_000, compression: false };

/** With 513 to 1,024 nodes the interval is six times as long (docs/spec/memberlist.md 9.4). */
const PUSH_PULL_MS = 6 * SETTINGS.pushPullIntervalMs;

scenario(
  `${COUNT} nodes join, learn of an event, a death and a leave, and agree`,
  { costly: true },
  async (test) => {
    const { simulation } = test;
    const shared = new SharedNodes().knowledge();
    const start = startSerf({ memberlist: { ...SETTINGS, shared } });
    const cluster = new Cluster<SerfApp>(simulation, start);
    cluster.forbidFalseDeaths();
    const random = simulation.addHost("10.255.255.255").random;
    const nodes = cluster.grow(COUNT);
    for (const [i, { app }] of nodes.entries()) {
      if (i === 0) continue;
      const earlier = nodes[Math.floor(random.float() * i)]!;
      await simulation.settle(app.join([joinText(earlier)]));
      await simulation.runFor(10);
    }
    const joinedAt = simulation.now;
    await simulation.runFor(30_000);
    const known = spread(nodes.map(({ view }) => COUNT - view.alive));
    test.report({ "joins took ms": joinedAt.toFixed(0) });
    test.report({ "30 s later a node misses": `${known.median} to ${known.last}` });
    assert.ok(known.median <= COUNT / 50, `The median node misses ${known.median} nodes`);

    const [teller, victim, leaver] = [nodes[7]!, nodes[500]!, nodes[900]!];
    const happenedAt = simulation.now;
    teller.app.serf.userEvent("deploy", null, false);
    cluster.kill(victim);
    await cluster.leave(leaver);
    await simulation.runFor(10_000);
    const share = (knows: (node: SimNode<SerfApp>) => boolean): number =>
      100 * cluster.live.filter(knows).length / cluster.live.length;
    const sawEvent = ({ app }: SimNode<SerfApp>) => app.userEvents.has("deploy");
    const shares = {
      event: share(sawEvent),
      leave: share(({ view }) => view.absent.has(leaver.name)),
    };
    await simulation.runFor(20_000);
    const death = share(({ view }) => view.absent.get(victim.name) === "failed");
    for (const [news, percent] of Object.entries({ ...shares, death })) {
      test.report({ [`${news} by gossip`]: `${percent.toFixed(1)} %` });
      assert.ok(percent > 90, `Only ${percent} % know of the ${news}`);
    }

    const all = () => cluster.agreed() && cluster.live.every(sawEvent);
    await simulation.runUntil(all, 5 * PUSH_PULL_MS, 1_000);
    test.report({ "all agree after ms": (simulation.now - happenedAt).toFixed(0) });
    await cluster.agree(0);
    for (const { name, app } of cluster.live) {
      assert.equal(app.userEvents.get("deploy")?.count, 1, `${name} saw the event not once`);
    }
  },
);
