import assert from "node:assert/strict";
import { columns } from "../../../../commands/shell/format/columns.ts";

Deno.test("columns() pads every cell but the last of its row", async () => {
  assert.equal(
    await columns([
      ["a", "127.0.0.1:19946", "alive", "u=1,role=web"],
      ["t", "127.0.0.1:19960", "left", ""],
      ["s", "127.0.0.1:19960", "failed", "role=db"],
    ]),
    "a  127.0.0.1:19946  alive   u=1,role=web\n" +
      "t  127.0.0.1:19960  left    \n" +
      "s  127.0.0.1:19960  failed  role=db",
  );
});

Deno.test("columns() keeps an empty cell in the middle as wide as its column", async () => {
  assert.equal(await columns([["a", "tag", "z"], ["b", "", "z"]]), "a  tag  z\nb       z");
});

Deno.test("columns() trims cells and counts characters, not bytes or UTF-16 units", async () => {
  assert.equal(await columns([["  𝒶ä ", "x"], ["abc", "y"]]), "𝒶ä   x\nabc  y");
});

Deno.test("columns() splits a cell at '|' as Serf does", async () => {
  assert.equal(await columns([["a|b", "x"], ["cc", "y", "z"]]), "a   b  x\ncc  y  z");
});

Deno.test("columns() for a screen counts what a cell takes there, and keeps '|' as it is", async () => {
  const rows = [["漢字", "x"], ["cafe\u0301", "y"], ["👨‍👩‍👧", "z"], ["a|b", "w"]];
  assert.equal(
    await columns(rows, { onScreen: true }),
    "漢字  x\ncafe\u0301  y\n👨‍👩‍👧    z\na|b   w",
  );
  assert.equal(await columns([["a|b", "x"], ["c", "y"]], { onScreen: true }), "a|b  x\nc    y");
});

Deno.test("columns() lays out rows of different lengths", async () => {
  assert.equal(await columns([["a"], ["bb", "c"], ["d", "e", "f"]]), "a\nbb  c\nd   e  f");
  assert.equal(await columns([]), "");
});

Deno.test("columns() paints without changing widths", async () => {
  const paint = (cell: string, column: number) => column === 1 ? `<<${cell}>>` : cell;
  assert.equal(
    await columns([["a", "b", "c"], ["a", "bb", "c"]], { paint }),
    "a  <<b>>   c\na  <<bb>>  c",
  );
});
