/**
 * Tags as they are given on a command line.
 *
 * @module
 */

import { CommandError } from "./command.ts";

/**
 * Reads the values of a repeated `key=value` flag, split at the first `=`. Of a repeated key the last value wins.
 *
 * @throws {CommandError} When a value has no `=` or an empty key.
 */
export function tagsFromFlags(texts: readonly string[]): Record<string, string> {
  // `fromEntries` defines own properties, so a tag may be called `__proto__`.
  return Object.fromEntries(texts.map((text) => {
    const at = text.indexOf("=");
    if (at < 1) {
      const hint = "A tag is KEY=VALUE, such as role=web";
      throw new CommandError(`Error: Invalid tag: '${text}'`, { hint });
    }
    return [text.slice(0, at), text.slice(at + 1)];
  }));
}
