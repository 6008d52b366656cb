/**
 * A bar chart of ratios as SVG.
 *
 * @module
 */

import type { Measure } from "./measure.ts";

const ROW = 22;
const LABEL = 330;
const WIDTH = 900;
const TOP = 46;

/** Bars on a logarithmic axis: to the right skein is better, to the left serf is. A mark shows the goal. */
export function ratioChart(title: string, measures: readonly Measure[]): string {
  const rows = measures.filter(({ ratio }) => ratio !== undefined && ratio > 0);
  const gains = rows.map(({ ratio, more }) => Math.log2(more ? ratio! : 1 / ratio!));
  const reach = Math.max(1, ...gains.map(Math.abs));
  const half = (WIDTH - LABEL - 90) / 2;
  const zero = LABEL + half + 20;
  const x = (gain: number): number => zero + gain / reach * half;
  const height = TOP + rows.length * ROW + 16;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="10" y="20" font-size="15" font-weight="bold">${escape(title)}</text>`,
    `<text x="${zero - 8}" y="38" text-anchor="end" fill="#a33">serf better</text>`,
    `<text x="${zero + 8}" y="38" fill="#274">skein better</text>`,
  ];
  rows.forEach((row, i) => {
    const y = TOP + i * ROW;
    const gain = gains[i]!;
    const [from, to] = gain < 0 ? [x(gain), zero] : [zero, x(gain)];
    const times = 2 ** Math.abs(gain);
    const end = gain < 0 ? `x="${from - 5}" text-anchor="end"` : `x="${to + 5}"`;
    parts.push(
      `<text x="${LABEL - 6}" y="${y + 14}" text-anchor="end">${escape(row.name)}</text>`,
      `<rect x="${fixed(from)}" y="${y + 3}" width="${fixed(Math.max(1, to - from))}" height="${
        ROW - 7
      }" fill="${gain < 0 ? "#d98880" : "#7fb58a"}"/>`,
      `<text ${end} y="${y + 14}">${times.toPrecision(3)}x</text>`,
    );
    if (row.goal?.of === "skein / serf") {
      const goal = x(Math.log2(row.more ? row.goal.bound : 1 / row.goal.bound));
      parts.push(
        `<line x1="${fixed(goal)}" x2="${fixed(goal)}" y1="${y + 1}" y2="${
          y + ROW - 2
        }" stroke="#333" stroke-width="2"/>`,
      );
    }
  });
  parts.push(
    `<line x1="${zero}" x2="${zero}" y1="${TOP - 4}" y2="${height - 12}" stroke="#666"/>`,
    "</svg>",
  );
  return parts.join("\n") + "\n";
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
}
