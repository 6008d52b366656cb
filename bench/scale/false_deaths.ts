/**
 * How often a node that lives is declared dead, on networks that lose packets and among slow nodes.
 *
 * @module
 */

import type { World } from "./world.ts";

/** What makes life hard. */
export interface Hardship {
  /** Chance that a packet is lost. */
  readonly loss: number;
  /** Whether the nodes that can be slow are. */
  readonly slow: boolean;
}

/** What was counted under one hardship. */
export interface FalseDeaths extends Hardship {
  /** Virtual seconds. */
  readonly seconds: number;
  /** Declared deaths of living nodes; of slow nodes, where there are any, only those under `slowDeaths`. */
  readonly deaths: number;
  /** The least and the most deaths that would give such a count by chance: a 95 % Poisson interval. */
  readonly interval: readonly [number, number];
  /** Deaths for each node and hour, with the interval. */
  readonly perNodeHour: readonly [least: number, rate: number, most: number];
  /** Declared deaths of slow nodes. */
  readonly slowDeaths: number;
  /** How often some node listed a living one as failed. */
  readonly views: number;
  /** Suspicions of living nodes. */
  readonly suspicions: number;
  /** Packets that a node sent in a second. */
  readonly packets: number;
}

/** Before the count begins, virtual ms pass under the hardship: a suspicion takes that long to become a death. */
const WARM_UP_MS = 20_000;

/** Counts for `seconds`. */
export async function falseDeaths(
  world: World,
  hardship: Hardship,
  seconds: number,
): Promise<FalseDeaths> {
  const { simulation, gates } = world;
  simulation.setNetwork({ loss: hardship.loss });
  const slow = hardship.slow ? [...gates.values()] : [];
  for (const gate of slow) gate.start();
  await simulation.runFor(WARM_UP_MS);
  const tally = startTally(world);
  await simulation.runFor(seconds * 1_000);
  for (const gate of slow) gate.stop();
  simulation.setNetwork({ loss: 0 });
  return tally(hardship);
}

/** Begins to count; what it returns gives what was counted since. */
export function startTally(world: World): (hardship: Hardship) => FalseDeaths {
  const { simulation } = world;
  const startedAt = simulation.now;
  const [deaths, views, suspicions] = [
    world.falseDeaths.length,
    world.falseViews,
    world.falseSuspicions,
  ];
  const { sent } = simulation.stats;
  return (hardship) => {
    const seconds = (simulation.now - startedAt) / 1_000;
    const victims = world.falseDeaths.slice(deaths);
    const isHealthy = (name: string): boolean => !hardship.slow || !world.gates.has(name);
    const healthy = victims.filter(isHealthy).length;
    const { live } = world;
    const nodeHours = live.filter(({ name }) => isHealthy(name)).length * seconds / 3_600;
    const interval = poissonInterval(healthy);
    return {
      ...hardship,
      seconds,
      deaths: healthy,
      interval,
      perNodeHour: [interval[0] / nodeHours, healthy / nodeHours, interval[1] / nodeHours],
      slowDeaths: victims.length - healthy,
      views: world.falseViews - views,
      suspicions: world.falseSuspicions - suspicions,
      packets: (simulation.stats.sent - sent) / live.length / seconds,
    };
  };
}

/** 1.96 standard deviations leave 2.5 % on each side. */
const DEVIATIONS = 1.96;

/** The 95 % interval of the mean of a Poisson variable that came out as `count` (Byar's approximation). */
export function poissonInterval(count: number): [number, number] {
  const bound = (n: number, sign: number): number =>
    n === 0 ? 0 : n * (1 - 1 / (9 * n) + sign * DEVIATIONS / (3 * Math.sqrt(n))) ** 3;
  return [bound(count, -1), bound(count + 1, 1)];
}
