/**
 * Every file and folder that docs/ARCHITECTURE.md names exists.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");

/** A path, or the name of a file beside one that was named before. */
const NAME = /`([\w./-]+(?:\.ts|\/)|tests\/[\w/]+)`/g;

Deno.test("every file and folder that docs/ARCHITECTURE.md names exists", async () => {
  const page = await Deno.readTextFile(join(ROOT, "docs", "ARCHITECTURE.md"));
  assert.deepEqual(missing(page), []);
  assert.ok([...page.matchAll(NAME)].length > 60);
});

Deno.test("a name of nothing is caught", () => {
  assert.deepEqual(missing("`cluster/runtime.ts`, then `nowhere.ts` and `server/nothing/`"), [
    "nowhere.ts",
    "server/nothing/",
  ]);
  assert.deepEqual(missing("`cluster/memberlist/wire/packet.ts`, `label.ts` beside it"), []);
});

function missing(page: string): string[] {
  const folders: string[] = [];
  return [...page.matchAll(NAME)].flatMap(([, name = ""]) => {
    if (name.includes("/")) {
      folders.push(name.endsWith("/") ? name : dirname(name));
      return exists(name) ? [] : [name];
    }
    const known = folders.some((folder) => exists(join(folder, name))) || isNamedWith(page, name);
    return known ? [] : [name];
  });
}

/** `x.ts` in `folder/`: the folder is named after the file. */
function isNamedWith(page: string, name: string): boolean {
  const after = new RegExp(`\`${name}\` in\\s+\`([\\w./-]+/)\``).exec(page)?.[1];
  return after !== undefined && exists(join(after, name));
}

function exists(path: string): boolean {
  try {
    Deno.statSync(join(ROOT, path));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
