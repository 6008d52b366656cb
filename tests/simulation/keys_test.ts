import assert from "node:assert/strict";
import { KeyOperationError, type KeyReport } from "../../cluster/serf/mod.ts";
import { CATCH_UP_MS, Cluster } from "../support/simulation/cluster.ts";
import { type Scenario, scenario } from "../support/simulation/scenario.ts";
import { type SerfApp, startSerf } from "../support/simulation/serf_node.ts";

const COUNT = 12;

/** Time between two events, in milliseconds. */
const EVENT_INTERVAL_MS = 100;

const [FIRST, SECOND, THIRD] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

scenario("keys rotate twice while events flow, and no event is lost", {}, rotate);

scenario(
  "keys rotate on a network that loses 5 %, and no event is lost",
  { loss: 0.05, duplicate: 0.05, reorder: 0.1 },
  rotate,
);

scenario("a node that missed a key is named, and catches up", {
  seeds: [3745612487],
}, async (test) => {
  const { simulation } = test;
  const cluster = new Cluster<SerfApp>(simulation, startSerf({ keys: [FIRST] }));
  await cluster.form(COUNT);
  const [asker, deaf] = [cluster.live[0]!, cluster.live[5]!];
  simulation.pause(deaf.address.host);
  const install = asker.app.serf.keys.install(SECOND.toBase64());
  const error = await simulation.settle(install.then(() => null, (reason) => reason), 700_000);
  simulation.resume(deaf.address.host);
  assert.ok(error instanceof KeyOperationError);
  // Gossip misses a node about every hundredth time, and a query is not repeated (docs/spec/serf.md 11): that may be another one.
  const reported = [COUNT - 1, COUNT - 2].map((n) => `${n}/${COUNT} nodes reported success`);
  assert.ok(reported.includes(error.message), error.message);
  await cluster.agree(CATCH_UP_MS);
  await untilDone(test, () => asker.app.serf.keys.install(SECOND.toBase64()));
  const { keys } = await untilDone(test, () => asker.app.serf.keys.list());
  assert.deepEqual(keys, { [FIRST.toBase64()]: COUNT, [SECOND.toBase64()]: COUNT });
});

/** Two rotations, from different nodes. */
async function rotate(test: Scenario): Promise<void> {
  const { simulation, report } = test;
  const cluster = new Cluster<SerfApp>(simulation, startSerf({ keys: [FIRST] }));
  cluster.forbidFalseDeaths();
  await cluster.form(COUNT);
  const flow = startEvents(test, cluster);
  let attempts = 0;
  for (const [asker, before, after] of [[3, FIRST, SECOND], [8, SECOND, THIRD]] as const) {
    const { keys } = cluster.live[asker]!.app.serf;
    const steps = [
      () => keys.install(after.toBase64()),
      () => keys.use(after.toBase64()),
      () => keys.remove(before.toBase64()),
    ];
    for (const step of steps) {
      const { messages } = await untilDone(test, () => {
        attempts++;
        return step();
      });
      assert.deepEqual(messages, {});
    }
    await simulation.runFor(1_000);
  }
  const fired = flow.stop();
  const list = await untilDone(test, () => cluster.live[0]!.app.serf.keys.list());
  assert.deepEqual(list.keys, { [THIRD.toBase64()]: COUNT });
  assert.deepEqual(list.primaryKeys, { [THIRD.toBase64()]: COUNT });
  await simulation.runFor(CATCH_UP_MS);
  for (const { name, app } of cluster.live) {
    const missed = fired.filter((event) => app.userEvents.get(event)?.count !== 1);
    assert.deepEqual(missed, [], `Not seen once by ${name}`);
  }
  await cluster.agree(0);
  report({ "user events": fired.length, "key operations": attempts });
}

/** Fires an event from one node after the other until it is stopped; `stop` gives their names. */
function startEvents(
  { simulation }: Scenario,
  cluster: Cluster<SerfApp>,
): { stop(): string[] } {
  const { clock } = simulation.addHost("10.9.9.9");
  const fired: string[] = [];
  let running = true;
  const fire = (): void => {
    if (!running) return;
    const name = `event-${fired.length}`;
    cluster.live[fired.length % COUNT]!.app.serf.userEvent(name, null, false);
    fired.push(name);
    clock.setTimer(EVENT_INTERVAL_MS, fire);
  };
  fire();
  return {
    stop: () => {
      running = false;
      return fired;
    },
  };
}

/** Repeats an operation, as a person would, until every node has confirmed it. */
async function untilDone(
  { simulation }: Scenario,
  operation: () => Promise<KeyReport>,
): Promise<KeyReport> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const report = await simulation.settle(
      operation().catch((error) => {
        if (error instanceof KeyOperationError) return null;
        throw error;
      }),
    );
    if (report !== null) return report;
  }
  return assert.fail("Not done after 20 attempts");
}
