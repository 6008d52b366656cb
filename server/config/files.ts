/**
 * Reads configuration files and directories (agent.md 6.2).
 *
 * @module
 */

import { type ConfigInput, mergeInputs } from "./input.ts";

/** A configuration that cannot be used. The message is one line for the operator. */
export class ConfigError extends Error {
  /** "ConfigError". */
  override readonly name = "ConfigError";
}

/**
 * Everything that the files say, in the given order. A directory stands for its `*.json` files in byte order of their
 * names, without its sub-directories.
 *
 * @throws {ConfigError} naming the file that cannot be read or understood, and why.
 */
export async function readConfigFiles(paths: readonly string[]): Promise<ConfigInput> {
  let merged: ConfigInput = {};
  for (const path of paths) {
    for (const file of await filesOf(path)) merged = mergeInputs(merged, await readFile(file));
  }
  return merged;
}

async function filesOf(path: string): Promise<string[]> {
  try {
    const { isDirectory } = await Deno.stat(path);
    if (!isDirectory) return [path];
    const names: string[] = [];
    for await (const entry of Deno.readDir(path)) {
      if (!entry.isDirectory && entry.name.endsWith(".json")) names.push(entry.name);
    }
    return names.sort(byteOrder).map((name) => `${path.replace(/\/+$/, "")}/${name}`);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function readFile(path: string): Promise<ConfigInput> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
  const { checkInput } = await import("./schema.ts");
  try {
    return checkInput(parseFirstValue(text));
  } catch (cause) {
    const reason = (cause as Error).message.replace(/\s*\n\s*/g, " ");
    throw new ConfigError(`Error decoding '${path}': ${reason}`, { cause });
  }
}

function unreadable(path: string, cause: unknown): ConfigError {
  return new ConfigError(`Error reading '${path}': open ${path}: ${fileProblem(cause)}`, { cause });
}

/** What the operating system says of a failed file operation, in Go's words. */
export function fileProblem(cause: unknown): string {
  if (cause instanceof Deno.errors.NotFound) return "no such file or directory";
  if (cause instanceof Deno.errors.PermissionDenied) return "permission denied";
  if (cause instanceof Deno.errors.IsADirectory) return "is a directory";
  return cause instanceof Error ? cause.message : String(cause);
}

/** The first JSON value of `text`; what follows it is ignored, as Serf does. */
function parseFirstValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const end = endOfFirstObject(text);
    if (end === text.length) throw error;
    return JSON.parse(text.slice(0, end));
  }
}

/** Where the first object of `text` ends; `text.length` when it does not start with a whole one. */
function endOfFirstObject(text: string): number {
  let depth = 0;
  for (const { 0: token, index } of text.matchAll(/"(?:[^"\\]|\\.)*"|[{}]|[^\s"{}]+/gs)) {
    if (token === "{") depth++;
    else if (depth === 0) break;
    else if (token === "}" && --depth === 0) return index + 1;
  }
  return text.length;
}

/** UTF-8 order and code point order are the same; UTF-16 order is not. */
function byteOrder(a: string, b: string): number {
  const [left, right] = [[...a], [...b]];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = (left[i]?.codePointAt(0) ?? 0) - (right[i]?.codePointAt(0) ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
