/**
 * docs/KV.md: its examples as somebody pastes them, and its tables beside the code.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { ACTIONS } from "../../protocol/kv/actions/actions.ts";
import { blocksOf, runTour } from "../support/docs/tour.ts";
import { brief, serve } from "../support/kv/stage.ts";
import { loopback } from "../support/loopback.ts";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");
const HOST = loopback();
const page = await Deno.readTextFile(join(ROOT, "docs", "KV.md"));

/** Where failures are made that clients see ... */
const SOURCES = ["cluster/machine", "protocol/kv", "server/kv", "server/replica"];

/** ... but for those of topics, which this port does not serve. */
const OTHER_PORTS = ["topics"];

/** Between servers' parts: no client sees it. */
const INTERNAL = "404 NOT_ANSWERED";

Deno.test("the page about keys and values works as it stands", async (t) => {
  const install = (await blocksOf("GETTING-STARTED.md")).slice(0, 1);
  const blocks = await blocksOf("KV.md");
  assert.ok(blocks.length > 12);
  await runTour(t, [...install, ...blocks], HOST);
});

Deno.test("docs/KV.md has each action with its members", () => {
  const sections = page.split(/^### /m).slice(1);
  const told = sections.map((section) => {
    const [name = ""] = section.split("\n");
    const [table = ""] = section.split("\n## ");
    return [name, [...table.matchAll(/^\| `(\w+)` /gm)].map(([, member]) => member).sort()];
  });
  const known = Object.entries(ACTIONS).map(([name, { known }]) => [name, [...known].sort()]);
  assert.deepEqual(Object.fromEntries(told), Object.fromEntries(known));
  for (const [name, { known }] of Object.entries(ACTIONS)) {
    for (const member of known) assert.ok(page.includes(`\`${member}\``), `${name} ${member}`);
  }
});

Deno.test("docs/KV.md has each code and reason that clients may see", () => {
  const told = [...page.matchAll(/^\| (\d{3}) +\| `(\w+)` /gm)].map(([, code, reason]) =>
    `${code} ${reason}`
  );
  const made = new Set<string>();
  for (const folder of SOURCES) {
    for (const text of sourcesIn(join(ROOT, folder))) {
      const pairs = text.matchAll(
        /(?:code: |problem\()(\d{3}),\s*(?:reason: )?"([A-Z][A-Z_\d]+)"/g,
      );
      for (const [, code, reason] of pairs) made.add(`${code} ${reason}`);
    }
  }
  assert.ok(made.delete(INTERNAL) && made.size > 20);
  assert.deepEqual(told.toSorted(), [...made].sort());
});

Deno.test("each line for those who know another store is answered as docs/KV.md says", async () => {
  const sections = page.split(/^## For those who know /m).slice(1);
  assert.ok(sections.length === 3);
  for (const section of sections) {
    const [table = ""] = section.split("\n## ");
    const rows = table.split("\n").filter((line) => line.startsWith("|")).slice(2)
      .map((row) => row.split("|").map((cell) => cell.trim()));
    assert.ok(rows.length > 5);
    await using stage = serve(HOST);
    using client = await stage.client();
    for (const [, , here = "", told = ""] of rows) {
      const [, line = "no line"] = /^`(\{"action".*\})`$/.exec(here) ?? [];
      const [, result] = /^`(.*)`$/.exec(told) ?? [];
      const { rev: _, ...reply } = await client.ask(line);
      if (result === undefined) assert.equal(reply["status"], "ok", line);
      else assert.equal(brief(reply), result, line);
    }
  }
});

function sourcesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder)).flatMap(({ name, isDirectory }) => {
    if (isDirectory && OTHER_PORTS.includes(name)) return [];
    if (isDirectory) return sourcesIn(join(folder, name));
    return name.endsWith(".ts") ? [Deno.readTextFileSync(join(folder, name))] : [];
  });
}
