/**
 * The file of tokens.
 *
 * @module
 */

import { ConfigError } from "../../config/error.ts";
import { fileProblem } from "../../files/problem.ts";
import { readTextBounded } from "../../files/read_bounded.ts";
import { type Entry, readEntries } from "./entries.ts";

/** Largest file of tokens, in bytes. */
export const MAX_FILE_BYTES = 1024 * 1024;

/** Who else than its owner may write to a file. */
const OTHERS_WRITE = 0o022;

/**
 * The entries of a file.
 *
 * @throws {ConfigError} when it cannot be read, others may write to it, or something is wrong in it: one line for the operator.
 */
export async function readTokensFile(path: string): Promise<Entry[]> {
  const fail = (reason: string, cause?: unknown): never => {
    throw new ConfigError(`Error reading kv.tokens_file '${path}': ${reason}`, { cause });
  };
  let text: string;
  try {
    const { mode } = await Deno.stat(path);
    if (mode !== null && (mode & OTHERS_WRITE) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, "0");
      return fail(`others may write to it (mode ${shown}), and give themselves rights: chmod 0600`);
    }
    text = await readTextBounded(path, MAX_FILE_BYTES);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    return fail(fileProblem(cause), cause);
  }
  try {
    return readEntries(text);
  } catch (cause) {
    return fail((cause as Error).message, cause);
  }
}
