/**
 * Lines out of bytes that were cut anywhere.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ENDLESS, LineSplitter, TOO_LONG } from "../../../protocol/kv/line_splitter.ts";
import { below } from "../../support/random_value.ts";
import { SeededRandom } from "../../support/simulation/random.ts";

const SEED = Number(Deno.env.get("SKEIN_SEED") ?? Math.floor(Math.random() * 2 ** 32));
const LIMITS = { lineBytes: 8, skippedBytes: 30 };

/** What comes out of pieces. */
function split(pieces: readonly string[]): { lines: string[]; splitter: LineSplitter } {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => {
    lines.push(
      line === TOO_LONG
        ? "(too long)"
        : line === ENDLESS
        ? "(endless)"
        : new TextDecoder().decode(line),
    );
  }, LIMITS);
  for (const piece of pieces) splitter.push(new TextEncoder().encode(piece));
  return { lines, splitter };
}

/** Texts, and the lines in them. */
const TEXTS: readonly [text: string, lines: string[]][] = [
  ["", []],
  ["a", []],
  ["a\n", ["a"]],
  ["a\nb\r\nc", ["a", "b"]],
  ["\n\r\n\n", []],
  ["a\rb\n", ["a\rb"]],
  ["a\r\r\n", ["a\r"]],
  ["12345678\n12345678\r\nx\n", ["12345678", "12345678", "x"]],
  ["123456789\nx\n", ["(too long)", "x"]],
  ["12345678\rz\nx\n", ["(too long)", "x"]],
  ["123456789\r\nx\n", ["(too long)", "x"]],
  [`${"x".repeat(38)}\nx\n`, ["(too long)", "x"]],
];

Deno.test("lines are the same however the bytes are cut", () => {
  const random = new SeededRandom(SEED);
  for (const [text, lines] of TEXTS) {
    assert.deepEqual(split([...text]).lines, lines, JSON.stringify(text));
    for (let round = 0; round < 50; round++) {
      const pieces: string[] = [];
      for (let at = 0; at < text.length;) {
        const next = at + 1 + below(random, text.length - at);
        pieces.push(text.slice(at, next));
        at = next;
      }
      assert.deepEqual(split(pieces).lines, lines, `${JSON.stringify(pieces)}, seed ${SEED}`);
    }
  }
});

Deno.test("a line that is too long is told as soon as that is known", () => {
  assert.deepEqual(split(["1234", "5678", "9"]).lines, ["(too long)"]);
  assert.deepEqual(split(["12345678\r"]).lines, []);
  assert.deepEqual(split(["12345678\r", "x"]).lines, ["(too long)"]);
});

Deno.test("a line without end is told once, and nothing follows", () => {
  const { lines } = split([...Array(20).fill("1234"), "\na\n", "b\n"]);
  assert.deepEqual(lines, ["(too long)", "(endless)"]);
});

Deno.test("it tells where it is, and holds no more than a line", () => {
  const { splitter } = split(["a\n12"]);
  assert.deepEqual([splitter.ended, splitter.pending, splitter.inside], [1, 2, true]);
  splitter.push(new TextEncoder().encode("3456789"));
  assert.deepEqual([splitter.ended, splitter.pending, splitter.inside], [1, 0, true]);
  splitter.push(new TextEncoder().encode("x\n"));
  assert.deepEqual([splitter.ended, splitter.pending, splitter.inside], [2, 0, false]);
});
