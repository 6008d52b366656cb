import assert from "node:assert/strict";
import type { MemberNode } from "../../../cluster/memberlist/mod.ts";
import { NodeState } from "../../../cluster/memberlist/mod.ts";
import { Cluster } from "../../support/simulation/cluster.ts";
import { type SerfApp, startSerf } from "../../support/simulation/serf_node.ts";
import { SharedNodes } from "../../support/simulation/shared_nodes.ts";
import { Simulation } from "../../support/simulation/simulation.ts";

function fact(fields: Partial<MemberNode> = {}): MemberNode {
  return {
    name: "n",
    addr: Uint8Array.of(10, 0, 0, 1),
    host: "10.0.0.1",
    port: 7946,
    meta: Uint8Array.of(1, 2),
    incarnation: 1,
    state: NodeState.alive,
    versions: [1, 5, 2, 2, 5, 5],
    ...fields,
  };
}

Deno.test("equal facts are held once and told once, different ones each", () => {
  const told: MemberNode[] = [];
  const nodes = new SharedNodes((each) => told.push(each));
  const first = nodes.intern(fact());
  assert.equal(nodes.intern(fact()), first);
  const others = [
    fact({ incarnation: 2 }),
    fact({ state: NodeState.dead }),
    fact({ port: 1 }),
    fact({ addr: Uint8Array.of(10, 0, 0, 2) }),
    fact({ meta: Uint8Array.of(1) }),
    fact({ versions: [1, 5, 2, 2, 5, 4] }),
    fact({ name: "m" }),
  ];
  for (const other of others) assert.equal(nodes.intern(other), other);
  assert.deepEqual(told, [first, ...others]);
});

Deno.test("a run is the same whether its nodes share what they know or not", async () => {
  const runs = [undefined, new SharedNodes().knowledge()].map(async (shared) => {
    const simulation = new Simulation(1, { loss: 0.1 });
    const memberlist = shared === undefined ? {} : { shared };
    const cluster = new Cluster<SerfApp>(simulation, startSerf({ memberlist }));
    await cluster.form(10);
    cluster.kill(cluster.live[4]!);
    await simulation.runFor(60_000);
    return simulation.traceHash;
  });
  const [alone, together] = await Promise.all(runs);
  assert.equal(together, alone);
});
