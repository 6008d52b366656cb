import assert from "node:assert/strict";
import { columns } from "../../../../commands/shell/format/columns.ts";

Deno.test("columns() pads every cell but the last of its row", () => {
  assert.equal(
    columns([
      ["a", "127.0.0.1:19946", "alive", "u=1,role=web"],
      ["t", "127.0.0.1:19960", "left", ""],
      ["s", "127.0.0.1:19960", "failed", "role=db"],
    ]),
    "a  127.0.0.1:19946  alive   u=1,role=web\n" +
      "t  127.0.0.1:19960  left    \n" +
      "s  127.0.0.1:19960  failed  role=db",
  );
});

Deno.test("columns() keeps an empty cell in the middle as wide as its column", () => {
  assert.equal(columns([["a", "tag", "z"], ["b", "", "z"]]), "a  tag  z\nb       z");
});

Deno.test("columns() trims cells and counts characters, not bytes or UTF-16 units", () => {
  assert.equal(columns([["  𝒶ä ", "x"], ["abc", "y"]]), "𝒶ä   x\nabc  y");
});

Deno.test("columns() splits a cell at '|' as Serf does", () => {
  assert.equal(columns([["a|b", "x"], ["cc", "y", "z"]]), "a   b  x\ncc  y  z");
});

Deno.test("columns() lays out rows of different lengths", () => {
  assert.equal(columns([["a"], ["bb", "c"], ["d", "e", "f"]]), "a\nbb  c\nd   e  f");
  assert.equal(columns([]), "");
});

Deno.test("columns() paints without changing widths", () => {
  const paint = (cell: string, column: number) => column === 1 ? `<<${cell}>>` : cell;
  assert.equal(columns([["a", "b", "c"], ["a", "bb", "c"]], paint), "a  <<b>>   c\na  <<bb>>  c");
});
