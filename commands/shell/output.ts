/**
 * The choice between text and JSON.
 *
 * @module
 */

import { CommandError } from "./failure.ts";
import { type Flag, stringFlag } from "./flags.ts";
import { type GoJson, goJson } from "./format/gojson.ts";

/** The flag that chooses the output format. */
export const formatFlag: Flag<string | undefined> = stringFlag(
  "text|json",
  "Output format. Default: text.",
);

/**
 * Checks the format before a command changes anything. The commands that have the flag in Serf find a wrong one after
 * their call, in {@linkcode formatOutput} (docs/spec/agent.md 7.5, 7.10).
 *
 * @throws {CommandError} When there is no such format.
 */
export function checkFormat(format: string | undefined): void {
  if (format === undefined || format === "text" || format === "json") return;
  throw new CommandError(`Encoding error: Invalid output format "${format}"`);
}

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
  checkFormat(format);
  return format === "json" ? goJson(json()) : text().trim();
}
