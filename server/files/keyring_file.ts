/**
 * The file that an agent's keys come from, and that keeps them when they change (docs/spec/agent.md 6.5).
 *
 * @module
 */

import { Keyring, KeyringError } from "../../cluster/memberlist/mod.ts";
import { decodeBase64 } from "../../protocol/base64.ts";
import { parseJsonText } from "./json_text.ts";
import { fileProblem } from "./problem.ts";
import { readTextBounded } from "./read_bounded.ts";

/** What to do about a key that is none. */
export const KEYGEN_HINT = "'skein keygen' makes a key";

/** A keyring file that cannot be used. The message has the form of the Go agent. */
export class KeyringFileError extends Error {
  override readonly name = "KeyringFileError";
}

/** Largest keyring file that is read, in bytes: more than 1,000 keys. Serf itself has no bound. */
const MAX_FILE_BYTES = 64 * 1024;

/**
 * The keys in a file, a JSON array of base64 texts. The first one encrypts.
 *
 * @throws {KeyringFileError} when there is no such file, or it holds no usable keys.
 */
export async function readKeyringFile(path: string): Promise<Keyring> {
  const texts = parse(await read(path));
  if (texts.length === 0) throw new KeyringFileError("Keyring file contains no keys");
  const keys = texts.map((text) =>
    attempt("Failed to decode key from keyring", () => decodeBase64(text))
  );
  return attempt("Failed to restore keyring", () => keyringOfKeys(keys));
}

/**
 * A keyring of these keys.
 *
 * @throws {KeyringError} for a key of a wrong length, with what it has.
 */
export function keyringOfKeys(keys: readonly Uint8Array[]): Keyring {
  try {
    return new Keyring(keys);
  } catch (cause) {
    const wrong = keys.find(({ length }) => ![16, 24, 32].includes(length));
    if (!(cause instanceof KeyringError) || wrong === undefined) throw cause;
    throw new KeyringError(`${cause.message}, got ${wrong.length}; ${KEYGEN_HINT}`, { cause });
  }
}

/**
 * Replaces the file by one with these keys, the primary first, which only its owner may read.
 *
 * @throws {KeyringFileError} when it cannot be written; the old one is as it was then.
 */
export async function writeKeyringFile(
  path: string,
  keys: readonly Uint8Array[],
): Promise<void> {
  const { replaceText } = await import("./user_file.ts");
  try {
    await replaceText(path, JSON.stringify(keys.map((key) => key.toBase64()), null, 2));
  } catch (cause) {
    throw new KeyringFileError(`Failed to write keyring file: ${fileProblem(cause)}`, { cause });
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readTextBounded(path, MAX_FILE_BYTES);
  } catch (cause) {
    const problem = fileProblem(cause);
    const text = cause instanceof Deno.errors.NotFound
      ? `stat ${path}: ${problem}; it has to hold a list of keys: ["KEY"]; ${KEYGEN_HINT}`
      : `Failed to read keyring file: ${problem}`;
    throw new KeyringFileError(text, { cause });
  }
}

function parse(json: string): string[] {
  const label = "Failed to decode keyring file";
  if (json.trim() === "") throw new KeyringFileError(`${label}: unexpected end of JSON input`);
  const value: unknown = attempt(label, () => parseJsonText(json));
  if (Array.isArray(value) && value.every((text) => typeof text === "string")) return value;
  const kind = Array.isArray(value) ? "a list with other values" : typeof value;
  throw new KeyringFileError(`${label}: expected an array of strings, got ${kind}`);
}

function attempt<T>(label: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new KeyringFileError(`${label}: ${(cause as Error).message}`, { cause });
  }
}
