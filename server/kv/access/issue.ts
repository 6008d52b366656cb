/**
 * Making tokens, and entries of a tokens file.
 *
 * @module
 */

import { ConfigError } from "../../config/error.ts";
import { parseJsonText } from "../../files/json_text.ts";
import { fileProblem } from "../../files/problem.ts";
import { readTextBounded } from "../../files/read_bounded.ts";
import { replaceText } from "../../files/user_file.ts";
import { type FileEntry, readEntries } from "./entries.ts";
import { MAX_FILE_BYTES } from "./file.ts";
import { hashPassword, hashToken, makeToken } from "./secrets.ts";

export { ConfigError };

/** An entry, and the token that it is for; `undefined` when it is for a password. */
export interface Issued {
  readonly token: string | undefined;
  readonly entry: FileEntry;
}

/**
 * Makes an entry.
 *
 * @param wanted All of it but the hash.
 * @param password What its user will show. Default: a token is made.
 * @throws {ConfigError} when a name or a path is none.
 */
export async function issue(
  wanted: Omit<FileEntry, "hash">,
  password?: string,
): Promise<Issued> {
  const token = password === undefined ? makeToken() : undefined;
  const { name, ...rights } = wanted;
  const hash = token === undefined ? await hashPassword(password ?? "") : await hashToken(token);
  const entry = { name, hash, ...rights };
  try {
    readEntries(JSON.stringify([entry]));
  } catch (cause) {
    throw new ConfigError((cause as Error).message.replace(/^entry 1: /, ""), { cause });
  }
  return { token, entry };
}

/**
 * Adds an entry to a tokens file, which is made when it is not there.
 *
 * @throws {ConfigError} when the file cannot be read or written, is wrong, or has an entry of that name; nothing has changed then.
 */
export async function addEntry(path: string, entry: FileEntry): Promise<void> {
  const fail = (cause: unknown, reason = (cause as Error).message): never => {
    throw new ConfigError(`Error changing '${path}': ${reason}`, { cause });
  };
  let text = "[]";
  try {
    text = await readTextBounded(path, MAX_FILE_BYTES);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) fail(cause, fileProblem(cause));
  }
  let entries: readonly unknown[] = [];
  try {
    readEntries(text);
    entries = [...parseJsonText(text) as unknown[], entry];
    readEntries(JSON.stringify(entries));
  } catch (cause) {
    fail(cause);
  }
  try {
    await replaceText(path, `${JSON.stringify(entries, null, 2)}\n`);
  } catch (cause) {
    fail(cause, fileProblem(cause));
  }
}
