/**
 * `skein kv ttl`.
 *
 * @module
 */

import { formatDuration } from "../../protocol/duration.ts";
import { type Command, defineCommand } from "../shell/command.ts";
import { checkFormat, printResult } from "../shell/output.ts";
import { ask, consistencyFlag, missing, namespaceOf, storeFlags } from "./store.ts";

/** Tells how long the value of a key has left. */
export const command: Command = defineCommand({
  usage: "kv ttl [options] KEY",
  description: [
    "Prints how long it takes until the value of KEY goes by itself, or 'never'. With " +
    "-format=json it is a number of milliseconds, -1 for never.",
  ],
  flags: { consistency: consistencyFlag, ...storeFlags },
  arguments: { least: 1, most: 1, few: "One key must be specified" },
  async run({ values, args: [key = ""], terminal }) {
    checkFormat(values.format);
    const { consistency } = values;
    const left = await ask(
      values,
      (client) => client.ttl(key, { ...namespaceOf(values), consistency }),
    );
    if (left === undefined) throw missing(key);
    await printResult(
      terminal,
      values.format,
      () => left === Infinity ? "never" : formatDuration(left),
      () => ({ key, ttl_ms: left === Infinity ? -1 : left }),
    );
    return 0;
  },
});
