/**
 * Tests that run in a simulation: their seeds, the report, and what to do when one fails.
 *
 * @module
 */

import { chosenSeeds } from "./seeds.ts";
import { Simulation, type SimulationOptions } from "./simulation.ts";

/** Log lines that are kept for the report of a failure. */
const KEPT_LINES = 200;

/** How a {@linkcode scenario} runs. */
export interface ScenarioOptions extends SimulationOptions {
  /** Seeds with which it failed once, besides seed 1. Default none. */
  readonly seeds?: readonly number[];
  /** Whether it takes so long that it gets new seeds only when somebody asks for them. Default false. */
  readonly costly?: boolean;
}

/** What the body of a scenario gets. */
export interface Scenario {
  /** The world. */
  readonly simulation: Simulation;
  /** Adds figures to the scenario's report. */
  report(figures: Readonly<Record<string, string | number>>): void;
}

/** What happens in a scenario. */
export type Body = (scenario: Scenario) => Promise<void>;

/** Registers a test for each seed of the scenario, see {@linkcode chosenSeeds}. */
export function scenario(sentence: string, options: ScenarioOptions, body: Body): void {
  const { fixed, fresh } = chosenSeeds(options, (name) => Deno.env.get(name));
  for (const seed of [...fixed, ...fresh]) {
    const name = seed === 1 ? sentence : `${sentence}, seed ${seed}`;
    Deno.test(name, async () => {
      if (fresh.includes(seed)) console.log(`${sentence}\n  new seed ${seed}`);
      await runScenario(sentence, seed, options, body);
    });
  }
}

/**
 * Runs a scenario. At the end one line tells the seed and figures; a failure also tells the last log lines of the simulated
 * nodes, the seed, how far the run came and the command that replays it.
 */
export async function runScenario(
  sentence: string,
  seed: number,
  options: SimulationOptions,
  body: Body,
  output: Pick<Console, "log" | "error"> = console,
): Promise<void> {
  const lines: string[] = [];
  const log = (line: string): void => {
    lines.push(line);
    if (lines.length > 2 * KEPT_LINES) lines.splice(0, KEPT_LINES);
  };
  const simulation = new Simulation(seed, { log, ...options });
  const figures: Record<string, string | number> = {};
  const started = performance.now();
  try {
    await body({ simulation, report: (more) => void Object.assign(figures, more) });
  } catch (error) {
    output.error([
      ...lines.slice(-KEPT_LINES),
      `Seed ${seed}, step ${simulation.events}, ${simulation.now.toFixed(3)} ms: ${error}`,
      `Replay with: SKEIN_SEED=${seed} deno task test:sim --filter '${sentence}'`,
    ].join("\n"));
    throw error;
  } finally {
    output.log(`${sentence}\n  ${summary(simulation, figures, performance.now() - started)}`);
  }
}

function summary(
  simulation: Simulation,
  figures: Readonly<Record<string, string | number>>,
  tookMs: number,
): string {
  const { seed, now, stats, traceHash, events } = simulation;
  const all = {
    seed,
    ...figures,
    "virtual s": (now / 1_000).toFixed(1),
    packets: stats.sent,
    "packet MB": (stats.bytes / 1e6).toFixed(1),
    "stream MB": (stats.streamBytes / 1e6).toFixed(1),
    events,
    "real s": (tookMs / 1_000).toFixed(1),
    trace: traceHash,
  };
  return Object.entries(all).map(([name, value]) => `${name} ${value}`).join(", ");
}
