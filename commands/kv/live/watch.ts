/**
 * `skein kv watch`.
 *
 * @module
 */

import { type KvChange, KvClient } from "../../../client/mod.ts";
import { type Command, CommandError, defineCommand } from "../../shell/command.ts";
import { boolFlag, ExpectedError, parsedFlag } from "../../shell/flags.ts";
import { checkFormat } from "../../shell/output.ts";
import { interruption } from "../../shell/streaming.ts";
import { countFlag } from "../listing.ts";
import { connectionOf, namespaceOf, storeFlags, told } from "../store.ts";

/** The flags. */
export const watchFlags = {
  tree: boolFlag("All below KEY, too."),
  initial: boolFlag("First what is there already."),
  old: boolFlag("With -format=json: the value before, too."),
  "from-rev": parsedFlag<number | undefined>(
    "REVISION",
    "Changes from this revision on, as far as agents keep them. Not with -initial.",
    undefined,
    (text) => {
      if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
      throw new ExpectedError("a revision: a whole number from 1 on");
    },
  ),
  count: countFlag("End after so many changes. Default: never."),
  once: boolFlag("End when the agent goes away. Without it, the next one is asked."),
  ...storeFlags,
} as const;

/** Prints changes until Ctrl-C. */
export const command: Command = defineCommand({
  usage: "kv watch [options] KEY",
  description: [
    "Prints each change of KEY, in order: the value as JSON, or nothing when it is gone; with -tree " +
    "the path and a tab before it. With -format=json each line is an object that also tells the " +
    "revision, and what has happened.",
    "When the agent goes away it is waited for, or the next of several addresses in -kv-addr is " +
    "asked, and none is missing then. If changes since are not kept any more it fails: look with " +
    "-initial at what is there, and go on from that.",
  ],
  flags: watchFlags,
  arguments: { least: 1, most: 1, few: "One key must be specified" },
  jsonLines: true,
  async run({ values, args: [key = ""], terminal }) {
    const { format, tree, initial, old, count = Infinity, once } = values;
    checkFormat(format);
    const fromRev = values["from-rev"];
    if (initial && fromRev !== undefined) {
      throw new CommandError("-initial and -from-rev exclude each other", { onStderr: true });
    }
    const connection = await connectionOf(values);
    await using client = await told(
      "Error connecting to the agent",
      KvClient.connect({ ...connection, reconnect: !once }),
    );
    const about = { ...namespaceOf(values), tree, initial, old };
    const options = { ...about, ...fromRev !== undefined && { fromRev } };
    await using changes = await told("Error", client.watch(key, options));
    using interrupted = interruption();
    let printed = 0;
    const print = async (): Promise<"ended"> => {
      for await (const change of changes) {
        const line = format === "json" ? JSON.stringify(change) : textLine(change, tree);
        if (line === undefined) continue;
        await terminal.out(line);
        if (terminal.broken || (change.kind !== "synced" && ++printed >= count)) break;
      }
      return "ended";
    };
    await Promise.race([told("Error", print()), interrupted.promise]);
    return 0;
  },
});

function textLine(change: KvChange, tree: boolean): string | undefined {
  if (change.kind === "synced") return undefined;
  const value = change.kind === "set" ? JSON.stringify(change.value) : "";
  return tree ? `${change.key}\t${value}` : value;
}
