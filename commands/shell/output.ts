/**
 * The choice between text and JSON.
 *
 * @module
 */

import { CommandError } from "./failure.ts";
import { type Flag, parsedFlag } from "./flags.ts";
import { type GoJson, goJson } from "./format/gojson.ts";
import type { Terminal } from "./terminal.ts";

/** The flag that chooses the output format, in letters of any case. */
export const formatFlag: Flag<string | undefined> = parsedFlag<string | undefined>(
  "text|json",
  "Output format. Default: text.",
  undefined,
  (text) => /^(?:text|json)$/i.test(text) ? text.toLowerCase() : text,
);

/**
 * Checks the format before a command changes anything. The commands that have the flag in Serf find a wrong one after
 * their call, in {@linkcode printResult} (docs/spec/agent.md 7.5, 7.10).
 *
 * @throws {CommandError} When there is no such format.
 */
export function checkFormat(format: string | undefined): void {
  if (format === undefined || format === "text" || format === "json") return;
  throw new CommandError(`Encoding error: Invalid output format "${format}"`);
}

/**
 * Prints a result in the format that was asked for.
 *
 * @param format The value of {@linkcode formatFlag}.
 * @throws {CommandError} When there is no such format.
 */
export async function printResult(
  terminal: Terminal,
  format: string | undefined,
  text: () => string | Promise<string>,
  json: () => GoJson,
): Promise<void> {
  checkFormat(format);
  await terminal.out(format === "json" ? goJson(json()) : (await text()).trim());
}
