/**
 * Points and lines over an axis, as SVG.
 *
 * @module
 */

/** A place on a chart. */
export interface Point {
  readonly x: number;
  readonly y: number;
  /** Where a bar of uncertainty begins and ends. */
  readonly range?: readonly [number, number];
  /** A hollow mark: nothing was seen there. */
  readonly hollow?: boolean;
}

/** Points that belong together. */
export interface Series {
  readonly name: string;
  readonly color: string;
  readonly points: readonly Point[];
  /** A dashed line without marks: theory. */
  readonly dashed?: boolean;
  /** Marks without a line: what is side by side does not lead from one to the other. */
  readonly unconnected?: boolean;
}

/** An axis. */
export interface Axis {
  readonly title: string;
  /** Ticks with their labels. */
  readonly ticks: readonly (readonly [value: number, label: string])[];
  readonly from: number;
  readonly to: number;
  readonly logarithmic?: boolean;
}

/** One diagram. */
export interface Panel {
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

const PANEL = { width: 480, height: 360 } as const;
const PLOT = { left: 72, right: 18, top: 72, bottom: 92 } as const;
const HEAD = 54;
const LEGEND_LINE = 16;

/** Diagrams side by side under one title. */
export function lineCharts(title: string, note: string, panels: readonly Panel[]): string {
  const width = PANEL.width * panels.length;
  const height = HEAD + PANEL.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="#222">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(14, 24, title, `font-size="16" font-weight="bold"`),
    text(14, 44, note, `fill="#666"`),
    ...panels.map((panel, i) =>
      `<g transform="translate(${i * PANEL.width} ${HEAD})">\n${drawn(panel).join("\n")}\n</g>`
    ),
    "</svg>",
  ].join("\n") + "\n";
}

function drawn({ title, x, y, series }: Panel): string[] {
  const [left, right] = [PLOT.left, PANEL.width - PLOT.right];
  const [top, bottom] = [PLOT.top, PANEL.height - PLOT.bottom];
  const atX = (value: number): number => left + share(x, value) * (right - left);
  const atY = (value: number): number => bottom - share(y, value) * (bottom - top);
  const lines = [text(14, 22, title, `font-weight="bold"`), text(14, 42, y.title, `fill="#666"`)];
  for (const [value, label] of y.ticks) {
    const at = atY(value);
    lines.push(line(left, at, right, at, `stroke="#ddd"`));
    lines.push(text(left - 8, at + 4, label, `text-anchor="end"`));
  }
  for (const [value, label] of x.ticks) {
    const at = atX(value);
    lines.push(line(at, bottom, at, bottom + 5, `stroke="#666"`));
    lines.push(text(at, bottom + 19, label, `text-anchor="middle"`));
  }
  lines.push(line(left, bottom, right, bottom, `stroke="#666"`));
  lines.push(text((left + right) / 2, bottom + 38, x.title, `text-anchor="middle" fill="#666"`));
  for (const one of series) lines.push(...curve(one, atX, atY));
  series.forEach((one, i) => {
    const column = left - 50 + (i % 2) * 225;
    lines.push(...legend(one, column, bottom + 58 + Math.floor(i / 2) * LEGEND_LINE));
  });
  return lines;
}

function curve(
  { points, color, dashed, unconnected }: Series,
  atX: (value: number) => number,
  atY: (value: number) => number,
): string[] {
  const path = points.map(({ x, y }) => `${fixed(atX(x))},${fixed(atY(y))}`).join(" ");
  const dash = dashed ? ` stroke-dasharray="5 4"` : "";
  const lines: string[] = [];
  if (!unconnected) {
    lines.push(
      `<polyline points="${path}" fill="none" stroke="${color}" stroke-width="1.6"${dash}/>`,
    );
  }
  if (dashed) return lines;
  for (const { x, y, range, hollow } of points) {
    if (range !== undefined) {
      const [from, to] = range.map(atY) as [number, number];
      lines.push(line(atX(x), from, atX(x), to, `stroke="${color}"`));
      for (const at of [from, to]) {
        lines.push(line(atX(x) - 4, at, atX(x) + 4, at, `stroke="${color}"`));
      }
    }
    const fill = hollow ? "#fff" : color;
    lines.push(
      `<circle cx="${fixed(atX(x))}" cy="${
        fixed(atY(y))
      }" r="4" fill="${fill}" stroke="${color}" stroke-width="1.5"/>`,
    );
  }
  return lines;
}

function legend({ name, color, dashed, unconnected }: Series, x: number, y: number): string[] {
  const dash = dashed ? ` stroke-dasharray="5 4"` : "";
  const mark = line(x, y - 4, x + 26, y - 4, `stroke="${color}" stroke-width="1.6"${dash}`);
  const dot = `<circle cx="${x + 13}" cy="${y - 4}" r="4" fill="${color}"/>`;
  return [...(unconnected ? [] : [mark]), ...(dashed ? [] : [dot]), text(x + 32, y, name)];
}

function share({ from, to, logarithmic }: Axis, value: number): number {
  if (!logarithmic) return (value - from) / (to - from);
  return Math.log(value / from) / Math.log(to / from);
}

function line(x1: number, y1: number, x2: number, y2: number, more: string): string {
  return `<line x1="${fixed(x1)}" y1="${fixed(y1)}" x2="${fixed(x2)}" y2="${fixed(y2)}" ${more}/>`;
}

function text(x: number, y: number, words: string, more = ""): string {
  const escaped = words.replace(/[&<>]/g, (char) => `&#${char.charCodeAt(0)};`);
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${more}>${escaped}</text>`;
}

function fixed(value: number): string {
  return value.toFixed(1);
}
