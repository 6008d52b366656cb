/**
 * Every page and section that a comment cites is in the project.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");

/** A page of the specification and the sections named after it: `docs/spec/serf.md 12.4, 15 and 18`. */
const CITATION = /docs\/spec\/(\w+\.md)((?:(?:,| and| to|,? or)? \d+(?:\.\d+)*)*)/g;

/** Any page that a comment names. */
const PAGE = /(?<![\w-])[\w./-]*\w\.md\b/g;

Deno.test("every section that a comment cites exists", async () => {
  const sections = await sectionsOf();
  const problems: string[] = [];
  let cited = 0;
  for (const [path, text] of await sources()) {
    cited += [...text.matchAll(CITATION)].length;
    problems.push(...missing(text, sections).map((what) => `${path} cites ${what}`));
  }
  assert.deepEqual(problems, []);
  assert.ok(cited > 300, `Only ${cited} citations were found`);
});

Deno.test("every page that a comment names is in the project", async () => {
  const pages = new Set<string>();
  for await (const page of pagesBelow("")) pages.add(page);
  const problems: string[] = [];
  for (const [path, text] of await sources()) {
    for (const [name] of commentsOf(text).matchAll(PAGE)) {
      const known = [...pages].some((page) => page === name || page.endsWith(`/${name}`));
      if (!known && !name.includes("://")) problems.push(`${path} names ${name}`);
    }
  }
  assert.deepEqual(problems, []);
});

Deno.test("a citation of a section or page that is not there is caught", () => {
  const sections = new Map([["serf.md", new Set(["1", "1.2", "12"])]]);
  assert.deepEqual(missing("// (docs/spec/serf.md 1.2, 12 and 1)", sections), []);
  assert.deepEqual(missing("// (docs/spec/serf.md 1.2, 13)", sections), ["serf.md 13"]);
  assert.deepEqual(missing('// docs/spec/serf.md 1.3, "x"', sections), ["serf.md 1.3"]);
  assert.deepEqual(missing("// docs/spec/raft.md 1", sections), ["raft.md"]);
});

/** What `text` cites and is not there. */
function missing(text: string, sections: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const problems: string[] = [];
  // A citation may go on in the next line of a comment.
  for (
    const [, page = "", list = ""] of text.replace(/\n\s*(?:\*|\/\/) /g, " ").matchAll(CITATION)
  ) {
    const known = sections.get(page);
    if (known === undefined) problems.push(page);
    else {
      for (const [number] of list.matchAll(/\d+(?:\.\d+)*/g)) {
        if (!known.has(number)) problems.push(`${page} ${number}`);
      }
    }
  }
  return problems;
}

/** The numbers of the headings of each page of the specification. */
async function sectionsOf(): Promise<Map<string, Set<string>>> {
  const sections = new Map<string, Set<string>>();
  for await (const page of pagesBelow("docs/spec")) {
    const text = await Deno.readTextFile(join(ROOT, page));
    const numbers = [...text.matchAll(/^#+ (\d+(?:\.\d+)*)\.? /gm)].map(([, number]) =>
      number ?? ""
    );
    sections.set(page.replace("docs/spec/", ""), new Set(numbers));
  }
  return sections;
}

async function* pagesBelow(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (name.startsWith(".") && name !== ".github") continue;
    if (isDirectory && name !== "node_modules" && name !== "dist") yield* pagesBelow(path);
    else if (name.endsWith(".md")) yield path;
  }
}

/** Path and text of every source file, tests and benchmarks included. */
async function sources(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const walk = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
      if (name.startsWith(".") || name === "node_modules" || name === "dist") continue;
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isDirectory) await walk(path);
      else if (name.endsWith(".ts") && path !== "tests/docs/spec_test.ts") {
        found.set(path, await Deno.readTextFile(join(ROOT, path)));
      }
    }
  };
  await walk("");
  return found;
}

function commentsOf(text: string): string {
  return [...text.matchAll(/\/\*\*?[\s\S]*?\*\/|^\s*\/\/[^\n]*/gm)].map(([comment]) => comment)
    .join("\n");
}
