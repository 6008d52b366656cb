/**
 * The figures of the last minute, in the form that Serf writes on SIGUSR1 (docs/spec/agent.md 6.11).
 *
 * @module
 */

/** Length of an interval, in milliseconds (docs/spec/agent.md 6.11). */
export const INTERVAL_MS = 10_000;

/** Completed intervals that are kept: one minute (docs/spec/agent.md 6.11). */
export const KEPT_INTERVALS = 6;

/** Names that one interval can tell apart. Names of events come from the network; what is above is not kept. */
export const MAX_NAMES = 1_000;

/** Many values of one name. */
interface Aggregate {
  count: number;
  sum: number;
  sumOfSquares: number;
  least: number;
  most: number;
  updated: number;
}

/** What happened within one interval. */
interface Interval {
  readonly start: number;
  readonly gauges: Map<string, number>;
  readonly counters: Map<string, Aggregate>;
  readonly samples: Map<string, Aggregate>;
}

/** Adds figures up by interval. Needs no timer: an interval ends when a later figure comes. */
export class Intervals {
  readonly #now: () => number;
  readonly #onStart: () => void;
  readonly #kept: Interval[] = [];

  /**
   * @param now Wall time in milliseconds.
   * @param onStart Called at the start of each interval, to add what is known at any time.
   */
  constructor(now: () => number, onStart: () => void = () => {}) {
    this.#now = now;
    this.#onStart = onStart;
  }

  /** A value is now this. */
  gauge(name: string, value: number): void {
    const { gauges } = this.#current(this.#now());
    if (gauges.has(name) || gauges.size < MAX_NAMES) gauges.set(name, value);
  }

  /** Something happened `n` times. */
  count(name: string, n: number): void {
    const now = this.#now();
    ingest(this.#current(now).counters, name, n, now);
  }

  /** One of many values. */
  sample(name: string, value: number): void {
    const now = this.#now();
    ingest(this.#current(now).samples, name, value, now);
  }

  /** The completed intervals as text, one figure a line; `label` makes a name complete. */
  dump(label: (name: string, kind: "gauge" | "counter" | "sample") => string): string {
    this.#current(this.#now());
    const lines: string[] = [];
    for (const { start, gauges, counters, samples } of this.#kept.slice(0, -1)) {
      const time = goTime(start);
      const add = (kind: string, name: string, text: string): void =>
        void lines.push(`[${time}][${kind}] '${name}': ${text}\n`);
      for (const [name, value] of gauges) add("G", label(name, "gauge"), value.toFixed(3));
      for (const [name, held] of counters) add("C", label(name, "counter"), summary(held));
      for (const [name, held] of samples) add("S", label(name, "sample"), summary(held));
    }
    return lines.join("");
  }

  #current(now: number): Interval {
    const last = this.#kept.at(-1);
    if (last !== undefined && now - last.start < INTERVAL_MS) return last;
    const start = Math.floor(now / INTERVAL_MS) * INTERVAL_MS;
    const next = { start, gauges: new Map(), counters: new Map(), samples: new Map() };
    this.#kept.push(next);
    if (this.#kept.length > KEPT_INTERVALS + 1) this.#kept.shift();
    this.#onStart();
    return next;
  }
}

function ingest(held: Map<string, Aggregate>, name: string, value: number, now: number): void {
  const known = held.get(name);
  if (known === undefined) {
    if (held.size >= MAX_NAMES) return;
    const sumOfSquares = value * value;
    held.set(name, { count: 1, sum: value, sumOfSquares, least: value, most: value, updated: now });
    return;
  }
  known.count++;
  known.sum += value;
  known.sumOfSquares += value * value;
  if (value < known.least) known.least = value;
  if (value > known.most) known.most = value;
  known.updated = now;
}

function summary({ count, sum, sumOfSquares, least, most, updated }: Aggregate): string {
  const spread = count < 2
    ? 0
    : Math.sqrt(Math.max(0, count * sumOfSquares - sum * sum) / (count * (count - 1)));
  const three = (value: number): string => value.toFixed(3);
  const range = spread === 0
    ? ""
    : ` Min: ${three(least)} Mean: ${three(sum / count)} Max: ${three(most)} Stddev: ${
      three(spread)
    }`;
  return `Count: ${count}${range} Sum: ${three(sum)} LastUpdated: ${goTime(updated)}`;
}

/** The way Go writes a time, in UTC: `2026-11-21 01:48:30.5 +0000 UTC`. */
function goTime(ms: number): string {
  const iso = new Date(ms).toISOString();
  const fraction = iso.slice(19, 23).replace(/\.?0+$/, "");
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${fraction} +0000 UTC`;
}
