/**
 * `skein kv watch`.
 *
 * @module
 */

import { type KvChange, KvClient, type KvWatch } from "../../../client/mod.ts";
import { type Command, CommandError, defineCommand } from "../../shell/command.ts";
import { boolFlag, ExpectedError, parsedFlag } from "../../shell/flags.ts";
import { checkFormat } from "../../shell/output.ts";
import { interruption } from "../../shell/streaming.ts";
import type { Terminal } from "../../shell/terminal.ts";
import { countFlag } from "../listing.ts";
import { excluded, inSession, NONE, sessionFlags, textOf, wantsSession } from "../session.ts";
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
  ...sessionFlags,
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
    "With -session it begins with a line that says so; each change is a line with the time, its number, " +
    `KEY = value, or KEY = ${NONE} when it is gone. Nothing is missing as long as the session lives.`,
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
    const about = { ...namespaceOf(values), tree, initial, old };
    const print = async (changes: KvWatch, lineOf: LineOf): Promise<number> => {
      using interrupted = interruption();
      await Promise.race([printAll(changes, terminal, count, lineOf), interrupted.promise]);
      return 0;
    };
    const isJson = format === "json";
    if (wantsSession(values)) {
      if (fromRev !== undefined) throw excluded("-from-rev", "it watches from now on");
      if (once) throw excluded("-once", "it outlives its connections");
      return await inSession(values, async (session) => {
        const unsaid = Promise.withResolvers<never>();
        const say = (text: string): void => void terminal.err(text).catch(unsaid.reject);
        session.on("reconnecting", () => say("Connection lost, looking for the leader"));
        session.on("connected", () => say("Connected again"));
        await using changes = await session.kv.watch(key, about);
        if (!isJson) await terminal.out(`Watching ${key}, Ctrl-C ends it`);
        const printed = print(changes, isJson ? jsonLine : sessionLine);
        return await Promise.race([printed, unsaid.promise]);
      });
    }
    const connection = await connectionOf(values);
    await using client = await told(
      "Error connecting to the agent",
      KvClient.connect({ ...connection, reconnect: !once }),
    );
    const options = { ...about, ...fromRev !== undefined && { fromRev } };
    await using changes = await told("Error", client.watch(key, options));
    const line: LineOf = isJson ? jsonLine : (change) => textLine(change, tree);
    return await told("Error", print(changes, line));
  },
});

/** A line for a change, which is the one of this number; `undefined` for none. */
type LineOf = (change: KvChange, number: number) => string | undefined;

/** Prints changes until they end, or so many are printed. */
async function printAll(
  changes: KvWatch,
  terminal: Terminal,
  count: number,
  lineOf: LineOf,
): Promise<void> {
  let printed = 0;
  for await (const change of changes) {
    const line = lineOf(change, printed + 1);
    if (line === undefined) continue;
    await terminal.out(line);
    if (terminal.broken || (change.kind !== "synced" && ++printed >= count)) break;
  }
}

function jsonLine(change: KvChange): string {
  return JSON.stringify(change);
}

function textLine(change: KvChange, tree: boolean): string | undefined {
  if (change.kind === "synced") return undefined;
  const value = change.kind === "set" ? JSON.stringify(change.value) : "";
  return tree ? `${change.key}\t${value}` : value;
}

function sessionLine(change: KvChange, number: number): string | undefined {
  if (change.kind === "synced") return undefined;
  const value = change.kind === "set" ? textOf(change.value) : NONE;
  return `${new Date().toISOString()} #${number} ${change.key} = ${value}`;
}
