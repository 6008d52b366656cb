/**
 * Figures as Markdown tables, for the terminal and for the pages.
 *
 * @module
 */

import type { Measure, Spread } from "./measure.ts";

/** What one part of the benchmark found. */
export interface Part {
  /** Short name, as `--only` takes it. */
  readonly name: string;
  /** What it is about. */
  readonly title: string;
  /** Its figures. */
  readonly measures: readonly Measure[];
}

/** A table with columns as wide as their widest cell, as `deno fmt` lays it out. The first column is text. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...rows].map((row) => row[i]!.length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, i) => pad(cell, widths[i]!, i > 0)).join(" | ")} |`;
  const rule = widths.map((width, i) => i > 0 ? `${"-".repeat(width - 1)}:` : "-".repeat(width));
  return [line(head), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n");
}

/** One table for each part: medians and spread of both agents, their ratio, the goal and whether it is met. */
export function goalTables(parts: readonly Part[]): string {
  return parts.map(({ title, measures }) => {
    const rows = measures.map((measure) => [
      `${measure.name}, ${measure.unit}`,
      withSpread(measure.serf),
      withSpread(measure.skein),
      measure.ratio === undefined ? "" : `${measure.ratio}`,
      goalText(measure),
      verdict(measure),
    ]);
    return `### ${title}\n\n${
      table(["median (least to most)", "serf", "skein", "ratio", "goal", "met"], rows)
    }`;
  }).join("\n\n");
}

/**
 * The figures with these names, without their spread.
 *
 * @throws {Error} when a name stands for no figure of both agents
 */
export function summaryTable(parts: readonly Part[], names: readonly string[]): string {
  const measures = parts.flatMap(({ measures }) => measures);
  const rows = names.map((name) => {
    const measure = measures.find((measure) => measure.name === name);
    if (!measure?.serf || !measure.skein) throw new Error(`No figure of both agents: '${name}'`);
    return [
      `${measure.name}, ${measure.unit}`,
      figure(measure.serf.median),
      figure(measure.skein.median),
      `${measure.ratio}`,
      goalText(measure),
      verdict(measure),
    ];
  });
  return table(["", "serf", "skein", "ratio", "goal", "met"], rows);
}

/** How many goals there are, and how many are met. */
export function score(parts: readonly Part[]): { goals: number; met: number } {
  const verdicts = parts.flatMap(({ measures }) => measures.flatMap(({ met }) => met ?? []));
  return { goals: verdicts.length, met: verdicts.filter(Boolean).length };
}

/** A number of three digits that count, with thousands apart. */
export function figure(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-US", { maximumSignificantDigits: 3 });
}

/** Puts `text` between the lines `<!-- begin NAME -->` and `<!-- end NAME -->` of a page. */
export function withBlock(page: string, name: string, text: string): string {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`];
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 || to < from) throw new Error(`The page has no block '${name}'`);
  return `${page.slice(0, from)}${begin}\n\n${text}\n\n${page.slice(to)}`;
}

function goalText({ goal, more, deno }: Measure): string {
  if (goal === undefined) return "";
  const bound = `${more ? "at least" : "at most"} ${figure(goal.bound)}`;
  if (goal.of === "skein / serf") return `${bound}x`;
  const bare = deno === undefined ? "" : figure(deno.median);
  if (goal.of === "skein / deno") return `${bound}x Deno's ${bare}`;
  return bare === "" ? bound : `${bound} (Deno ${bare})`;
}

function verdict({ met, goal, skein, deno }: Measure): string {
  if (met === undefined) return "";
  const over = goal?.of === "skein / deno" && skein && deno
    ? `, ${figure(skein.median / deno.median)}x`
    : "";
  return `${met ? "yes" : "**no**"}${over}`;
}

/** A median, with the least and the most in brackets. */
export function withSpread(spread: Spread | undefined): string {
  if (spread === undefined) return "";
  const { median, min, max } = spread;
  return min === max ? figure(median) : `${figure(median)} (${figure(min)} to ${figure(max)})`;
}

function pad(cell: string, width: number, right: boolean): string {
  return right ? cell.padStart(width) : cell.padEnd(width);
}
