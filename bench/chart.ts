/**
 * A bar chart of ratios as SVG.
 *
 * @module
 */

import type { Measure } from "./measure.ts";
import { figure, type Part } from "./table.ts";

const ROW = 22;
const HEADING = 30;
const LABEL = 350;
const WIDTH = 1020;
const FIGURES = 190;
const TOP = 62;

/**
 * Bars on a logarithmic axis: to the right skein is better, to the left `other` is, whose figures are in the place of
 * serf's. A mark shows the goal.
 */
export function ratioChart(
  title: string,
  note: string,
  parts: readonly Part[],
  other = "serf",
): string {
  const groups = parts.map((part) => ({
    title: part.title,
    rows: part.measures.filter(({ ratio, goal }) => goal && ratio !== undefined && ratio > 0),
  })).filter(({ rows }) => rows.length > 0);
  const reach = Math.max(
    1,
    ...groups.flatMap(({ rows }) => rows.map((row) => Math.abs(gain(row)))),
  );
  const half = (WIDTH - LABEL - FIGURES - 110) / 2;
  const zero = LABEL + half + 50;
  const x = (value: number): number => zero + value / reach * half;
  const lines: string[] = [];
  let y = TOP;
  for (const group of groups) {
    lines.push(text(10, y + 20, group.title, `font-weight="bold"`));
    y += HEADING;
    for (const row of group.rows) {
      lines.push(...bar(row, y, x));
      y += ROW;
    }
  }
  const height = y + 14;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(10, 22, title, `font-size="16" font-weight="bold"`),
    text(10, 42, note, `fill="#666"`),
    text(zero - 8, 58, `${other} better`, `text-anchor="end" fill="#a33"`),
    text(zero + 8, 58, "skein better", `fill="#275"`),
    text(WIDTH - 10, 58, `${other} / skein`, `text-anchor="end" fill="#666"`),
    ...lines,
    `<line x1="${fixed(zero)}" x2="${fixed(zero)}" y1="${TOP}" y2="${height - 8}" stroke="#666"/>`,
    "</svg>",
  ].join("\n") + "\n";
}

/** The bar of one figure with its name, its ratio, its goal and both medians. */
function bar(row: Measure, y: number, x: (gain: number) => number): string[] {
  const better = gain(row);
  const [from, to] = better < 0 ? [x(better), x(0)] : [x(0), x(better)];
  const width = fixed(Math.max(1, to - from));
  const [beside, anchor] = better < 0 ? [from - 5, "end"] : [to + 5, "start"];
  const base = y + 15;
  const lines = [
    text(24, base, row.name),
    `<rect x="${fixed(from)}" y="${y + 4}" width="${width}" height="${ROW - 8}" fill="${
      better < 0 ? "#d98880" : "#7fb58a"
    }"/>`,
    text(beside, base, `${(2 ** Math.abs(better)).toPrecision(3)}x`, `text-anchor="${anchor}"`),
    text(
      WIDTH - 10,
      base,
      `${figure(row.serf!.median)} / ${figure(row.skein!.median)} ${row.unit}`,
      `text-anchor="end" fill="#666"`,
    ),
  ];
  if (row.goal?.of === "skein / serf") {
    const goal = fixed(x(Math.log2(row.more ? row.goal.bound : 1 / row.goal.bound)));
    lines.push(
      `<line x1="${goal}" x2="${goal}" y1="${y + 1}" y2="${
        y + ROW - 1
      }" stroke="#222" stroke-width="2"/>`,
    );
  }
  return lines;
}

/** How much better skein is, in doublings. */
function gain({ ratio, more }: Measure): number {
  return Math.log2(more ? ratio! : 1 / ratio!);
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const escaped = content.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
  return `<text x="${fixed(x)}" y="${y}" ${attributes}>${escaped}</text>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
