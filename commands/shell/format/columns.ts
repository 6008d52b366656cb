/**
 * Text in columns (docs/spec/agent.md 7.10).
 *
 * @module
 */

/** How {@linkcode columns} lays out. */
export interface ColumnsOptions {
  /** Wraps a cell of a column in a colour after the widths are known. */
  readonly paint?: ((cell: string, column: number) => string) | undefined;
  /**
   * Whether the rows are for a screen: a cell is as wide as it looks there. Default false, as Serf: a `|` splits a cell
   * into two, and a cell is as wide as it has code points.
   */
  readonly onScreen?: boolean;
}

/**
 * Lays out rows in columns, two spaces apart, each cell trimmed and padded to the widest of its column except the last of
 * its row.
 *
 * @param rows The cells of each row; rows may differ in length.
 * @returns The lines, joined by newlines.
 */
export async function columns(
  rows: readonly (readonly string[])[],
  { paint = (cell) => cell, onScreen = false }: ColumnsOptions = {},
): Promise<string> {
  const cells = rows.map((row) => {
    const split = onScreen ? row : row.flatMap((cell) => cell.split("|"));
    return split.map((cell) => cell.trim());
  });
  const widthOf = onScreen ? await widthOnScreen(cells) : characters;
  const table = cells.map((row) => row.map((text) => ({ text, width: widthOf(text) })));
  const widths: number[] = [];
  for (const row of table) {
    row.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, cell.width));
  }
  return table.map((row) =>
    row.map(({ text, width }, column) => {
      const padding = column === row.length - 1 ? 0 : (widths[column] ?? 0) - width + 2;
      return paint(text, column) + " ".repeat(padding);
    }).join("")
  ).join("\n");
}

/** Counts code points. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** How wide a cell looks. The tables for that are loaded when a cell is not ASCII. */
async function widthOnScreen(
  rows: readonly (readonly string[])[],
): Promise<(text: string) => number> {
  // deno-lint-ignore no-control-regex
  const ascii = /^[\x00-\x7f]*$/;
  if (rows.every((row) => row.every((cell) => ascii.test(cell)))) return (text) => text.length;
  const { default: stringWidth } = await import("string-width");
  return (text) => ascii.test(text) ? text.length : stringWidth(text);
}
