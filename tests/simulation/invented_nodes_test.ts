import assert from "node:assert/strict";
import { Alive, encodeMessage, MessageType } from "../../cluster/memberlist/wire/messages.ts";
import {
  CATCH_UP_MS,
  Cluster,
  joinText,
  type SimNode,
  View,
} from "../support/simulation/cluster.ts";
import { scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";

const MAX_NODES = 60;

function invented(name: string): Uint8Array {
  return encodeMessage(MessageType.alive, Alive, {
    Incarnation: 1,
    Node: name,
    Addr: Uint8Array.of(10, 66, 0, 1),
    Port: 7946,
    Meta: null,
    Vsn: Uint8Array.of(1, 5, 2, 2, 5, 4),
  });
}

const lateComer = {
  name: "late",
  address: { host: "10.7.7.7", port: 7946 },
  ip: Uint8Array.of(10, 7, 7, 7),
};

/** Who of `names` a node sees alive. */
function seen({ app }: SimNode<SerfApp>, names: readonly string[]): string[] {
  const statuses = app.statuses();
  return names.filter((name) => statuses.get(name) === "alive");
}

scenario("invented nodes lock honest ones neither out nor up", {}, async (test) => {
  const { simulation } = test;
  const start = startSerf({ memberlist: { maxNodes: MAX_NODES } });
  const cluster = new Cluster<SerfApp>(simulation, start);
  await cluster.form(5);
  const stranger = simulation.addHost("10.66.0.1");
  const flood = async (from: number, count: number): Promise<void> => {
    for (let i = from; i < from + count; i++) {
      for (const { address } of cluster.live.slice(0, 5)) {
        stranger.transport.sendPacket(address, invented(`invented-${i}`));
      }
      if (i % 20 === 0) await simulation.runFor(5);
    }
  };
  await flood(0, 20 * MAX_NODES);
  for (const node of cluster.live) {
    assert.equal(node.app.serf.memberlist.numNodes, MAX_NODES);
    assert.ok(node.app.serf.members().length <= MAX_NODES);
    assert.ok(node.app.serf.memberlist.queuedBroadcasts <= 2 * MAX_NODES);
  }
  const [joiner] = cluster.grow(1);
  await simulation.settle(joiner!.app.join([joinText(cluster.live[0]!)]));
  const honest = cluster.live.map(({ name }) => name);
  const all = () => cluster.live.every((node) => seen(node, honest).length === honest.length);
  const begun = simulation.now;
  // Who misses the gossip hears of it by an exchange of states with a member chosen by chance, and asks the newcomer before it
  // makes room: of 80 seeds most took a second, the slowest 206 s.
  assert.ok(await simulation.runUntil(all, 2 * CATCH_UP_MS), "Not everybody sees who joined");
  test.report({ "seen by all after ms": (simulation.now - begun).toFixed(0) });
  await flood(20 * MAX_NODES, 5 * MAX_NODES);
  for (const node of cluster.live) assert.deepEqual(seen(node, honest), honest);
});

scenario("who joins a full cluster is told", {}, async ({ simulation }) => {
  const start = startSerf({ memberlist: { maxNodes: 3 } });
  const cluster = new Cluster<SerfApp>(simulation, start);
  await cluster.form(3);
  const [first] = cluster.live;
  const late = start(simulation.addHost("10.7.7.7"), lateComer, new View(simulation, () => false));
  const joined = late.join([joinText(first!)]);
  await assert.rejects(
    simulation.settle(joined),
    /remote error: No room for another node: 3 are known/,
  );
  await cluster.agree(0);
});
