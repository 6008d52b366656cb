/**
 * `bench/results/state.json`, and how it looks.
 *
 * @module
 */

import { ratioChart } from "../chart.ts";
import type { Measure } from "../measure.ts";
import type { Part } from "../table.ts";
import { score, type StatePart, stateTables } from "./figures.ts";
import type { Sizes } from "./scene.ts";

/** What a run found. */
export interface StateResult {
  /** When the run ended. */
  readonly when: string;
  /** Where and of what: a few lines, each with its title. */
  readonly machine: Readonly<Record<string, string>>;
  /** What the run was asked for. */
  readonly sizes: Sizes;
  readonly parts: readonly StatePart[];
}

/** The machine, how many goals are met, and all tables. */
export function statePage({ when, machine, parts }: StateResult): string {
  const { goals, met } = score(parts);
  const lines = Object.entries(machine).map(([title, text]) => `- ${title}: ${text}`);
  return `${met} of ${goals} goals met. ${when.slice(0, 10)}.\n\n${lines.join("\n")}\n\n${
    stateTables(parts)
  }`;
}

/** Every figure that has a goal beside etcd's. */
export function stateChart({ when, parts }: StateResult): string {
  const beside = parts.map(({ name, title, rows }): Part => ({
    name,
    title,
    measures: rows.flatMap(
      ({ name, unit, more, spreads: { skein, etcd }, verdicts }): Measure[] => {
        const verdict = verdicts.find(({ over }) => over === "etcd");
        if (!skein || !etcd || !verdict) return [];
        const goal = { of: "skein / serf", bound: verdict.bound } as const;
        return [{ name, unit, more, goal, skein, serf: etcd, ratio: verdict.value }];
      },
    ),
  }));
  return ratioChart(
    "skein beside etcd: how many times better",
    `Medians; the axis is logarithmic, a black mark is the goal. ${when.slice(0, 10)}.`,
    beside,
    "etcd",
  );
}
