/**
 * Replays the scripts of `scripts/`. With `-- --update` what stands in them is replaced by what happens now, to be read in
 * the diff.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { replay } from "../../support/raft/script.ts";

const folder = join(import.meta.dirname ?? ".", "scripts");
const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

for (const name of names) {
  Deno.test(`raft script ${name.replace(".txt", "").replaceAll("_", " ")}`, () => {
    const path = join(folder, name);
    const script = Deno.readTextFileSync(path);
    const replayed = replay(script);
    if (Deno.args.includes("--update")) Deno.writeTextFileSync(path, replayed);
    else assert.equal(replayed, script);
  });
}
