/**
 * What the actions of `skein kv` share that list.
 *
 * @module
 */

import { ExpectedError, type Flag, parsedFlag } from "../shell/flags.ts";
import type { Terminal } from "../shell/terminal.ts";

/** Items that are asked for at a time. */
export const PAGE = 1_000;

/** A flag that counts, from 1 to `most`. */
export function countFlag(
  help: string,
  most = Number.MAX_SAFE_INTEGER,
): Flag<number | undefined> {
  return parsedFlag<number | undefined>("NUMBER", help, undefined, (text) => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= 1 && count <= most) return count;
    const range = most === Number.MAX_SAFE_INTEGER ? "from 1 on" : `from 1 to ${most}`;
    throw new ExpectedError(`a whole number ${range}`);
  });
}

/** Prints items as they come, until there are `limit` or nobody reads them. */
export async function printItems<T>(
  items: AsyncIterable<T>,
  limit: number,
  lineOf: (item: T) => string,
  terminal: Terminal,
): Promise<void> {
  let count = 0;
  for await (const item of items) {
    await terminal.out(lineOf(item));
    if (++count >= limit || terminal.broken) return;
  }
}
