/**
 * Whole memberlists on a fake network, in time that a test lets pass.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ManualClock } from "../manual_clock.ts";
import { FakeNetwork } from "./fake_network.ts";
import { type FakeHostOptions, startNode } from "./fakes.ts";

/** A running memberlist with its host. */
export type Node = ReturnType<typeof startNode>;

/** Nodes "n1", "n2", ... at 10.0.0.1, ... that have all joined. */
export async function cluster(count: number, options: FakeHostOptions = {}) {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  const nodes = Array.from(
    { length: count },
    (_, i) => startNode(network, `n${i + 1}`, `10.0.0.${i + 1}`, options),
  ) as [Node, ...Node[]];
  for (const { list } of nodes.slice(1)) {
    await finish(clock, list.join(["10.0.0.1"]));
  }
  await clock.until(
    () => nodes.every(({ list }) => list.numAlive === count),
    60_000,
    "a full view of everybody",
  );
  const gossips = count > 1 && nodes[0].config.gossipIntervalMs > 0;
  const isQuiet = () => nodes.every(({ list }) => list.queuedBroadcasts === 0);
  if (gossips) await clock.until(isQuiet, 60_000, "the gossip to end");
  for (const { delegate } of nodes) delegate.events.length = 0;
  const stop = async () => {
    await Promise.all(nodes.map(({ list }) => list.shutdown()));
    await clock.advance(10_000);
    assert.equal(clock.pending, 0, "a timer outlived its memberlist");
    assert.ok(nodes.every(({ transport }) => transport.isIdle), "a stream was left open");
  };
  return { clock, network, nodes, stop };
}

/** Lets time pass until `promise` is settled. */
export async function finish<T>(
  clock: ManualClock,
  promise: Promise<T>,
  limitMs = 60_000,
): Promise<T> {
  let settled = false;
  promise.then(() => settled = true, () => settled = true);
  await clock.until(() => settled, limitMs, "the end of a call");
  return await promise;
}

/** How `node` sees the node called `name`. */
export function state(node: Node, name: string): number | undefined {
  return node.list.nodes().find((other) => other.name === name)?.state;
}
