/**
 * Guards the documentation of what an import gives: every symbol says what it is for and has an example. `deno test --doc`
 * runs the examples.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";

/** What is used of the output of `deno doc --json`. */
interface DocTag {
  kind: string;
  doc?: string;
}
interface Doc {
  doc?: string;
  tags?: DocTag[];
}
interface Declaration {
  kind: string;
  jsDoc?: Doc;
}
interface Module {
  module_doc?: Doc;
  symbols: { name: string; declarations: Declaration[] }[];
}
type Modules = Record<string, Module>;

const root = join(import.meta.dirname ?? ".", "..");

Deno.test("everything that is exported is documented, with an example that is run", async () => {
  const { exports } = JSON.parse(await Deno.readTextFile(join(root, "deno.json")));
  const entries = Object.values<string>(exports).filter((path) => path !== "./cli.ts");
  assert.ok(entries.length >= 3);
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", ...entries],
    cwd: root,
    stdin: "null",
    stderr: "inherit",
  }).output();
  assert.ok(success);
  const modules: Modules = JSON.parse(new TextDecoder().decode(stdout)).nodes;
  assert.equal(Object.keys(modules).length, entries.length);
  assert.ok(Object.values(modules).every(({ symbols }) => symbols.length > 10));
  assert.deepEqual(problemsOf(modules), []);
});

Deno.test("the check catches what has no text, no example, or one that is not run", () => {
  const example = '```ts\nimport { a } from "./a.ts";\n```';
  const planted = (kind: string, jsDoc?: Doc): string[] =>
    problemsOf({
      "m.ts": {
        module_doc: { doc: "A module.", tags: [{ kind: "example", doc: example }] },
        symbols: [{ name: "a", declarations: [jsDoc === undefined ? { kind } : { kind, jsDoc }] }],
      },
    });
  const text = "Says something.";
  const tags = [{ kind: "example", doc: example }];
  for (const kind of ["class", "function", "variable", "interface", "typeAlias"]) {
    assert.deepEqual(planted(kind, { doc: text, tags }), []);
    assert.deepEqual(planted(kind, { tags }), ["a in m.ts has no text"]);
    assert.deepEqual(planted(kind, { doc: text }), ["a in m.ts has no example that is run"]);
  }
  assert.deepEqual(planted("reference"), []);
  for (const ignored of ["```ts ignore\na();\n```", "a()", "```json\n{}\n```"]) {
    const tags = [{ kind: "example", doc: ignored }];
    assert.deepEqual(planted("function", { doc: text, tags }), [
      "a in m.ts has no example that is run",
    ]);
  }
  const start = (options: string): Doc => ({
    doc: text,
    tags: [{
      kind: "example",
      doc: `\`\`\`ts\nawait Agent.start({ dev: true, ${options} });\n\`\`\``,
    }],
  });
  const all = 'peerAddr: bind, kvAddr: bind, sessionAddr: "none", topicsAddr: "none"';
  assert.deepEqual(planted("function", start(all)), []);
  assert.deepEqual(planted("function", start(all.replace("topicsAddr", "other"))), [
    "a in m.ts has an example that listens on fixed ports",
  ]);
  assert.deepEqual(problemsOf({ "m.ts": { symbols: [] } }), [
    "m.ts has no text",
    "m.ts has no example that is run",
  ]);
});

function problemsOf(modules: Modules): string[] {
  return Object.entries(modules).flatMap(([path, { module_doc, symbols }]) => {
    const file = path.split("/").slice(-2).join("/");
    return [
      ...problemsOfOne(file, module_doc),
      ...symbols.flatMap(({ name, declarations }) =>
        // A symbol that another entry exports is checked there; a value and a type of one name share its text.
        declarations.slice(0, 1).filter(({ kind }) => kind !== "reference").flatMap((first) =>
          problemsOfOne(`${name} in ${file}`, first.jsDoc)
        )
      ),
    ];
  });
}

function problemsOfOne(what: string, jsDoc: Doc | undefined): string[] {
  const problems: string[] = [];
  if (!jsDoc?.doc?.trim()) problems.push(`${what} has no text`);
  const examples = jsDoc?.tags?.filter(({ kind }) => kind === "example") ?? [];
  const run = examples.some(({ doc }) => /^```ts$/m.test(doc ?? ""));
  if (!run) problems.push(`${what} has no example that is run`);
  if (examples.some(({ doc }) => takesFixedPorts(doc ?? ""))) {
    problems.push(`${what} has an example that listens on fixed ports`);
  }
  return problems;
}

/** Whether an example starts a server and leaves a port to its default: two of them at a time would be in each other's way. */
function takesFixedPorts(example: string): boolean {
  const starts = [...example.matchAll(/Agent\.start\((\{.*?\})\)/gs)].map(([, options]) =>
    options ?? ""
  );
  return starts.some((options) =>
    /\b(?:dev|server): true/.test(options) &&
    !["peerAddr", "kvAddr", "sessionAddr", "topicsAddr"].every((name) => options.includes(name))
  );
}
