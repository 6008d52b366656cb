/**
 * Tests that look at the memory of their process: each has one of its own, as other files run beside it in the common one.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

/** Variable that has the name of the test that a process is for. */
const ONLY = "SKEIN_ALONE";

/** What registers tests of the module at `url`, each in a process of its own. */
export function alone(url: string): (name: string, run: () => Promise<void>) => void {
  const only = Deno.env.get(ONLY);
  return (name, run) => {
    if (only === name) Deno.test(name, run);
    if (only === undefined) Deno.test(name, () => runAlone(url, name));
  };
}

async function runAlone(url: string, name: string): Promise<void> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--no-check", "--filter", name, fileURLToPath(url)],
    env: { [ONLY]: name, NO_COLOR: "1" },
  }).output();
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  // Its lines are none of this process. What the test itself says is shown.
  const shown = said.replaceAll(/^/gm, "  ");
  assert.match(said, /^ok \| 1 passed/m, shown);
  const output = /^ *-+ output -+$([^]*)^ *-+ output end/m.exec(shown)?.[1]?.trim();
  if (output !== undefined) console.log(output);
}
