/**
 * Tests that run in a simulation: the seed, the report, and what to do when one fails.
 *
 * @module
 */

import { Simulation, type SimulationOptions } from "./simulation.ts";

/** Log lines that are kept for the report of a failure. */
const KEPT_LINES = 200;

/** How a {@linkcode scenario} runs. */
export interface ScenarioOptions extends SimulationOptions {
  /** The seed when the environment names none. Default 1. */
  readonly seed?: number;
}

/** What the body of a scenario gets. */
export interface Scenario {
  /** The world. */
  readonly simulation: Simulation;
  /** Adds figures to the scenario's report. */
  report(figures: Readonly<Record<string, string | number>>): void;
}

/**
 * Registers a test. Its seed is `SKEIN_SEED` when that is set (a number, or `random` for a new one each
 * time). At the end one line tells the seed and figures; a failure also tells the command that
 * replays it, and the last log lines of the simulated nodes.
 */
export function scenario(
  sentence: string,
  options: ScenarioOptions,
  body: (scenario: Scenario) => Promise<void>,
): void {
  Deno.test(sentence, async () => {
    const seed = chosenSeed(options.seed ?? 1);
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
      const command = `SKEIN_SEED=${seed} deno task test:sim --filter '${sentence}'`;
      console.error([...lines.slice(-KEPT_LINES), `Replay with: ${command}`].join("\n"));
      throw error;
    } finally {
      console.log(`${sentence}\n  ${summary(simulation, figures, performance.now() - started)}`);
    }
  });
}

function chosenSeed(usual: number): number {
  const wish = Deno.env.get("SKEIN_SEED");
  if (wish === undefined || wish === "") return usual;
  if (wish === "random") return crypto.getRandomValues(new Uint32Array(1))[0]!;
  const seed = Number(wish);
  if (!Number.isInteger(seed)) throw new Error(`SKEIN_SEED is "${wish}", not a whole number`);
  return seed;
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
