/**
 * `skein kv children`.
 *
 * @module
 */

import { type Command, defineCommand } from "../shell/command.ts";
import { stringFlag } from "../shell/flags.ts";
import { checkFormat } from "../shell/output.ts";
import { countFlag, PAGE, printItems } from "./listing.ts";
import { ask, consistencyFlag, namespaceOf, storeFlags } from "./store.ts";

/** The flags. */
export const childrenFlags = {
  limit: countFlag("At most so many names. Default: all."),
  after: stringFlag("NAME", "Only what follows this name, as it was printed."),
  consistency: consistencyFlag,
  ...storeFlags,
} as const;

/** Prints the names one level below a key. */
export const command: Command = defineCommand({
  usage: "kv children [options] [KEY]",
  description: [
    "Prints the names one level below KEY in order, a line each, with or without a value of their " +
    "own; without KEY those of the namespace, with '^' the namespaces.",
    "They are asked for page by page. With -format=json each line is an object.",
  ],
  flags: childrenFlags,
  arguments: { least: 0, most: 1, few: "At most one key can be specified" },
  jsonLines: true,
  async run({ values, args: [key], json, terminal }) {
    const { format, limit = Infinity, after, consistency } = values;
    checkFormat(format);
    const options = {
      ...namespaceOf(values),
      ...after !== undefined && { after },
      consistency,
      pageSize: Math.min(limit, PAGE),
    };
    const lineOf = (name: string): string => json ? JSON.stringify({ name }) : name;
    await ask(
      values,
      (client) => printItems(client.children(key, options), limit, lineOf, terminal),
    );
    return 0;
  },
});
