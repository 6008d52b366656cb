/**
 * What users read about options, besides their own text.
 *
 * @module
 */

import type { ConfigOption, NamedOption } from "./option.ts";
import { fileValue } from "./values.ts";

/** A name of an option in a text: lower case, with underscores or dots inside. */
const NAME = /(?<![\w/.$])[a-z][a-z0-9]*(?:[._][a-z0-9]+)+\b/g;

/** What counts when nothing is said, in words. */
export function defaultText(option: ConfigOption): string {
  if (option.unset !== undefined) return option.unset;
  const value = defaultValue(option);
  if (value === undefined || value === "" || typeof value === "object") return "none";
  return String(value);
}

/** The default as a file would write it; `undefined` for an option without a setting. */
export function defaultValue(option: ConfigOption): unknown {
  return option.default === undefined ? undefined : fileValue(option, option.default);
}

/** `text` with what `write` makes of each option that it names in full; names without underscores and dots stay. */
export function withNames(
  text: string,
  options: readonly NamedOption[],
  write: (option: NamedOption) => string,
): string {
  return text.replace(NAME, (word) => {
    const named = options.find(({ name }) => name === word);
    return named === undefined ? word : write(named);
  });
}
