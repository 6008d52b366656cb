/**
 * Figures of several rounds, as medians with their spread, and the ratio skein / serf beside the goal for it.
 *
 * @module
 */

/** Which program a figure is of; `deno` is a bare Deno program that does the least that could do the job. */
export type Who = "serf" | "skein" | "deno";

/** What is measured. */
export interface Metric {
  /** Unique among the metrics. */
  readonly name: string;
  /** Unit of the values. */
  readonly unit: string;
  /** Whether more is better. */
  readonly more: boolean;
  /** What shall hold. Default: nothing, the figure is for information. */
  readonly goal?: Goal;
}

/** What a metric shall reach. */
export interface Goal {
  /** Value of skein over the value of `over`, or skein's value alone. */
  readonly of: "skein / serf" | "skein / deno" | "skein";
  /** The bound: at least when more is better, at most otherwise. */
  readonly bound: number;
}

/** One figure of one round. */
export interface Sample {
  readonly metric: Metric;
  readonly who: Who;
  readonly value: number;
}

/** Half of the values are at most `median`. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly rounds: number;
}

/** All rounds of one metric. */
export interface Measure extends Metric {
  readonly serf?: Spread;
  readonly skein?: Spread;
  readonly deno?: Spread;
  /** Median of skein over median of serf; missing when that is 0. */
  readonly ratio?: number;
  /** Whether the goal holds; missing without one. */
  readonly met?: boolean;
}

/** The value that a share `q` of the sorted `values` does not exceed. */
export function quantile(values: ArrayLike<number>, q: number): number {
  return values[Math.max(0, Math.ceil(values.length * q) - 1)] ?? NaN;
}

/** Sums up samples, in the order in which their metrics first appear. */
export function summarise(samples: readonly Sample[]): Measure[] {
  const byName = Map.groupBy(samples, ({ metric }) => metric.name);
  return [...byName.values()].map((all) => {
    const metric = all[0]!.metric;
    const spreads = Object.fromEntries(
      (["serf", "skein", "deno"] as const).flatMap((who) => {
        const found = spread(all.filter((sample) => sample.who === who).map(({ value }) => value));
        return found === undefined ? [] : [[who, found]];
      }),
    ) as Partial<Record<Who, Spread>>;
    const { serf, skein, deno } = spreads;
    const ratio = serf && skein && serf.median > 0
      ? { ratio: round(skein.median / serf.median) }
      : {};
    return { ...metric, ...spreads, ...ratio, ...verdict(metric, skein, { serf, deno }) };
  });
}

function verdict(
  { goal, more }: Metric,
  skein: Spread | undefined,
  others: { serf: Spread | undefined; deno: Spread | undefined },
): { met?: boolean } {
  if (goal === undefined || skein === undefined) return {};
  const over = goal.of === "skein"
    ? 1
    : goal.of === "skein / serf"
    ? others.serf?.median
    : others.deno?.median;
  if (over === undefined) return {};
  const value = skein.median / over;
  return { met: more ? value >= goal.bound : value <= goal.bound };
}

/** Median, least and most; `undefined` of no values. */
export function spread(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  return {
    median: round(quantile(sorted, 0.5)),
    min: round(sorted[0]!),
    max: round(sorted.at(-1)!),
    rounds: sorted.length,
  };
}

/** The three digits that count. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}
