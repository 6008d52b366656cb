/**
 * `skein kv persist`.
 *
 * @module
 */

import { type Command, defineCommand } from "../shell/command.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, missing, namespaceOf, storeFlags } from "./store.ts";

/** Has the value of a key stay. */
export const command: Command = defineCommand({
  usage: "kv persist [options] KEY",
  description: ["Has the value of KEY stay that was to go by itself. Its revision stays, too."],
  flags: storeFlags,
  arguments: { least: 1, most: 1, few: "One key must be specified" },
  async run({ values, args: [key = ""], terminal }) {
    checkFormat(values.format);
    const options = namespaceOf(values);
    const changed = await ask(values, async (client) => {
      if (await client.persist(key, options)) return true;
      return await client.ttl(key, options) === undefined ? undefined : false;
    });
    if (changed === undefined) throw missing(key);
    await printResult(
      terminal,
      values.format,
      () => changed ? "Stays from now on" : "Was to stay already",
      () => ({ key, changed }),
    );
    return 0;
  },
});
