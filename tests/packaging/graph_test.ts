/**
 * The runtime reads every file that a whole path in the code names before it begins, used or not: the state's code is none of
 * those, or each command and each plain agent would start later and be larger.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");

/** Rooms that only servers of the state need, and the files in them that others do as well: words, no code. */
const ROOMS = /^(?:cluster\/(?:raft|machine)|server\/(?:replica|kv|sessions|topics))\//;
const WORDS = ["server/replica/errors.ts", "server/replica/gossip_tag.ts"];

/** As far as `deno info --json` is looked at. */
interface Graph {
  readonly roots: readonly string[];
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
  }[];
}

/** What guards a key-value port, which few have. */
const GUARD = /^server\/(?:kv\/access\/|net\/wire\/tls\.ts)/;

Deno.test("what is read before any command begins has nothing of the replicated state", async () => {
  const files = await filesOf("cli.ts");
  assert.ok(files.includes("commands/agent/agent.ts") && files.includes("server/run/run.ts"));
  assert.deepEqual(files.filter((file) => ROOMS.test(file) && !WORDS.includes(file)), []);
});

Deno.test("a server reads nothing of what guards its port before it is to be guarded", async () => {
  const files = await filesOf("server/agent/server/server_state.ts");
  assert.ok(files.includes("server/kv/port.ts"));
  assert.deepEqual(files.filter((file) => GUARD.test(file)), []);
  assert.ok((await filesOf("server/kv/access/guard.ts")).some((file) => GUARD.test(file)));
});

/** Own files that a program loads, or may load; imports of types alone do not count. */
async function filesOf(program: string): Promise<string[]> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", program],
    cwd: ROOT,
  }).output();
  assert.ok(success);
  const { roots, modules }: Graph = JSON.parse(new TextDecoder().decode(stdout));
  const known = new Map(modules.map((module) => [module.specifier, module.dependencies ?? []]));
  const seen = new Set(roots);
  for (const one of seen) {
    for (const { code } of known.get(one) ?? []) {
      if (code?.specifier !== undefined) seen.add(code.specifier);
    }
  }
  return [...seen].filter((one) => one.startsWith("file:"))
    .map((one) => relative(ROOT, fileURLToPath(one)));
}
