/**
 * Tests on a network of their own: a test file of `tests/support/` runs in a network namespace of Linux. Nothing is ever sent on
 * a real interface.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";

/** How a network is made. */
export interface Network {
  /** Lines of a shell script, run before the tests. */
  readonly setup: readonly string[];
  /** The test file that runs on it, below `tests/support/`. */
  readonly file: string;
}

/** Registers a test that passes when all tests of a file do, on a network of its own; skipped loudly where there is none. */
export function namespaceTest(name: string, { setup, file }: Network): void {
  const problem = whyImpossible(setup);
  if (problem !== undefined) {
    const notice = `\n!!! SKIPPED, no network namespace on this machine (${problem}): ${name}\n\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(notice));
  }
  Deno.test({ name, ignore: problem !== undefined, fn: () => runAll(setup, file) });
}

async function runAll(setup: readonly string[], file: string): Promise<void> {
  const inner = join(import.meta.dirname ?? ".", file);
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  // In the namespace there is no registry.
  const cached = await new Deno.Command(Deno.execPath(), { args: ["cache", "-q", inner] }).output();
  assert.ok(cached.success, text(cached.stderr));
  const command = `exec "${Deno.execPath()}" test -A --no-check --cached-only "${inner}"`;
  const { code, stdout, stderr } = await isolated([...setup, command]).output();
  assert.equal(code, 0, text(stdout) + text(stderr));
  assert.match(text(stdout), /\| [1-9]\d* passed \| 0 failed/);
}

/** Runs a script with a network and mounts of its own; as another user than root, in a user namespace as well. */
function isolated(script: readonly string[]): Deno.Command {
  const flags = Deno.uid() === 0 ? "-mn" : "-rmn";
  return new Deno.Command("unshare", {
    args: [flags, "sh", "-c", ["set -e", ...script].join("\n")],
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
}

function whyImpossible(setup: readonly string[]): string | undefined {
  if (Deno.build.os !== "linux") return "only Linux has network namespaces";
  try {
    const { success, stderr } = isolated(setup).outputSync();
    return success ? undefined : new TextDecoder().decode(stderr).trim();
  } catch (error) {
    return (error as Error).message;
  }
}
