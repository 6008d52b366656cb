/**
 * `skein keys` (docs/spec/agent.md 7.8).
 *
 * @module
 */

import { KeyError, type KeyReport, type RpcClient } from "../../client/mod.ts";
import { byteOrder } from "../../protocol/byte_order.ts";
import { type Command, CommandError, defineCommand, wrongArguments } from "../shell/command.ts";
import { connect, connectionFlags, PATIENT } from "../shell/connection.ts";
import { hintFor, jsonError } from "../shell/failure.ts";
import { boolFlag, stringFlag } from "../shell/flags.ts";
import { columns } from "../shell/format/columns.ts";
import { type Foreign, foreignOn } from "../shell/format/foreign.ts";
import { goJson } from "../shell/format/gojson.ts";
import { checkFormat, formatFlag } from "../shell/output.ts";
import { aliveMembers, showProgress } from "../shell/progress.ts";

/** One of the four things that can be done. */
interface Operation {
  /** What is said before. */
  readonly start: string;
  /** What is said when it succeeded. */
  readonly success: string;
  /** What starts the message when it failed. */
  readonly failure: string;
  /** Does it. */
  readonly run: (client: RpcClient, key: string) => Promise<KeyReport>;
}

const OPERATIONS: Readonly<Record<"install" | "use" | "remove" | "list", Operation>> = {
  install: {
    start: "Installing key on all members...",
    success: "Successfully installed key!",
    failure: "Error installing key",
    run: (client, key) => client.installKey(key, PATIENT),
  },
  use: {
    start: "Changing primary key on all members...",
    success: "Successfully changed primary key!",
    failure: "Error changing primary key",
    run: (client, key) => client.useKey(key, PATIENT),
  },
  remove: {
    start: "Removing key on all members...",
    success: "Successfully removed key!",
    failure: "Error removing key",
    run: (client, key) => client.removeKey(key, PATIENT),
  },
  list: {
    start: "Asking all members for installed keys...",
    success: "Keys gathered, listing cluster keys...",
    failure: "Failed to gather member keys",
    run: (client) => client.listKeys(PATIENT),
  },
};

/** What stands before each message about progress. */
const PREFIX = "==> ";

const USAGE = "keys [options]...";

/** Installs, changes, removes or lists the keys with which the members encrypt their traffic. */
export const command: Command = defineCommand({
  usage: USAGE,
  description: [
    "Manages the encryption keys of the whole cluster. A change goes to all members and each " +
    "applies it to its own keyring; it may be repeated without harm.",
    "Members can hold many keys. They encrypt with one, the primary key, and decrypt with all. To " +
    "replace the primary key: -install the new one, -use it, then -remove the old one.",
    "The exit code is 0 when every member reported success, else 1.",
  ],
  flags: {
    install: stringFlag("KEY", "Adds a key, with which members then decrypt (see skein keygen)."),
    use: stringFlag("KEY", "Makes a key that all members have the one with which they encrypt."),
    remove: stringFlag("KEY", "Removes a key, which must not be the primary key."),
    list: boolFlag("Lists all keys, and how many members have each."),
    format: formatFlag,
    ...connectionFlags,
  },
  async run({ values, json, terminal }) {
    const wanted = (["install", "use", "remove", "list"] as const).filter((name) => values[name]);
    const [name] = wanted;
    if (wanted.length > 1) {
      throw new CommandError("Only one of -install, -use, -remove, or -list allowed");
    }
    if (name === undefined) {
      throw wrongArguments(USAGE, "None of -install, -use, -remove and -list was given");
    }
    checkFormat(values.format);
    await using client = await connect(values);
    const foreign = foreignOn(terminal);
    const { start, success, failure, run } = OPERATIONS[name];
    if (!json) await terminal.out(PREFIX + start);
    const alive = await aliveMembers(client, terminal, json);
    let report: KeyReport;
    try {
      const whom = alive === undefined ? "the members" : `${alive.size} members`;
      using _progress = showProgress(terminal, `Waiting for ${whom}`, json);
      report = await run(client, name === "list" ? "" : values[name] ?? "");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const failed = error instanceof KeyError ? error.report : undefined;
      await terminal.out(
        json
          ? jsonError(`${failure}: ${reason}`, { details: failed ? reportJson(failed, name) : {} })
          : `${await messageTable(failed, foreign)}\n${failure}: ${foreign.block(reason)}`,
      );
      const reasons = [reason, ...Object.values(failed?.messages ?? {})];
      const hint = reasons.map(hintFor).find((hint) => hint !== undefined);
      if (!json && terminal.interactive && hint !== undefined) await terminal.err(hint);
      return 1;
    }
    if (json) {
      await terminal.out(goJson(reportJson(report, name)));
      return 0;
    }
    await terminal.out(PREFIX + success);
    if (name === "list") await terminal.out(`\n${await keyTable(report, foreign)}`);
    return 0;
  },
});

/** The fields of the JSON output. A list has the keys of those that answered also when others did not. */
function reportJson(
  { numNodes, numResp, numErr, messages, keys }: KeyReport,
  operation: keyof typeof OPERATIONS,
) {
  return {
    nodes: numNodes,
    responses: numResp,
    failures: numErr,
    messages: new Map(Object.entries(messages)),
    ...operation === "list" && { keys: new Map(Object.entries(keys)) },
  };
}

/** What members reported, a line each with a newline at its end; nothing when none did. */
async function messageTable(
  report: KeyReport | undefined,
  { cell, onScreen }: Foreign,
): Promise<string> {
  const messages = sorted(report?.messages ?? {});
  if (messages.length === 0) return "";
  const rows = messages.map(([node, text]) => ["failed: ", cell(node), cell(text)]);
  return await columns(rows, { onScreen }) + "\n";
}

async function keyTable({ keys, numNodes }: KeyReport, { cell }: Foreign): Promise<string> {
  return await columns(sorted(keys).map(([key, count]) => [cell(key), `[${count}/${numNodes}]`]));
}

function sorted<T>(record: Readonly<Record<string, T>>): [string, T][] {
  return Object.entries(record).sort(([a], [b]) => byteOrder(a, b));
}
