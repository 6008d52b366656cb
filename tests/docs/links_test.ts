/**
 * The pages for users name files and pages that exist.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");

Deno.test("every page and every test that a page names is there", async () => {
  const pages: string[] = [];
  for (const folder of ["", "docs"]) {
    for await (const { name } of Deno.readDir(join(ROOT, folder))) {
      if (name.endsWith(".md")) pages.push(join(folder, name));
    }
  }
  const missing: string[] = [];
  for (const page of pages) {
    const text = await Deno.readTextFile(join(ROOT, page));
    const linked = [...text.matchAll(/\]\((?!\w+:|#)([^)#]+)[^)]*\)/g)]
      .map(([, target = ""]) => join(dirname(page), target));
    const named = [...text.matchAll(/`((?:tests|docs|bench|packaging|\.ci|\.github)\/[\w./-]+)`/g)]
      .map(([, target = ""]) => target);
    assert.ok(page !== "README.md" || linked.length > 3);
    for (const target of [...linked, ...named]) {
      if (!existsSync(join(ROOT, target))) missing.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(missing, []);
});
