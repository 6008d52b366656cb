/**
 * The sources of the project as the TypeScript compiler sees them, with types.
 *
 * @module
 */

import { createRequire } from "node:module";
import ts from "typescript";

/** Where the declarations of Deno and of what is not looked into stand, for the compiler. */
const AMBIENT = "/ambient.d.ts";

/**
 * What Deno's own declarations leave to those of Node. A module of Node is `any`: what it returns is not checked, so what
 * returns promises there (`node:dns/promises`) is to be awaited where it is called.
 */
const NODE = `
declare function setTimeout(callback: (...args: any[]) => void, ms?: number, ...args: any[]): number;
declare function setInterval(callback: (...args: any[]) => void, ms?: number, ...args: any[]): number;
declare function clearTimeout(id?: number): void;
declare function clearInterval(id?: number): void;
declare module "node:*";
declare module "dns-packet";
`;

/** Sources by path. */
export type Sources = ReadonlyMap<string, string>;

/** A checked program. */
export interface TypedProgram {
  /** Its sources. */
  readonly files: readonly ts.SourceFile[];
  /** Who knows their types. */
  readonly checker: ts.TypeChecker;
  /** Names and modules that the compiler does not know: without them types are missing, and nothing would be found. */
  readonly unknown: readonly string[];
}

/** All sources below some folders and files of the project. */
export function readSources(root: string, places: readonly string[]): Sources {
  const sources = new Map<string, string>();
  const add = (path: string): void => {
    if (path.endsWith(".ts")) sources.set(path, Deno.readTextFileSync(path));
    else for (const { name } of Deno.readDirSync(path)) add(`${path}/${name}`);
  };
  for (const place of places) add(`${root}/${place}`);
  return sources;
}

/**
 * Checks sources.
 *
 * @param packages Names of the npm packages that they import.
 */
export function typedProgram(sources: Sources, packages: readonly string[]): TypedProgram {
  const texts = new Map([...sources, [AMBIENT, denoTypes() + NODE]]);
  const options: ts.CompilerOptions = {
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.esnext.d.ts"],
    types: [],
    skipLibCheck: true,
    paths: Object.fromEntries(packages.flatMap(pathsOf)),
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, getSourceFile } = host;
  host.fileExists = (path) => texts.has(path) || fileExists(path);
  host.getSourceFile = (path, version, ...rest) => {
    const text = texts.get(path);
    if (text === undefined) return getSourceFile(path, version, ...rest);
    return ts.createSourceFile(path, text, version, true);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  const files = program.getSourceFiles().filter(({ fileName }) => sources.has(fileName));
  const unknown = [
    ...program.getGlobalDiagnostics(),
    ...files.flatMap((file) => program.getSemanticDiagnostics(file)),
  ]
    .filter(({ code }) => UNKNOWN.has(code))
    .map(({ file, messageText }) =>
      `${file?.fileName ?? ""}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`
    );
  return { files, checker: program.getTypeChecker(), unknown };
}

/** Cannot find a name, a module, a global type; a name of Node; a name of a later library; no such export. */
const UNKNOWN: ReadonlySet<number> = new Set([2304, 2305, 2307, 2318, 2580, 2583, 2591]);

function denoTypes(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["types"] }).outputSync();
  return new TextDecoder().decode(stdout);
}

/** Where the compiler finds a package of npm: in Deno's cache. */
function pathsOf(name: string): [string, string[]][] {
  const entry = createRequire(import.meta.url).resolve(name);
  const folder = new RegExp(`^.*/${name}/\\d[^/]*`).exec(entry)?.[0];
  if (folder === undefined) {
    throw new Error(`Package '${name}' is not where npm packages are: ${entry}`);
  }
  return [[name, [folder]], [`${name}/*`, [`${folder}/*`]]];
}
