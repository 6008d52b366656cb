/**
 * Tests that need HashiCorp's `serf`: run with it, skipped loudly without it, and failed without it when
 * `SKEIN_REQUIRE_SERF=1` says that it has to be here (CI says so).
 *
 * @module
 */

import { newestSerf, type Program, serf } from "../agents.ts";

/** Registers a test that gets the Go program of this machine. */
export function goTest(name: string, body: (serf: Program) => Promise<void>): void {
  register(name, serf, { requiredBy: "SKEIN_REQUIRE_SERF", hint: "apt install serf" }, body);
}

/** Registers a test that gets the newest Go program; only a machine with Go can have it, so CI does not insist. */
export function newestGoTest(name: string, body: (serf: Program) => Promise<void>): void {
  const hint = "go install github.com/hashicorp/serf/cmd/serf@v0.11.0";
  register(name, newestSerf, { requiredBy: "SKEIN_REQUIRE_NEWEST_SERF", hint }, body);
}

function register(
  name: string,
  program: Program | undefined,
  { requiredBy, hint }: { requiredBy: string; hint: string },
  body: (serf: Program) => Promise<void>,
): void {
  if (program !== undefined) {
    Deno.test(`${name} [${program.label}]`, () => body(program));
  } else if (Deno.env.get(requiredBy) === "1") {
    Deno.test(name, () => {
      throw new Error(`${requiredBy}=1, but this machine has no such serf program`);
    });
  } else {
    Deno.stderr.writeSync(new TextEncoder().encode(
      `\n!!! SKIPPED, no serf program on this machine (${hint}): ${name}\n\n`,
    ));
    Deno.test({ name, ignore: true, fn: () => {} });
  }
}
