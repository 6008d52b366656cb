/**
 * The result for one size, as it is kept and printed.
 *
 * @module
 */

import { type FalseDeaths, falseDeaths, startTally } from "./false_deaths.ts";
import type { Layer } from "./layers.ts";
import {
  convergence,
  deaths,
  events,
  type EventTimes,
  idleRates,
  type Rates,
  type Times,
} from "./phases.ts";
import type { Plan } from "./plan.ts";
import { World } from "./world.ts";

/** Part of the nodes that are slow when there are slow ones. */
export const SLOW_PART = 0.05;

/** Nodes that join at the same moment. */
export const NEWCOMERS = 10;

/** Rest after something that causes much gossip, in virtual milliseconds. */
const REST_MS = 10_000;

/** Everything measured for one size. */
export interface ScaleRow {
  /** Nodes at the start. */
  readonly nodes: number;
  /** What ran on them. */
  readonly layer: Layer;
  /** The seed that repeats the run. */
  readonly seed: number;
  /** {@linkcode NEWCOMERS} joined at once: virtual milliseconds until everybody listed everybody. */
  readonly convergenceMs: number;
  /** User events. */
  readonly events: EventTimes;
  /** From the end of a process until all others listed it as failed. */
  readonly deaths: Times;
  /** When nothing happened. */
  readonly rates: Rates;
  /** Under each hardship; the first without any, while events were told and nothing happened. */
  readonly falseDeaths: readonly FalseDeaths[];
  /** Bytes of heap for each member that each node knows. */
  readonly bytesPerPair: number;
  /** Fingerprint of the run: the same seed gives the same one. */
  readonly trace: string;
  /** How long it took. */
  readonly cost: {
    readonly virtualSeconds: number;
    readonly realSeconds: number;
    readonly simulatedEvents: number;
    readonly residentGB: number;
  };
}

/** Measures a cluster of `nodes` nodes; `log` gets a line for each step. */
export async function measureSize(
  nodes: number,
  seed: number,
  plan: Plan,
  log: (line: string) => void,
): Promise<ScaleRow> {
  const startedAt = performance.now();
  const heapBefore = Deno.memoryUsage().heapUsed;
  const world = await World.whole(seed, nodes, { layer: plan.layer, slowPart: SLOW_PART });
  const bytesPerPair = (Deno.memoryUsage().heapUsed - heapBefore) / nodes ** 2;
  const { simulation } = world;
  const step = async <T>(name: string, run: () => Promise<T>): Promise<T> => {
    const result = await run();
    const real = (performance.now() - startedAt) / 1_000;
    const virtual = simulation.now / 1_000;
    const resident = Deno.memoryUsage().rss / 1e9;
    log(
      `${nodes} nodes, ${name}: ${JSON.stringify(result)}, after ${
        virtual.toFixed(0)
      } virtual s, ` +
        `${real.toFixed(0)} s, ${resident.toFixed(1)} GB`,
    );
    return result;
  };
  const good = startTally(world);
  const rates = await step("idle", () => idleRates(world, plan.idleSeconds));
  const eventTimes = await step("events", () => events(world, plan.events));
  const counted = [good({ loss: 0, slow: false })];
  const convergenceMs = await step("convergence", () => convergence(world, NEWCOMERS));
  await simulation.runFor(REST_MS);
  const deathTimes = await step("deaths", () => deaths(world, plan.deaths));
  await simulation.runFor(REST_MS);
  for (const { seconds, ...hardship } of plan.hardships) {
    const name = hardship.slow ? "slow nodes" : `${100 * hardship.loss} % loss`;
    counted.push(await step(name, () => falseDeaths(world, hardship, seconds)));
  }
  return {
    nodes,
    layer: plan.layer,
    seed,
    convergenceMs,
    events: eventTimes,
    deaths: deathTimes,
    rates,
    falseDeaths: counted,
    bytesPerPair: Math.round(bytesPerPair),
    trace: simulation.traceHash,
    cost: {
      virtualSeconds: Math.round(simulation.now / 1_000),
      realSeconds: Math.round((performance.now() - startedAt) / 1_000),
      simulatedEvents: simulation.events,
      residentGB: Math.round(Deno.memoryUsage().rss / 1e8) / 10,
    },
  };
}
