/**
 * `skein kv keys`.
 *
 * @module
 */

import type { KvClient, KvItem } from "../../client/mod.ts";
import { MAX_LEVELS } from "../../protocol/kv/limits.ts";
import { type Command, defineCommand } from "../shell/command.ts";
import { stringFlag, switchFlag } from "../shell/flags.ts";
import { checkFormat } from "../shell/output.ts";
import { countFlag, PAGE, printItems } from "./listing.ts";
import { ask, consistencyFlag, namespaceOf, storeFlags } from "./store.ts";

/** The flags. */
export const keysFlags = {
  values: switchFlag("Their values as well, as JSON behind a tab."),
  limit: countFlag("At most so many keys. Default: all."),
  depth: countFlag("Only so many levels below PREFIX. Default: all.", MAX_LEVELS),
  after: stringFlag("KEY", "Only what follows this key, as it was printed."),
  consistency: consistencyFlag,
  ...storeFlags,
} as const;

/** Prints the keys below a key. */
export const command: Command = defineCommand({
  usage: "kv keys [options] [PREFIX]",
  description: [
    "Prints the keys below PREFIX in order, a line each; without PREFIX those of the namespace, " +
    "with '^' those of all namespaces.",
    "They are asked for page by page. A key that is there all the time is printed once, whatever " +
    "is written meanwhile. With -format=json each line is an object.",
  ],
  flags: keysFlags,
  arguments: { least: 0, most: 1, few: "At most one prefix can be specified" },
  jsonLines: true,
  async run({ values, args: [prefix], terminal }) {
    const { format, values: withValues, limit = Infinity, after, consistency } = values;
    checkFormat(format);
    const options = {
      ...namespaceOf(values),
      ...values.depth !== undefined && { depth: values.depth },
      ...after !== undefined && { after },
      consistency,
      pageSize: Math.min(limit, PAGE),
    };
    await ask(values, (client: KvClient) => {
      const items = withValues ? client.entries(prefix, options) : client.keys(prefix, options);
      return printItems(items, limit, format === "json" ? jsonLine : textLine, terminal);
    });
    return 0;
  },
});

function textLine(item: string | KvItem): string {
  return typeof item === "string" ? item : `${item.key}\t${JSON.stringify(item.value)}`;
}

function jsonLine(item: string | KvItem): string {
  return JSON.stringify(typeof item === "string" ? { key: item } : item);
}
