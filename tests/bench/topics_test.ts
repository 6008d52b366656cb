/**
 * `deno task bench:topics` on its smallest scale: the figures are there, and wrong options are told.
 *
 * @module
 */

import assert from "node:assert/strict";

const PROGRAM = new URL("../../bench/topics/main.ts", import.meta.url).pathname;

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const command = new Deno.Command(Deno.execPath(), { args: ["run", "-A", PROGRAM, ...args] });
  const { code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

Deno.test("a small run fills every row of the codec's figures", async () => {
  const { code, out } = await run("--quick", "--rounds", "1");
  assert.equal(code, 0);
  const figures = new Map(
    [...out.matchAll(/^\| (\w.*?), us\s*\|\s*([\d.,]+)[^|]*\|/gm)].map((row) => {
      return [row[1], Number(row[2]?.replaceAll(",", ""))];
    }),
  );
  assert.equal(figures.size, 8, out);
  for (const [name, us] of figures) assert.ok(us > 0.01 && us < 10_000, `${name}: ${us}`);
  assert.match(out, /^## Encode$/m);
  assert.match(out, /^## Decode$/m);
});

Deno.test("parts and rounds that make no sense are told", async () => {
  const part = await run("--only", "nothing");
  assert.deepEqual([part.code, part.out], [1, ""]);
  assert.equal(part.err, "Unknown part 'nothing': expected some of encode, decode\n");
  const rounds = await run("--rounds", "0");
  assert.deepEqual([rounds.code, rounds.err], [1, "Expected a number of rounds, got '0'\n"]);
});
