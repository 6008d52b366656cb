/**
 * `skein kv incr`.
 *
 * @module
 */

import { type Command, CommandError, defineCommand } from "../shell/command.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, namespaceOf, storeFlags, ttlFlag } from "./store.ts";

/** The flags. */
export const incrFlags = { ttl: ttlFlag, ...storeFlags } as const;

/** Adds to the whole number at a key. */
export const command: Command = defineCommand({
  usage: "kv incr [options] KEY [NUMBER]",
  description: [
    "Adds NUMBER, by default 1, to the whole number that the value of KEY is, 0 without a value, " +
    "and prints the sum. NUMBER may be negative.",
  ],
  flags: incrFlags,
  arguments: {
    least: 1,
    most: 2,
    few: "A key must be specified",
    many: "At most a key and a number can be specified",
  },
  async run({ values, args: [key = "", number = "1"], terminal }) {
    checkFormat(values.format);
    const by = wholeNumber(number);
    const { ttl } = values;
    const options = { ...namespaceOf(values), ...ttl !== undefined && { ttlMs: ttl } };
    const sum = await ask(values, (client) => client.increment(key, by, options));
    await printResult(terminal, values.format, () => String(sum), () => ({ key, value: sum }));
    return 0;
  },
});

function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(number)) return number;
  throw new CommandError(`Expected a whole number to add, got '${text}'`, { onStderr: true });
}
