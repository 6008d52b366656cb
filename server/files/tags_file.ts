/**
 * The file that keeps an agent's tags over a restart (docs/spec/agent.md 6.5).
 *
 * @module
 */

import { parseJsonText } from "./json_text.ts";
import { fileProblem } from "./problem.ts";
import { readTextBounded } from "./read_bounded.ts";

/** Largest tags file that is read, in bytes. All tags together take at most 512 (docs/spec/serf.md 3.3). */
const MAX_FILE_BYTES = 64 * 1024;

/**
 * A tags file that cannot be read, understood or written. The message has the form of the Go agent.
 *
 * @example
 * ```ts
 * import { Agent, TagsFileError } from "@skein/agent";
 *
 * async function retag(agent: Agent): Promise<void> {
 *   try {
 *     await agent.updateTags({ role: "web" });
 *   } catch (error) {
 *     if (!(error instanceof TagsFileError)) throw error;
 *     console.warn("The tags are as they were:", error.message);
 *   }
 * }
 * ```
 */
export class TagsFileError extends Error {
  /** "TagsFileError". */
  override readonly name = "TagsFileError";
}

/**
 * The tags in a file, `undefined` when there is no such file.
 *
 * @throws {TagsFileError} when it cannot be read or is no JSON object of texts.
 */
export async function readTagsFile(path: string): Promise<Record<string, string> | undefined> {
  let text: string;
  try {
    text = await readTextBounded(path, MAX_FILE_BYTES);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return undefined;
    throw new TagsFileError(`Failed to read tags file: ${fileProblem(cause)}`, { cause });
  }
  const tags = parseTags(text);
  const wrong = Object.entries(tags).find(([, value]) => typeof value !== "string");
  if (wrong === undefined) return tags as Record<string, string>;
  throw new TagsFileError(`Failed to decode tags file: tag '${wrong[0]}' is not a string`);
}

/**
 * Writes the tags: sorted, and escaped as Go does. A new file gets mode 0600; an old one keeps its mode.
 *
 * @throws {TagsFileError} when it cannot be written; the old one is as it was then.
 */
export async function writeTagsFile(
  path: string,
  tags: Readonly<Record<string, string>>,
): Promise<void> {
  const sorted = Object.entries(tags).sort(([a], [b]) => a < b ? -1 : 1);
  const json = JSON.stringify(Object.fromEntries(sorted), null, 2).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  const { replaceText } = await import("./user_file.ts");
  try {
    await replaceText(path, json, { keepsMode: true });
  } catch (cause) {
    throw new TagsFileError(`Failed to write tags file: ${fileProblem(cause)}`, { cause });
  }
}

function parseTags(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = text.trim() === "" ? undefined : parseJsonText(text);
  } catch (cause) {
    throw new TagsFileError(`Failed to decode tags file: ${(cause as Error).message}`, { cause });
  }
  if (value === undefined) {
    throw new TagsFileError("Failed to decode tags file: unexpected end of JSON input");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TagsFileError("Failed to decode tags file: expected an object of strings");
  }
  return value as Record<string, unknown>;
}
