/**
 * The charts of the scale measurement: what was measured, with the growth that theory expects dashed beside it.
 *
 * @module
 */

import { type Axis, lineCharts, type Panel, type Point, type Series } from "./line_chart.ts";
import { NEWCOMERS, type ScaleRow } from "./result.ts";
import { count, networkName } from "./tables.ts";
import { type Theory, theory } from "./theory.ts";

const COLORS = ["#1f6fb4", "#c05a1c", "#2f8a4a", "#8a4fb0"] as const;
const THEORY = "#555";

/** A chart and what it shows. */
export interface Chart {
  /** Part of the name of its file. */
  readonly name: string;
  /** The picture. */
  readonly svg: string;
}

/** The charts of these sizes, the smallest first. */
export function scaleCharts(rows: readonly ScaleRow[]): Chart[] {
  if (rows.length === 0) return [];
  const seeds = [...new Set(rows.map(({ seed }) => seed))].join(", ");
  const chart = (name: string, title: string, panels: Panel[]): Chart => {
    const isDashed = panels.some(({ series }) => series.some(({ dashed }) => dashed));
    const legend = isDashed ? " Dashed: theory." : "";
    const bare = rows.filter(({ layer }) => layer === "memberlist").map(({ nodes }) =>
      count(nodes)
    );
    const alone = bare.length === 0 ? "" : ` ${bare.join(", ")}: no Serf.`;
    const note = `Simulated, LAN profile, seed ${seeds}.${alone}${legend}`;
    return { name, svg: lineCharts(title, note, panels) };
  };
  return [
    chart("events", "A user event reaches the cluster", [eventPanel(rows)]),
    chart("convergence", "The cluster learns who comes and who is gone", [
      joinPanel(rows),
      deathPanel(rows),
    ]),
    chart("traffic", "What an idle node sends", [packetPanel(rows), bytePanel(rows)]),
    chart("false-deaths", "Living nodes that are declared dead", [falseDeathPanel(rows)]),
  ];
}

function eventPanel(rows: readonly ScaleRow[]): Panel {
  const to99 = measured(rows, "to 99 % of the nodes", 0, ({ events }) => events.to99.medianMs);
  const toAll = measured(rows, "to all nodes", 1, ({ events }) => events.toAll.medianMs);
  return sizePanel("Median time from the first node", "milliseconds", rows, [
    to99,
    toAll,
    scaled(rows, "grows as log4 N + (ln 100) / 3", to99, ({ roundsTo99 }) => roundsTo99),
    scaled(rows, "grows as log4 N + (ln N) / 3", toAll, ({ roundsToAll }) => roundsToAll),
  ]);
}

function joinPanel(rows: readonly ScaleRow[]): Panel {
  const joins = measured(rows, "all list all", 0, ({ convergenceMs }) => convergenceMs);
  // One sample of each size: no growth can be read from it.
  const title = `${NEWCOMERS} join at once (one sample)`;
  return sizePanel(title, "milliseconds", rows, [{ ...joins, unconnected: true }]);
}

function deathPanel(rows: readonly ScaleRow[]): Panel {
  return sizePanel("A process is killed", "seconds", rows, [
    measured(rows, "all list it failed", 0, ({ deaths }) => deaths.medianMs / 1_000),
    formula(rows, "2.6 s + 4 s x log10 N", ({ deathMs }) => deathMs / 1_000),
  ]);
}

function packetPanel(rows: readonly ScaleRow[]): Panel {
  return sizePanel("Datagrams", "packets for each node and second", rows, [
    measured(rows, "packets", 0, ({ rates }) => rates.packets),
    formula(rows, "one ping, one answer", ({ idlePackets }) => idlePackets),
  ]);
}

function bytePanel(rows: readonly ScaleRow[]): Panel {
  const streams = measured(rows, "push/pulls (streams)", 1, ({ rates }) => rates.streamBytes);
  const states = rows.map(({ nodes }) => nodes / theory(nodes).pushPullMs);
  const first = rows[0]!.rates.streamBytes / states[0]!;
  return sizePanel("Bytes", "bytes for each node and second", rows, [
    measured(rows, "datagrams", 0, ({ rates }) => rates.packetBytes),
    streams,
    {
      name: "grows as N / push/pull interval",
      color: THEORY,
      dashed: true,
      points: rows.map(({ nodes }, i) => ({ x: nodes, y: first * states[i]! })),
    },
  ]);
}

/** Where zero stands on the logarithmic axis of false deaths. */
const ZERO = 0.01;

function falseDeathPanel(rows: readonly ScaleRow[]): Panel {
  const names = [
    ...new Set(rows.flatMap(({ falseDeaths }) => falseDeaths.map(networkName))),
  ].sort((a, b) => Number(a.endsWith("slow")) - Number(b.endsWith("slow")));
  const series = rows.map(({ nodes, falseDeaths }, i): Series => ({
    name: `${count(nodes)} nodes`,
    color: COLORS[i % COLORS.length]!,
    unconnected: true,
    points: falseDeaths.map((counted): Point => {
      const [least, rate, most] = counted.perNodeHour;
      const aside = (i - (rows.length - 1) / 2) * 0.12;
      return {
        x: names.indexOf(networkName(counted)) + aside,
        y: Math.max(ZERO, rate),
        range: [Math.max(ZERO, least), Math.max(ZERO, most)],
        hollow: counted.deaths === 0,
      };
    }),
  }));
  const highest = Math.max(
    1,
    ...series.flatMap(({ points }) => points.map(({ range }) => range![1])),
  );
  return {
    title: "Hollow: none was seen; bars: 95 % Poisson interval",
    x: {
      title: "network",
      ticks: names.map((name, i) => [i, name]),
      from: -0.5,
      to: names.length - 0.5,
    },
    y: {
      title: "false deaths for each node and hour",
      ticks: powers(ZERO, highest).map((value) => [value, value === ZERO ? "0" : String(value)]),
      from: ZERO,
      to: powers(ZERO, highest).at(-1)!,
      logarithmic: true,
    },
    series,
  };
}

/** Powers of ten from `from` up to the first that is not below `to`. */
function powers(from: number, to: number): number[] {
  const values = [from];
  while (values.at(-1)! < to) values.push(Number((values.at(-1)! * 10).toPrecision(1)));
  return values;
}

function sizePanel(
  title: string,
  unit: string,
  rows: readonly ScaleRow[],
  series: readonly Series[],
): Panel {
  const highest = Math.max(...series.flatMap(({ points }) => points.map(({ y }) => y)));
  const sizes = rows.map(({ nodes }) => nodes);
  const x: Axis = {
    title: "nodes",
    ticks: sizes.map((nodes) => [nodes, count(nodes)]),
    from: Math.min(...sizes) / 1.4,
    to: Math.max(...sizes) * 1.4,
    logarithmic: true,
  };
  return { title, x, y: fromZero(unit, highest), series };
}

/** An axis from 0 with four to eight round ticks. */
function fromZero(title: string, highest: number): Axis {
  const power = 10 ** Math.floor(Math.log10(highest));
  const step = [0.2, 0.5, 1, 2].map((part) => part * power).find((one) => highest / one <= 7)!;
  const steps = Math.ceil(highest * 1.02 / step);
  const ticks = Array.from({ length: steps + 1 }, (_, i) => {
    const value = i * step;
    return [value, step < 1 ? value.toFixed(1) : count(value)] as const;
  });
  return { title, ticks, from: 0, to: steps * step };
}

function measured(
  rows: readonly ScaleRow[],
  name: string,
  color: number,
  value: (row: ScaleRow) => number,
): Series {
  const points = rows.map((row) => ({ x: row.nodes, y: value(row) }));
  return { name, color: COLORS[color]!, points };
}

/** What a formula says by itself. */
function formula(
  rows: readonly ScaleRow[],
  name: string,
  value: (theory: Theory) => number,
): Series {
  const points = rows.map(({ nodes }) => ({ x: nodes, y: value(theory(nodes)) }));
  return { name, color: THEORY, dashed: true, points };
}

/** The growth that a formula says, from the first measured point on. */
function scaled(
  rows: readonly ScaleRow[],
  name: string,
  from: Series,
  value: (theory: Theory) => number,
): Series {
  const first = from.points[0]!.y / value(theory(rows[0]!.nodes));
  const line = formula(rows, name, (each) => first * value(each));
  return { ...line, color: from.color };
}
