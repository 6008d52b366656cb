/**
 * Many who hear of one thing: a change of a key that they watch, and a message of a channel.
 *
 * @module
 */

import type { Goal, Row, Sample } from "./figures.ts";
import { goTime, type Scene, serversOf, startSide } from "./scene.ts";

/** So many at most are on their way at once: a subscriber's share of it is far below what may wait for it. */
const DELIVERIES = 300_000;
/** Messages that are published at once, at most. */
const BURST = 3_000;

/** A change at the leader, until the last of those who watch it there has heard of it. */
export async function* measureWatch(scene: Scene): AsyncGenerator<Sample[]> {
  const time = goTime(scene.sizes.requestsMs);
  for (const size of [1, 3]) {
    await using side = await startSide(scene, scene.peers, size);
    for (let run = 0; run < scene.sizes.runs; run++) {
      for (const listeners of [1, 10, 100]) {
        for (const { peer: { who }, target } of side.all) {
          const found = await scene.load.run(target, "watch", { listeners, time });
          const title = `${serversOf(size)}, 1 change to ${listeners}`;
          const goals: Goal[] = listeners === 100 ? [{ over: "etcd", bound: 0.5 }] : [];
          yield latencies(title, found, goals)
            .map((one) => ({ ...one, who }));
        }
      }
    }
  }
}

/** Messages from one agent, to subscribers at it or shared out among three. */
export async function* measurePublish(scene: Scene): AsyncGenerator<Sample[]> {
  // One at a time for half of it, many at once for the other one.
  const time = goTime(scene.sizes.requestsMs / 2);
  const peers = scene.peers.filter(({ kind }) => kind !== "etcd");
  for (const size of [1, 3]) {
    await using side = await startSide(scene, peers, size);
    for (let run = 0; run < scene.sizes.runs; run++) {
      for (const listeners of [1, 100, 1_000]) {
        const burst = Math.min(BURST, DELIVERIES / listeners);
        for (const { peer: { who }, target } of side.all) {
          const found = await scene.load.run(target, "publish", { listeners, burst, time });
          const title = `${size === 1 ? "1 agent" : `${size} agents`}, 1 message to ${listeners}`;
          // What the last one of one subscriber hears at another agent is the way between two agents.
          const between: Goal[] = size === 3 && listeners === 1 ? [{ bound: 10_000 }] : [];
          const row: Row = {
            name: `${title}: deliveries`,
            unit: "1/s",
            more: true,
            goals: deliveryGoals(listeners),
          };
          yield [
            ...latencies(title, found, [], between).map((one) => ({ ...one, who })),
            { row, who, value: found["heard_s"]! },
          ];
        }
      }
    }
  }
}

function deliveryGoals(listeners: number): readonly Goal[] {
  if (listeners === 100) return [{ over: "redis", bound: 0.4 }];
  return listeners === 1_000 ? [{ over: "redis", bound: 0.7 }, { bound: 200_000 }] : [];
}

/** When the last one has heard, and how many never have. */
function latencies(
  title: string,
  found: Readonly<Record<string, number>>,
  goals: readonly Goal[],
  late: readonly Goal[] = goals,
): Omit<Sample, "who">[] {
  const row = (name: string, unit: string, of: readonly Goal[]): Row => ({
    name: `${title}: ${name}`,
    unit,
    more: false,
    goals: of,
  });
  return [
    { row: row("last one p50", "us", goals), value: found["p50_us"]! },
    { row: row("last one p99", "us", late), value: found["p99_us"]! },
    { row: row("missing", "deliveries", [{ bound: 0 }]), value: found["missing"]! },
  ];
}
