/**
 * What CI and releases run is fixed: actions by commit, one version of Deno, one list of targets.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");
const WORKFLOWS = ".github/workflows";
const read = (path: string): Promise<string> => Deno.readTextFile(join(ROOT, path));

const workflows: [name: string, text: string][] = [];
for await (const { name } of Deno.readDir(join(ROOT, WORKFLOWS))) {
  workflows.push([name, await read(`${WORKFLOWS}/${name}`)]);
}

/** Every match of the first group of `pattern`. */
function all(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, group = ""]) => group);
}

Deno.test("actions are pinned by commit, with the version beside it, the same everywhere", () => {
  const pins = new Map<string, string>();
  for (const [name, text] of workflows) {
    const used = all(text, /^\s*(?:- )?uses: (.*)$/gm);
    assert.ok(used.length > 0, name);
    for (const line of used) {
      const [, action = "", pin = ""] = /^([\w/-]+)@([0-9a-f]{40} # v\d+\.\d+\.\d+)$/.exec(line) ??
        [];
      assert.notEqual(pin, "", `${name}: ${line}`);
      assert.equal(pins.get(action) ?? pin, pin, `${name}: ${line}`);
      pins.set(action, pin);
    }
  }
});

Deno.test("workflows may only read, jobs ask for more", () => {
  for (const [name, text] of workflows) {
    assert.match(text, /^permissions:\n {2}contents: read\n\n/m, name);
    const jobs = all(text, /^ {4}(runs-on): /gm).length;
    assert.equal(all(text, /^ {4}(timeout-minutes): \d+$/gm).length, jobs, name);
  }
});

Deno.test("everything runs on one version of Deno", async () => {
  const [version = ""] = all(await read(".ci/run"), /^DENO_VERSION=(.*)$/gm);
  const named = [
    ...workflows.flatMap(([, text]) => all(text, /deno-version: (\S+)/g)),
    ...all(await read("Containerfile"), /denoland\/deno:(\S+)/g),
    ...all(await read("README.md"), /deno@(\d[\d.]*\d)/g),
    ...all(await read("CONTRIBUTING.md"), /deno@(\d[\d.]*\d)/g),
  ];
  assert.ok(named.length > 8);
  assert.deepEqual([...new Set(named)], [version]);
});

Deno.test("a release compiles and tries every target that deno.json has", async () => {
  const { tasks } = JSON.parse(await read("deno.json"));
  const targets = tasks.compile.dependencies.map((name: string) => name.slice("compile:".length));
  const release = workflows.find(([name]) => name === "release.yml")?.[1] ?? "";
  assert.deepEqual(all(release, /\{ target: (\S+), binary: /g), targets);
  assert.deepEqual(all(release, /\{ target: (\S+), os: /g), targets);
  for (const [, target, binary] of release.matchAll(/\{ target: (\S+), binary: (\S+) \}/g)) {
    const { command } = tasks[`compile:${target}`];
    assert.ok(command.includes(`-o dist/${binary?.replace(".exe", "")} `), binary);
  }
});
