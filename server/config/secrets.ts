/**
 * Secrets that stand in a file of their own, so that neither flags nor the configuration show them.
 *
 * @module
 */

import { fileProblem } from "../files/problem.ts";
import { readTextBounded } from "../files/read_bounded.ts";
import { ConfigError } from "./error.ts";

/** Largest file of a secret, in bytes. */
const MAX_FILE_BYTES = 16 * 1024;

/** An option that gives a secret, and the one that names its file. */
export interface SecretSource {
  /** The name of the option for the secret. */
  readonly name: string;
  /** The secret, "" when it is not given. */
  readonly value: string;
  /** The name of the option for the file. */
  readonly fileName: string;
  /** The path of the file, "" for none. */
  readonly path: string;
}

/**
 * The secret, without the line break at the end of its file; "" when there is none.
 *
 * @throws {ConfigError} when both options are given, and when the file cannot be read or is empty.
 */
export async function secretOf({ name, value, fileName, path }: SecretSource): Promise<string> {
  if (path === "") return value;
  if (value !== "") throw new ConfigError(`Expected ${name} or ${fileName}, got both`);
  let text: string;
  try {
    text = await readTextBounded(path, MAX_FILE_BYTES);
  } catch (cause) {
    throw new ConfigError(`Error reading ${fileName} '${path}': ${fileProblem(cause)}`, { cause });
  }
  const secret = text.replace(/\r?\n$/, "");
  if (secret !== "") return secret;
  throw new ConfigError(
    `Error reading ${fileName} '${path}': expected a secret, got an empty file`,
  );
}
