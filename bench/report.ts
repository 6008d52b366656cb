/**
 * What `bench/results/` holds, as it stands in README.md and docs/PERFORMANCE.md: `deno task bench:pages`.
 *
 * @module
 */

import { ratioChart } from "./chart.ts";
import { scaleCharts } from "./scale/charts.ts";
import type { ScaleRow } from "./scale/result.ts";
import { scaleTables } from "./scale/tables.ts";
import { stateChart, statePage, type StateResult } from "./state/result.ts";
import { goalTables, type Part, score, summaryTable, withBlock } from "./table.ts";

/** `bench/results/serf.json`. */
export interface SerfResult {
  /** When the run ended. */
  readonly when: string;
  /** Where. */
  readonly machine: Readonly<Record<string, string | number>>;
  /** The Go agent, by the version that it prints. */
  readonly serf: string;
  /** What the run was asked for. */
  readonly options: Readonly<Record<string, number>>;
  /** What it found. */
  readonly parts: readonly Part[];
}

/** The pages that show results, from the root of the project. */
export const PAGES = ["README.md", "docs/PERFORMANCE.md"] as const;

/** The rows of README.md: what is worse, what is better, and what is the protocol's. */
const SUMMARY = [
  "start to first answer",
  "resident memory, one idle agent",
  "members, 30 members, 50 connections: answers",
  "user event, first to last agent, 30 agents",
  "SIGKILL until all list it failed, 30 agents",
] as const;

/** The chart of a run. */
export function serfChart(result: SerfResult): string {
  return ratioChart(
    `skein beside ${result.serf}: how many times better`,
    `Medians; the axis is logarithmic, a black mark is the goal. ${whereAndWhen(result)}`,
    result.parts,
  );
}

/** What the benchmarks found. */
export interface Results {
  /** `bench/results/serf.json`. */
  readonly serf: SerfResult;
  /** `bench/results/scale.json`. */
  readonly scale: { readonly rows: readonly ScaleRow[] };
  /** `bench/results/state.json`. */
  readonly state: StateResult;
  /** `bench/results/topics.json`. */
  readonly topics: StateResult;
}

/** A page of {@linkcode PAGES} with the figures of `results` in its blocks. */
export function withResults(page: string, { serf, scale, state, topics }: Results): string {
  const { goals, met } = score(serf.parts);
  const summary = `${met} of ${goals} goals met. ${whereAndWhen(serf)}`;
  const blocks: Record<string, string> = {
    "serf summary": `${summary}\n\n${summaryTable(serf.parts, SUMMARY)}`,
    "serf tables": `${summary}\n\n${goalTables(serf.parts)}`,
    "scale tables": scaleTables(scale.rows),
    "state tables": statePage(state),
    "topics tables": statePage(topics),
  };
  return Object.entries(blocks).reduce(
    (text, [name, block]) =>
      text.includes(`<!-- begin ${name} -->`) ? withBlock(text, name, block) : text,
    page,
  );
}

/** The charts under `bench/results/`, by path from the root of the project. */
export function resultFiles({ serf, scale, state }: Results): Record<string, string> {
  const scaled = scaleCharts(scale.rows).map(({ name, svg }) => [
    `bench/results/scale-${name}.svg`,
    svg,
  ]);
  return {
    "bench/results/serf.svg": serfChart(serf),
    "bench/results/state.svg": stateChart(state),
    ...Object.fromEntries(scaled),
  };
}

/** Reads what is under `bench/results/` of the project at `root`. */
export async function readResults(root: URL): Promise<Results> {
  const read = async (name: string) =>
    JSON.parse(await Deno.readTextFile(new URL(`bench/results/${name}`, root)));
  return {
    serf: await read("serf.json"),
    scale: await read("scale.json"),
    state: await read("state.json"),
    topics: await read("topics.json"),
  };
}

function whereAndWhen({ when, machine }: SerfResult): string {
  return `${machine["cores"]} cores, Deno ${machine["deno"]}, ${when.slice(0, 10)}.`;
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const results = await readResults(root);
  for (const name of PAGES) {
    const file = new URL(name, root);
    await Deno.writeTextFile(file, withResults(await Deno.readTextFile(file), results));
  }
  for (const [name, content] of Object.entries(resultFiles(results))) {
    await Deno.writeTextFile(new URL(name, root), content);
  }
}
