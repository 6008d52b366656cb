/**
 * Guards the shape of the source tree (docs/ARCHITECTURE.md): which folder may import which, no import circles, no
 * outside world in the pure folders, one subject per file and a paragraph that says what it is for.
 *
 * The checkers take a map of path to text, so that each is also shown to catch a planted violation.
 *
 * @module
 */

import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path/posix";

/** Path relative to the repository root -> text of the file. */
type Sources = Map<string, string>;

/** What each part of the tree may import, besides itself: whole parts, or one folder of a part. */
const ARROWS: Record<string, readonly string[]> = {
  "cli.ts": ["commands"],
  "mod.ts": ["server", "client", "cluster"],
  // Go's notations, and addresses as bytes, are in `protocol/`: what a command prints need not go through a server.
  commands: ["client", "server", "protocol"],
  server: ["cluster", "protocol"],
  client: ["protocol"],
  cluster: ["protocol"],
  protocol: [],
  // Benchmarks start what tests start, through the same support files; of tests they know nothing else.
  bench: ["cluster", "protocol", "tests/support"],
};

/** Parts that know no sockets, files, wall clock or chance. */
const PURE = ["cluster", "protocol"];

/** The only modules from outside the repository that the pure parts may import: they compute. */
const PURE_IMPORTS = [
  "@noble/ciphers/_polyval.js",
  "node:buffer",
  "node:crypto",
  "node:process",
  "node:zlib",
  "re2js",
];

/** Names of the outside world: time, timers, chance, the runtime, other machines. */
const OUTSIDE =
  /\b(?:Deno|Date\.now|new Date\(\)|performance|globalThis|setTimeout|setInterval|setImmediate|Math\.random|getRandomValues|randomUUID|fetch\(|WebSocket|Worker)(?!\w)/;

/**
 * What a file of the pure parts may name all the same. `node:crypto` and `node:zlib` only compute, but loading them takes 10 to 30
 * ms that most agents and clients need not spend; there is no other way to load them late and synchronously.
 */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  "cluster/memberlist/wire/_builtin.ts": "globalThis",
  "protocol/topics/zlib/builtin.ts": "globalThis",
};

/** An import of chance from a module that otherwise computes. */
const CHANCE_IMPORT =
  /\bimport\s*\{[^}]*\b(random\w*|webcrypto)\b[^}]*\}\s*from\s*["']node:crypto["']/;

/**
 * What a room of a folder may import of the rooms beside it. Folders that are not named here are only held to have no
 * circles.
 */
const ROOMS: Record<string, Readonly<Record<string, readonly string[]>>> = {
  "cluster/memberlist": {
    rounds: ["traffic", "rules", "core", "wire"],
    traffic: ["rules", "core", "wire"],
    rules: ["core", "wire"],
    core: ["wire"],
    wire: [],
  },
  cluster: {
    serf: ["memberlist", "coordinate"],
    memberlist: [],
    coordinate: [],
    raft: [],
    machine: [],
    pubsub: ["machine"],
    watch: ["machine"],
  },
  server: {
    net: [],
    // Payloads of sessions are the requests of the key-value port, and are read and answered by the same functions.
    sessions: ["kv", "replica", "net", "logging", "config"],
  },
};

/** Longest source file, in lines; longer ones have more than one subject. */
const MAX_LINES = 400;

/** Most source files beside each other in one folder; more of them belong into rooms. */
const MAX_FILES = 15;

const root = join(import.meta.dirname ?? ".", "..");

Deno.test("imports follow the arrows of the design", () => {
  assert.deepEqual(wrongArrows(readSources()), []);
});

Deno.test("no files import each other in a circle", () => {
  assert.deepEqual(circles(readSources()), []);
});

Deno.test("no folders import each other in a circle", () => {
  assert.deepEqual(folderCircles(readSources()), []);
});

Deno.test("rooms import only the rooms below them", () => {
  assert.deepEqual(wrongRooms(readSources()), []);
});

Deno.test("no folder is crowded", () => {
  assert.deepEqual(crowdedFolders(readSources()), []);
});

Deno.test("cluster and protocol know nothing of the outside world", () => {
  assert.deepEqual(outsideNames(readSources()), []);
});

Deno.test("what is loaded late is a module of the project, or of the runtime", () => {
  assert.deepEqual(latePackages(readSources()), []);
});

Deno.test("every source file is short and begins by saying what it is for", () => {
  assert.deepEqual(shapeProblems(readSources()), []);
});

Deno.test("the source tree is really read", () => {
  const sources = readSources();
  for (const part of Object.keys(ARROWS)) {
    assert.ok([...sources.keys()].some((path) => partOf(path) === part), `Nothing under '${part}'`);
  }
});

Deno.test("the arrow check catches every way of importing against an arrow", () => {
  const planted = (path: string, text: string) => wrongArrows(new Map([[path, text]]));
  const against = [
    `import { Agent } from "../server/agent.ts";`,
    `import type { Agent } from '../server/agent.ts';`,
    `import {\n  a, // from "nowhere"\n  b,\n} from "../server/agent.ts";`,
    `import "../server/agent.ts";`,
    `export * from "../server/agent.ts";`,
    `export type { Agent } from "../server/agent.ts";`,
    `const agent = await import("../server/agent.ts");`,
    `let a: import("../server/agent.ts").Agent;`,
  ];
  for (const text of against) {
    assert.deepEqual(
      planted("client/a.ts", text),
      ["client/a.ts imports server/agent.ts"],
      text,
    );
  }
  for (const text of ["import(name)", "import(`${name}.ts`)", "import(`../server/${a}/${b}.ts`)"]) {
    assert.deepEqual(planted("client/a.ts", text), ["client/a.ts imports a computed path"], text);
  }
  assert.deepEqual(planted("client/a.ts", "import(`../server/x/${name}.ts`)"), [
    "client/a.ts imports server/x/*.ts",
  ]);
  assert.deepEqual(planted("client/a.ts", 'import(`../server/${"x"}.ts`)'), [
    "client/a.ts imports server/x.ts",
  ]);
  assert.deepEqual(planted("cluster/a.ts", `import "../tests/x.ts";`), [
    "cluster/a.ts imports tests/x.ts",
  ]);
  assert.deepEqual(planted("bench/a.ts", `import "../tests/support/agents.ts";`), []);
  assert.deepEqual(
    planted("bench/a.ts", `import "../tests/supporter.ts"; import "../server/a.ts";`),
    [
      "bench/a.ts imports tests/supporter.ts",
      "bench/a.ts imports server/a.ts",
    ],
  );
  assert.deepEqual(planted("cli.ts", `import "./server/agent.ts";`), [
    "cli.ts imports server/agent.ts",
  ]);
  assert.deepEqual(planted("client/a.ts", `// import "../server/agent.ts";`), []);
  assert.deepEqual(
    planted("client/a.ts", `const u = "http://x"; import "../protocol/ipc/mod.ts";`),
    [],
  );
});

Deno.test("the circle check names the whole circle once", () => {
  const sources = new Map([
    ["cluster/a.ts", `import "./b.ts";`],
    ["cluster/b.ts", `import type { C } from "./deep/c.ts";`],
    ["cluster/deep/c.ts", `export * from "../a.ts";`],
    ["cluster/d.ts", `import "./a.ts"; import "./b.ts";`],
  ]);
  assert.deepEqual(circles(sources), ["cluster/a.ts -> cluster/b.ts -> cluster/deep/c.ts"]);
  sources.set("cluster/deep/c.ts", "");
  assert.deepEqual(circles(sources), []);
});

Deno.test("the folder check names the circle that no two files make", () => {
  const sources = new Map([
    ["server/config/a.ts", `import "../files/a.ts";`],
    ["server/config/b.ts", ""],
    ["server/files/a.ts", ""],
    ["server/files/b.ts", `import type { B } from "../config/b.ts";`],
  ]);
  assert.deepEqual(folderCircles(sources), ["server: config/ -> files/"]);
  sources.set("server/files/b.ts", "");
  assert.deepEqual(folderCircles(sources), []);
  // A room and a file beside it.
  sources.set("server/run.ts", `import "./files/a.ts";`);
  sources.set("server/files/b.ts", `import "../run.ts";`);
  assert.deepEqual(folderCircles(sources), ["server: files/ -> run.ts"]);
});

Deno.test("the room check catches an import against its arrow", () => {
  const planted = (path: string, text: string) => wrongRooms(new Map([[path, text]]));
  assert.deepEqual(
    planted("cluster/memberlist/rules/alive.ts", `import "../traffic/join.ts";`),
    ["cluster/memberlist/rules/alive.ts imports the room 'traffic'"],
  );
  assert.deepEqual(planted("cluster/raft/log.ts", `import "../serf/mod.ts";`), [
    "cluster/raft/log.ts imports the room 'serf'",
  ]);
  assert.deepEqual(planted("server/net/outbox.ts", `import "../rpc/server.ts";`), [
    "server/net/outbox.ts imports the room 'rpc'",
  ]);
  assert.deepEqual(planted("cluster/serf/serf.ts", `import "../memberlist/mod.ts";`), []);
});

Deno.test("the crowd check counts the files of each folder alone", () => {
  const files = (folder: string, count: number) =>
    Array.from({ length: count }, (_, i): [string, string] => [`${folder}/f${i}.ts`, ""]);
  assert.deepEqual(
    crowdedFolders(new Map([...files("server/a", MAX_FILES), ...files("server/a/b", 3)])),
    [],
  );
  assert.deepEqual(crowdedFolders(new Map(files("server/a", MAX_FILES + 1))), [
    "server/a holds 16 files, more than 15",
  ]);
});

Deno.test("the purity check catches clocks, timers, chance, the runtime and sockets", () => {
  const planted = (text: string) => outsideNames(new Map([["cluster/a.ts", text]])).length;
  const impure = [
    `Deno.env.get("X");`,
    `const { env } = Deno;`,
    `globalThis.Deno`,
    `Date.now();`,
    `new Date()`,
    `performance.now()`,
    `setTimeout(f, 1);`,
    `setInterval(f, 1);`,
    `Math.random()`,
    `crypto.getRandomValues(b)`,
    `import { createHash,\n randomBytes } from "node:crypto";`,
    `import net from "node:net";`,
    `import dgram from "node:dgram";`,
    `const fs = await import("node:fs");`,
    `import os from 'node:os';`,
    `import { z } from "zod";`,
  ];
  for (const text of impure) assert.equal(planted(text), 1, text);
  const pure = [
    `import { createHash } from "node:crypto";`,
    `new Date(ms)`,
    `runtime.clock.now(); setTimer(5, f);`,
    `/* what Deno gives us */`,
    "log.warn(`odd answer from '${name}'`);",
    `export const randomInt = (random: Random) => random.float();`,
  ];
  for (const text of pure) assert.equal(planted(text), 0, text);
});

Deno.test("the check of late imports catches packages", () => {
  const sources = new Map([
    ["server/a.ts", 'await import("./b.ts"); await import("node:path");'],
    ["server/b.ts", 'const { z } = await import("zod");'],
    ["server/c.ts", '/** `import("zod")` */\nimport { z } from "zod";'],
  ]);
  assert.deepEqual(latePackages(sources), ["server/b.ts imports zod late"]);
});

Deno.test("the shape check catches long files and files without a first paragraph", () => {
  const head = "/**\n * Says what it is for.\n *\n * @module\n */\n";
  const planted = (text: string) => shapeProblems(new Map([["cluster/a.ts", text]]));
  assert.deepEqual(planted(head + "export const a = 1;\n"), []);
  assert.deepEqual(planted(head + "\n".repeat(400)), ["cluster/a.ts has 405 lines, more than 400"]);
  for (const text of ["const a = 1;\n" + head, "/** No tag. */\n", "// comment\n", ""]) {
    assert.deepEqual(planted(text), ["cluster/a.ts does not begin with a @module comment"]);
  }
});

/** Imports that no arrow allows, as sentences. */
function wrongArrows(sources: Sources): string[] {
  const problems: string[] = [];
  for (const [path, text] of sources) {
    const from = partOf(path);
    for (const target of importsOf(path, text)) {
      if (target === undefined) problems.push(`${path} imports a computed path`);
      else if (!isLocal(target)) continue;
      else if (partOf(target) !== from && !isAllowed(from, target)) {
        problems.push(`${path} imports ${target}`);
      }
    }
  }
  return problems;
}

function isAllowed(from: string, target: string): boolean {
  return ARROWS[from]?.some((part) => target.startsWith(`${part}/`)) ?? false;
}

/** Import circles, each as its files in import order, starting with the smallest path. */
function circles(sources: Sources): string[] {
  const graph = new Map<string, Set<string>>();
  for (const [path, text] of sources) {
    const local = importsOf(path, text).filter((target) => target && sources.has(target));
    graph.set(path, new Set(local as string[]));
  }
  return circlesOf(graph).map((circle) => circle.join(" -> "));
}

/** Circles of a graph, each in the order of its arrows, starting with the smallest name. */
function circlesOf(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const found = new Map<string, string[]>();
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (name: string) => {
    const start = trail.indexOf(name);
    if (start >= 0) {
      const circle = trail.slice(start);
      const least = circle.indexOf([...circle].sort()[0] ?? name);
      const turned = [...circle.slice(least), ...circle.slice(0, least)];
      found.set(turned.join(" "), turned);
      return;
    }
    if (done.has(name)) return;
    trail.push(name);
    for (const next of graph.get(name) ?? []) visit(next);
    trail.pop();
    done.add(name);
  };
  for (const name of [...graph.keys()].sort()) visit(name);
  return [...found.values()];
}

/**
 * Circles among what stands side by side in one folder, files and rooms, of which at least one is a room: an import counts
 * for the two children of the deepest folder that holds both its ends.
 */
function folderCircles(sources: Sources): string[] {
  const graphs = new Map<string, Map<string, Set<string>>>();
  for (const [path, text] of sources) {
    for (const target of importsOf(path, text)) {
      if (target === undefined || !sources.has(target)) continue;
      const { parent, from, to } = siblings(path, target);
      if (from === to) continue;
      const graph = graphs.get(parent) ?? new Map<string, Set<string>>();
      graphs.set(parent, graph.set(from, (graph.get(from) ?? new Set()).add(to)));
    }
  }
  return [...graphs].flatMap(([parent, graph]) =>
    circlesOf(graph)
      .filter((circle) => circle.some((child) => child.endsWith("/")))
      .map((circle) => `${parent === "" ? "." : parent}: ${circle.join(" -> ")}`)
  );
}

/** The children of the deepest folder that holds two files, through which it holds them; rooms end with `/`. */
function siblings(a: string, b: string): { parent: string; from: string; to: string } {
  const [one, other] = [a.split("/"), b.split("/")];
  let depth = 0;
  while (one[depth] === other[depth] && depth < one.length - 1) depth++;
  const child = (parts: string[]): string =>
    `${parts[depth]}${parts.length > depth + 1 ? "/" : ""}`;
  return { parent: one.slice(0, depth).join("/"), from: child(one), to: child(other) };
}

/** Imports between the rooms of {@linkcode ROOMS} that no arrow allows. */
function wrongRooms(sources: Sources): string[] {
  const problems: string[] = [];
  for (const [folder, arrows] of Object.entries(ROOMS)) {
    const roomOf = (path: string) => {
      if (!path.startsWith(`${folder}/`)) return undefined;
      return path.slice(folder.length + 1).split("/").slice(0, -1)[0];
    };
    for (const [path, text] of sources) {
      const from = roomOf(path);
      const allowed = from === undefined ? undefined : arrows[from];
      if (allowed === undefined) continue;
      for (const target of importsOf(path, text)) {
        const to = target === undefined ? undefined : roomOf(target);
        if (to === undefined || to === from || allowed.includes(to)) continue;
        problems.push(`${path} imports the room '${to}'`);
      }
    }
  }
  return problems;
}

/** Folders with more files than one can take in at a glance. */
function crowdedFolders(sources: Sources): string[] {
  const counts = new Map<string, number>();
  for (const path of sources.keys()) {
    const folder = dirname(path);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count > MAX_FILES)
    .map(([folder, count]) => `${folder} holds ${count} files, more than ${MAX_FILES}`);
}

/** Lines of the pure parts that name the outside world, and imports of anything that is not pure computing. */
function outsideNames(sources: Sources): string[] {
  const problems: string[] = [];
  for (const [path, text] of sources) {
    if (!PURE.includes(partOf(path))) continue;
    withoutComments(text).split("\n").forEach((line, index) => {
      const name = OUTSIDE.exec(line)?.[0];
      if (name !== undefined && name !== EXCEPTIONS[path]) {
        problems.push(`${path}:${index + 1} names ${name}`);
      }
    });
    const chance = CHANCE_IMPORT.exec(withoutComments(text))?.[1];
    if (chance !== undefined) problems.push(`${path} imports ${chance}`);
    for (const target of importsOf(path, text)) {
      if (target !== undefined && !isLocal(target) && !PURE_IMPORTS.includes(target)) {
        problems.push(`${path} imports ${target}`);
      }
    }
  }
  return problems;
}

/** Files that are too long or do not begin with a module comment. */
/** A package that is imported late is looked for on the disk then, which fails when the working directory is gone. */
function latePackages(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) =>
    /^(?:server|client|cluster|protocol)\//.test(path)
      ? [...withoutComments(text).matchAll(/\bimport\(\s*["'`]([^"'`]+)/g)]
        .flatMap(([, name = ""]) =>
          /^(?:\.|node:)/.test(name) ? [] : [`${path} imports ${name} late`]
        )
      : []
  );
}

function shapeProblems(sources: Sources): string[] {
  const problems: string[] = [];
  for (const [path, text] of sources) {
    const lines = text.split("\n").length - 1;
    if (lines > MAX_LINES) problems.push(`${path} has ${lines} lines, more than ${MAX_LINES}`);
    const head = /^(?:#![^\n]*\n+)?\/\*\*[\s\S]*?\*\//.exec(text)?.[0] ?? "";
    if (!/^ \* @module\b/m.test(head)) {
      problems.push(`${path} does not begin with a @module comment`);
    }
  }
  return problems;
}

/**
 * Every module that `text` imports or re-exports, statically, dynamically or as a type: a path relative to the
 * root for files of the repository, the specifier as written for others, `undefined` when it is computed. Of a path that
 * only ends with something computed, the folder is what is imported: `FOLDER/*.ts`.
 */
function importsOf(path: string, text: string): (string | undefined)[] {
  const code = withoutComments(text);
  const literal = /\b(?:(?:import|export)\b[^;"'`]*?\bfrom|import\s*\(?)\s*(["'])([^"'\n]+)\1/g;
  const inFolder = /(?<![.\w])import\s*\(\s*`(\.[^`$\n]*)\/\$\{(?:"(\w+)"|[\w.]+)\}\.ts`\s*\)/g;
  const computed = /(?<![.\w])import\s*\(\s*(?!["'\s]|`\.[^`$\n]*\/\$\{(?:"\w+"|[\w.]+)\}\.ts`)/g;
  const found: (string | undefined)[] = [];
  for (const match of code.matchAll(literal)) {
    const specifier = match[2] ?? "";
    found.push(specifier.startsWith(".") ? normalize(join(dirname(path), specifier)) : specifier);
  }
  for (const [, folder = "", name = "*"] of code.matchAll(inFolder)) {
    found.push(normalize(join(dirname(path), folder, `${name}.ts`)));
  }
  for (const _ of code.matchAll(computed)) found.push(undefined);
  return found;
}

/** `text` with every comment blanked out; line numbers stay. */
function withoutComments(text: string): string {
  const stringOrComment =
    /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return text.replace(
    stringOrComment,
    (match) => match.startsWith("/") ? match.replace(/[^\n]/g, " ") : match,
  );
}

function isLocal(target: string): boolean {
  return target.endsWith(".ts") && !target.includes(":");
}

/** The top folder of a path, or the file itself at the root. */
function partOf(path: string): string {
  return path.split("/")[0] ?? path;
}

/** All source files of the parts that {@linkcode ARROWS} names. */
function readSources(): Sources {
  const sources: Sources = new Map();
  const walk = (path: string) => {
    for (const entry of Deno.readDirSync(join(root, path))) {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory) walk(child);
      else if (child.endsWith(".ts")) sources.set(child, Deno.readTextFileSync(join(root, child)));
    }
  };
  for (const part of Object.keys(ARROWS)) {
    if (part.endsWith(".ts")) sources.set(part, Deno.readTextFileSync(join(root, part)));
    else walk(part);
  }
  return sources;
}
