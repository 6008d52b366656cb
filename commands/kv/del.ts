/**
 * `skein kv del`.
 *
 * @module
 */

import { type Command, defineCommand } from "../shell/command.ts";
import { switchFlag } from "../shell/flags.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, ifRevFlag, missing, namespaceOf, storeFlags } from "./store.ts";

/** The flags. */
export const delFlags = {
  tree: switchFlag("Everything below the key, too."),
  "if-exists": switchFlag("It is no failure when there is nothing to delete."),
  "if-rev": ifRevFlag,
  ...storeFlags,
} as const;

/** Deletes the value of a key. */
export const command: Command = defineCommand({
  usage: "kv del [options] KEY",
  description: ["Deletes the value of KEY."],
  flags: delFlags,
  arguments: { least: 1, most: 1, few: "One key must be specified" },
  async run({ values, args: [key = ""], terminal }) {
    checkFormat(values.format);
    const { tree } = values;
    const ifRev = values["if-rev"];
    const options = { ...namespaceOf(values), tree, ...ifRev !== undefined && { ifRev } };
    const deleted = await ask(values, (client) => client.delete(key, options));
    if (deleted === 0 && !values["if-exists"]) throw missing(key);
    await printResult(
      terminal,
      values.format,
      () => `Deleted ${deleted} ${deleted === 1 ? "value" : "values"}`,
      () => ({ key, deleted }),
    );
    return 0;
  },
});
