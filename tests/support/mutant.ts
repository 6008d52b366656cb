/**
 * The program with one piece of its source replaced, in a process of its own.
 *
 * @module
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";

/** What is replaced. */
export interface Mutation {
  /** A source file, by its path from the root of the repository. */
  readonly file: string;
  /** A piece of it that is there once. */
  readonly from: string;
  /** What stands in its place. */
  readonly to: string;
}

const ROOT = join(import.meta.dirname ?? ".", "..", "..");

/**
 * Runs a script, whose path begins at the root of the repository, with arguments. Resolves with what it has written.
 *
 * @throws {Error} when the piece is not there once, or the script fails
 */
export async function runMutant(
  mutation: Mutation,
  script: string,
  args: readonly string[],
): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "skein-mutant-" });
  try {
    const url = pathToFileURL(join(ROOT, mutation.file)).href;
    const mutant = join(folder, "mutant.ts");
    await Deno.writeTextFile(mutant, sourceOf(mutation, url));
    const map = join(folder, "imports.json");
    const imports = { ...importsOfProject(), [url]: pathToFileURL(mutant).href };
    await Deno.writeTextFile(map, JSON.stringify({ imports }));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", `--import-map=${map}`, script, ...args],
      cwd: ROOT,
    }).output();
    const text = new TextDecoder().decode(stdout);
    if (success) return text;
    throw new Error(`${script} fails: ${text}${new TextDecoder().decode(stderr)}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The source of the mutant. Its imports are those of the file in its place. */
function sourceOf({ file, from, to }: Mutation, url: string): string {
  const source = Deno.readTextFileSync(join(ROOT, file));
  if (source.split(from).length !== 2) throw new Error(`Expected '${from}' once in ${file}`);
  const isRelative = /(\bfrom\s+|\bimport\s+|\bimport\()"(\.[^"]*)"/g;
  return source.replace(from, () => to).replace(
    isRelative,
    (_, head, path) => `${head}"${new URL(path, url).href}"`,
  );
}

/** What the names of packages stand for; Deno adds what is below them by itself only for its own configuration. */
function importsOfProject(): Record<string, string> {
  const { imports } = JSON.parse(Deno.readTextFileSync(join(ROOT, "deno.json")));
  const below = Object.entries<string>(imports).map(([name, target]) => [
    `${name}/`,
    `${target.replace(/^npm:/, "npm:/")}/`,
  ]);
  return { ...imports, ...Object.fromEntries(below) };
}
