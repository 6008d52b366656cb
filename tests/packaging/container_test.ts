/**
 * The Containerfile is one, and takes what it needs from where it is. A real build is CI's.
 *
 * @module
 */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname ?? ".", "..", "..");
const read = (path: string): Promise<string> => Deno.readTextFile(join(ROOT, path));

/** Every instruction that the file may use. */
const KNOWN = new Set(
  "FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE STOPSIGNAL ENTRYPOINT CMD".split(" "),
);

/** The instructions of a Containerfile, each with its arguments. */
function instructions(text: string): [name: string, rest: string][] {
  return text.split("\n").filter((line) => !/^\s*#/.test(line)).join("\n")
    .replaceAll("\\\n", " ").split("\n").filter((line) => line.trim() !== "")
    .map((line) => {
      const [, name = "", rest = ""] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return [name, rest.trim()];
    });
}

Deno.test("every instruction is known and whole, and stages exist before they are copied from", async () => {
  const lines = instructions(await read("Containerfile"));
  assert.equal(lines[0]?.[0], "FROM");
  const stages: string[] = [];
  for (const [name, rest] of lines) {
    assert.ok(KNOWN.has(name), `${name} ${rest}`);
    assert.notEqual(rest, "", name);
    if (name === "FROM") stages.push(/ AS (\w+)$/.exec(rest)?.[1] ?? "");
    const from = /--from=(\w+)/.exec(rest)?.[1];
    if (from !== undefined) assert.ok(stages.includes(from), rest);
    // Anything but a list goes through a shell, which signals do not reach behind.
    if (name === "ENTRYPOINT" || name === "CMD") assert.ok(Array.isArray(JSON.parse(rest)), rest);
  }
  const ofLast = lines.slice(lines.findLastIndex(([name]) => name === "FROM"));
  for (const name of ["USER", "STOPSIGNAL", "ENTRYPOINT", "CMD"]) {
    assert.equal(ofLast.filter(([other]) => other === name).length, 1, name);
  }
});

Deno.test("the image has the program that the bundle task writes, and nothing it needs is left out", async () => {
  const text = await read("Containerfile");
  const { tasks } = JSON.parse(await read("deno.json"));
  assert.match(tasks.bundle.command, /--outdir dist\/skein cli\.ts$/);
  assert.ok(text.includes("COPY --from=build /src/dist/skein /usr/local/lib/skein"));
  assert.ok(text.includes("/usr/local/lib/skein/cli.js"));
  const ignored = (await read(".containerignore")).trim().split("\n");
  const sources = ["cli.ts", "deno.json", "deno.lock"].concat(
    ["commands", "client", "server", "cluster", "protocol"],
  );
  for (const source of sources) {
    assert.ok(existsSync(join(ROOT, source)), source);
    assert.ok(!ignored.includes(source), source);
  }
});
