/**
 * The scripts of a release: archives, and the run that tries a binary.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { freePort, skein } from "../support/agents.ts";
import { loopback } from "../support/loopback.ts";

const HOST = loopback();
const ROOT = join(import.meta.dirname ?? ".", "..", "..");

async function bash(
  args: string[],
  env: Record<string, string> = {},
): Promise<{ code: number; stdout: string }> {
  const command = new Deno.Command("bash", { args, env, cwd: ROOT, stdin: "null" });
  const { code, stdout } = await command.output();
  return { code, stdout: new TextDecoder().decode(stdout) };
}

for (
  const { binary, target, own } of [
    { binary: "linux", target: "linux-x64", own: ["skein", "skein.service"] },
    { binary: "windows.exe", target: "windows-x64", own: ["skein.exe"] },
  ]
) {
  Deno.test(`an archive for ${target} has what belongs to it, and the same bytes each time`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const program = join(folder, binary);
      const archive = join(folder, `skein-${target}.tar.gz`);
      const made: Uint8Array[] = [];
      for (const time of [1, 2]) {
        await Deno.writeTextFile(program, "binary");
        await Deno.utime(program, time, time);
        const { code } = await bash(["packaging/archive.sh", program, `skein-${target}`, folder]);
        assert.equal(code, 0);
        made.push(await Deno.readFile(archive));
      }
      assert.deepEqual(made[0], made[1]);
      const { stdout } = await bash(["-c", `tar -tzf ${archive}`]);
      assert.deepEqual(
        stdout.trim().split("\n"),
        ["", "CHANGELOG.md", "LICENSE", "README.md", ...own].map((name) =>
          `skein-${target}/${name}`
        ),
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

Deno.test("the smoke run passes with skein, and fails with a program that does nothing", async () => {
  const env = {
    SMOKE_BIND: `${HOST}:${await freePort(HOST)}`,
    SMOKE_RPC: `${HOST}:${await freePort(HOST)}`,
  };
  const good = await bash(["packaging/smoke.sh", ...skein.command], env);
  assert.equal(good.stdout.trim().split("\n").at(-1), "ok", good.stdout);
  assert.equal(good.code, 0);
  assert.equal((await bash(["packaging/smoke.sh", "true"], env)).code, 1);
});
