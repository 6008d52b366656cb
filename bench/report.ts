/**
 * What `bench/results/` holds, as it stands in README.md and docs/PERFORMANCE.md: `deno task bench:pages`.
 *
 * @module
 */

import { ratioChart } from "./chart.ts";
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

/** The chart of a run. */
export function serfChart(result: SerfResult): string {
  return ratioChart(
    `skein beside ${result.serf}: how many times better`,
    `Medians; the axis is logarithmic, a black mark is the goal. ${whereAndWhen(result)}`,
    result.parts,
  );
}

/** A page of {@linkcode PAGES} with the figures of `result` in its blocks. */
export function withResults(page: string, result: SerfResult): string {
  const { goals, met } = score(result.parts);
  const blocks: Record<string, string> = {
    "serf summary": `${met} of ${goals} goals met. ${whereAndWhen(result)}\n\n${
      summaryTable(result.parts)
    }`,
    "serf tables": `${met} of ${goals} goals met. ${whereAndWhen(result)}\n\n${
      goalTables(result.parts)
    }`,
  };
  return Object.entries(blocks).reduce(
    (text, [name, block]) =>
      text.includes(`<!-- begin ${name} -->`) ? withBlock(text, name, block) : text,
    page,
  );
}

/** Reads a file of the project. */
export async function readResult(root: URL): Promise<SerfResult> {
  return JSON.parse(await Deno.readTextFile(new URL("bench/results/serf.json", root)));
}

function whereAndWhen({ when, machine }: SerfResult): string {
  return `${machine["cores"]} cores, Deno ${machine["deno"]}, ${when.slice(0, 10)}.`;
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const result = await readResult(root);
  for (const name of PAGES) {
    const file = new URL(name, root);
    await Deno.writeTextFile(file, withResults(await Deno.readTextFile(file), result));
  }
}
