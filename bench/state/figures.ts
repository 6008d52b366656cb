/**
 * Figures of skein's state and of its peers: medians with their spread, and what is to hold between them.
 *
 * @module
 */

import { round, type Spread, spread } from "../measure.ts";
import { figure, table, withSpread } from "../table.ts";

/** Who is measured, in the order of the columns; `naive` is the simplest code for what a piece of skein does. */
export const EVERYBODY = ["skein", "etcd", "redis", "nats", "hraft", "naive"] as const;

/** Who is measured. */
export type Who = typeof EVERYBODY[number];

/** What skein shall reach. */
export interface Goal {
  /** Whose value skein's is compared with. Default: nobody's, the bound is for the value itself. */
  readonly over?: Who;
  /** The bound: at least when more is better, at most otherwise. */
  readonly bound: number;
}

/** What is measured. */
export interface Row {
  /** Unique among the rows. */
  readonly name: string;
  readonly unit: string;
  /** Whether more is better. */
  readonly more: boolean;
  readonly goals: readonly Goal[];
}

/** One figure of one run. */
export interface Sample {
  readonly row: Row;
  readonly who: Who;
  readonly value: number;
}

/** What came of a goal. */
export interface Verdict extends Goal {
  /** Skein's median over the other's, or itself. */
  readonly value: number;
  readonly met: boolean;
}

/** All runs of a row. */
export interface Measured extends Omit<Row, "goals"> {
  readonly spreads: Partial<Record<Who, Spread>>;
  /** One for each goal whose figures are there. */
  readonly verdicts: readonly Verdict[];
}

/** What one part of the benchmark found. */
export interface StatePart {
  /** Short name, as `--only` takes it. */
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Measured[];
}

/** Sums up samples, in the order in which their rows first appear. */
export function summarise(samples: readonly Sample[]): Measured[] {
  return [...Map.groupBy(samples, ({ row }) => row.name).values()].map((all) => {
    const { goals, ...row } = all[0]!.row;
    const spreads: Partial<Record<Who, Spread>> = {};
    for (const who of EVERYBODY) {
      const found = spread(all.filter((one) => one.who === who).map(({ value }) => value));
      if (found !== undefined) spreads[who] = found;
    }
    return { ...row, spreads, verdicts: goals.flatMap((goal) => verdict(row, goal, spreads)) };
  });
}

function verdict(
  { more }: Omit<Row, "goals">,
  goal: Goal,
  { skein, ...others }: Measured["spreads"],
): Verdict[] {
  const over = goal.over === undefined ? 1 : others[goal.over as Exclude<Who, "skein">]?.median;
  if (skein === undefined || over === undefined || over === 0) return [];
  const value = round(skein.median / over);
  return [{ ...goal, value, met: more ? value >= goal.bound : value <= goal.bound }];
}

/** How many goals there are, and how many are met. */
export function score(parts: readonly StatePart[]): { goals: number; met: number } {
  const verdicts = parts.flatMap(({ rows }) => rows.flatMap(({ verdicts }) => verdicts));
  return { goals: verdicts.length, met: verdicts.filter(({ met }) => met).length };
}

/** One table for each part: medians and spread of all, and what came of the goals. */
export function stateTables(parts: readonly StatePart[]): string {
  return parts.map(({ title, rows }) => {
    const there = EVERYBODY.filter((who) => rows.some(({ spreads }) => spreads[who]));
    const lines = rows.map(({ name, unit, more, spreads, verdicts }) => [
      `${name}, ${unit}`,
      ...there.map((who) => withSpread(spreads[who])),
      verdicts.map((one) => goalText(one, more)).join("; "),
      verdicts.map(({ value, over }) => `${figure(value)}${over ? "x" : ""}`).join("; "),
      verdicts.map(({ met }) => met ? "yes" : "**no**").join("; "),
    ]);
    const head = ["median (least to most)", ...there, "goal", "skein is", "met"];
    return `### ${title}\n\n${table(head, lines)}`;
  }).join("\n\n");
}

function goalText({ over, bound }: Goal, more: boolean): string {
  return `${more ? "at least" : "at most"} ${figure(bound)}${over ? `x ${over}` : ""}`;
}
