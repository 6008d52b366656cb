import assert from "node:assert/strict";
import { Cluster } from "../support/simulation/cluster.ts";
import { type Scenario, scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";
import { Simulation } from "../support/simulation/simulation.ts";

const BAD_NETWORK = { loss: 0.05, duplicate: 0.05, reorder: 0.1 } as const;

scenario("the same seed twice gives the same run, byte for byte", BAD_NETWORK, async (test) => {
  await turbulence(test.simulation);
  const again = new Simulation(test.simulation.seed, BAD_NETWORK);
  await turbulence(again);
  assert.equal(again.traceHash, test.simulation.traceHash);
  assert.equal(again.events, test.simulation.events);
  const other = new Simulation(test.simulation.seed + 1, BAD_NETWORK);
  await turbulence(other);
  assert.notEqual(other.traceHash, test.simulation.traceHash);
});

/** Ten nodes join, talk, are cut off, die, leave and come back. */
async function turbulence(simulation: Scenario["simulation"]): Promise<void> {
  const cluster = new Cluster<SerfApp>(simulation, startSerf());
  await cluster.form(10);
  const hosts = cluster.live.map(({ address }) => address.host);
  cluster.live[1]!.app.serf.userEvent("one", simulation.addHost("10.9.9.9").random.bytes(8), true);
  simulation.partition(hosts.slice(0, 3), hosts.slice(3));
  await simulation.runFor(30_000);
  simulation.heal();
  const victim = cluster.live[4]!;
  cluster.kill(victim);
  await cluster.leave(cluster.live[6]!);
  await simulation.runFor(30_000);
  cluster.restart(victim);
  await simulation.runFor(60_000);
}
