/**
 * The choice between text and JSON.
 *
 * @module
 */

import { CommandError } from "./command.ts";
import { type Flag, stringFlag } from "./flags.ts";
import { type GoJson, goJson } from "./gojson.ts";

/** The flag that chooses the output format. */
export const formatFlag: Flag<string | undefined> = stringFlag(
  "text|json",
  "Output format. Default: text.",
);

/**
 * Writes a result in the format that was asked for.
 *
 * @param format The value of {@linkcode formatFlag}.
 * @throws {CommandError} When there is no such format.
 */
export function formatOutput(
  format: string | undefined,
  text: () => string,
  json: () => GoJson,
): string {
  if (format === undefined || format === "text") return text().trim();
  if (format === "json") return goJson(json());
  throw new CommandError(`Encoding error: Invalid output format "${format}"`);
}
