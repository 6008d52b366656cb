/**
 * `skein kv get`.
 *
 * @module
 */

import { type Command, defineCommand } from "../shell/command.ts";
import type { GoJson } from "../shell/format/gojson.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, consistencyFlag, missing, namespaceOf, storeFlags } from "./store.ts";

/** The flags. */
export const getFlags = { consistency: consistencyFlag, ...storeFlags } as const;

/** Prints the value of a key: a text as it is, anything else as JSON. */
export const command: Command = defineCommand({
  usage: "kv get [options] KEY",
  description: ["Prints the value of KEY: a text as it is, any other value as JSON."],
  flags: getFlags,
  arguments: { least: 1, most: 1, few: "One key must be specified" },
  async run({ values, args: [key = ""], terminal }) {
    checkFormat(values.format);
    const { consistency } = values;
    const entry = await ask(
      values,
      (client) => client.get(key, { ...namespaceOf(values), consistency }),
    );
    if (entry === undefined) throw missing(key);
    const { value, rev, ttlMs } = entry;
    // A text goes out whole, blanks at its ends too.
    if (values.format !== "json") {
      await terminal.out(typeof value === "string" ? value : JSON.stringify(value));
      return 0;
    }
    const json = () => ({
      key,
      value: value as GoJson,
      rev,
      ...ttlMs !== undefined && { ttl_ms: ttlMs },
    });
    await printResult(terminal, values.format, () => "", json);
    return 0;
  },
});
