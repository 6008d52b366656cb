/**
 * Text in columns (docs/spec/agent.md 7.10).
 *
 * @module
 */

/**
 * Lays out rows in columns, two spaces apart, each cell padded to the widest of its column except the last of its row.
 *
 * A cell is trimmed. A `|` in a cell splits it into two, as in Serf, where it is the column delimiter.
 *
 * @param rows The cells of each row; rows may differ in length.
 * @param paint Called with each cell and its column, to wrap it in a colour after the widths are known.
 * @returns The lines, joined by newlines.
 */
export function columns(
  rows: readonly (readonly string[])[],
  paint: (cell: string, column: number) => string = (cell) => cell,
): string {
  const table = rows.map((row) =>
    row.flatMap((cell) => cell.split("|")).map((cell) => {
      const text = cell.trim();
      return { text, width: characters(text) };
    })
  );
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

/** Counts code points, as the width of a cell is counted. */
function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
