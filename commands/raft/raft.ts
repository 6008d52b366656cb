/**
 * `skein raft`: who keeps the replicated state, and how it is.
 *
 * @module
 */

import type { StateStatus } from "../../server/replica/state_status.ts";
import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags, PATIENT } from "../shell/connection.ts";
import { CommandError } from "../shell/failure.ts";
import type { GoJson } from "../shell/format/gojson.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import { showProgress } from "../shell/progress.ts";
import { peersText, statusText } from "./report.ts";

/** The actions, and whether each names a server: it must, may or must not. */
const ACTIONS = {
  status: "none",
  peers: "none",
  add: "one",
  remove: "one",
  demote: "one",
  transfer: "any",
  snapshot: "none",
} as const;

type Action = keyof typeof ACTIONS;

/** What is said when something is done. */
const DONE: Readonly<Record<Exclude<Action, "status" | "peers" | "snapshot">, string>> = {
  add: "Added: it becomes a voter when it has kept up for a while",
  remove: "Removed",
  demote: "Demoted: it keeps the log, and votes no more",
  transfer: "Handed over",
};

/** Tells of the log and changes its members. */
export const command: Command = defineCommand({
  usage: "raft [options] ACTION [NAME]",
  description: [
    "Tells how the replicated state is, and changes who keeps it. Any server answers; changes are " +
    "made by the leader. ACTION is status, peers, add, remove, demote, transfer or snapshot. NAME " +
    "is the name of a server's agent, or the beginning of its id.",
    "status tells of one server and what it knows of the others, peers lists the members of the log. " +
    "add takes a server in, which gets the log first and votes once it keeps up; remove takes one out; demote " +
    "takes its vote; transfer hands the leadership over, to NAME or to whoever has most; snapshot " +
    "makes one now.",
    "An agent without -server or -dev keeps no state, nor does Serf's.",
  ],
  flags: { format: formatFlag, ...connectionFlags },
  arguments: {
    least: 1,
    most: 2,
    few: `An action must be specified: ${Object.keys(ACTIONS).join(", ")}.`,
    many: "At most an action and a name can be specified.",
  },
  async run({ values, args, json, terminal }) {
    checkFormat(values.format);
    const [action = "", node = ""] = args;
    requireAction(action, node);
    await using client = await connect(values);
    const result = await (async () => {
      using _progress = showProgress(terminal, "Asking the servers", json);
      const asked = action === "peers" ? "status" : action;
      return await explain(`Error: raft ${action}`, client.raft(asked, node, PATIENT));
    })();
    const shown = action === "peers" ? (result as StateStatus).peers : result;
    await printResult(
      terminal,
      values.format,
      () => textOf(action, result),
      () => shown as GoJson,
    );
    return 0;
  },
});

function requireAction(action: string, node: string): asserts action is Action {
  if (!Object.hasOwn(ACTIONS, action)) {
    const known = Object.keys(ACTIONS).join(", ");
    throw new CommandError(`Unknown action '${action}', expected one of ${known}`);
  }
  const wants = ACTIONS[action as Action];
  if (wants === "one" && node === "") throw new CommandError(`raft ${action} needs a NAME`);
  if (wants === "none" && node !== "") {
    throw new CommandError(`raft ${action} takes no NAME, got '${node}'`);
  }
}

function textOf(action: Action, result: unknown): string | Promise<string> {
  switch (action) {
    case "status":
      return statusText(result as StateStatus);
    case "peers":
      return peersText(result as StateStatus);
    case "snapshot": {
      const { index } = result as { index: number | null };
      return index === null
        ? "Nothing new since the last one"
        : `Snapshot ends with entry ${index}`;
    }
    default:
      return DONE[action];
  }
}
