import assert from "node:assert/strict";
import { join } from "node:path";

const BENCH = join(import.meta.dirname ?? ".", "..", "..", "bench");

async function run(name: string, ...args: string[]): Promise<[number, string, string]> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", join(BENCH, name), ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return [code, text(stdout), text(stderr)];
}

Deno.test("benchmarks tell their options, and refuse others in a line", async () => {
  for (const name of ["state", "serf", "scale"]) {
    const usage = `Usage: deno task bench:${name} [--`;
    const [code, help, nothing] = await run(`${name}.ts`, "--help");
    assert.deepEqual([code, nothing], [0, ""]);
    assert.ok(help.startsWith(usage), help);
    for (const [args, said] of [[["--fast"], "'--fast'"], [["x"], "'x'"], [["--out"], "'--out"]]) {
      const [wrong, , told] = await run(`${name}.ts`, ...args as string[]);
      assert.equal(wrong, 1);
      const [problem = "", hint = "", ...rest] = told.trimEnd().split("\n");
      assert.ok(problem.includes(said as string), told);
      assert.ok(hint.startsWith(usage) && rest.length === 0, told);
    }
  }
});
