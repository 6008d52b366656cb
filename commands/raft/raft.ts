/**
 * `skein raft`: who keeps the replicated state, and how it is.
 *
 * @module
 */

import type { StateStatus } from "../../server/replica/state_status.ts";
import { defineActions, flagsOf } from "../shell/actions.ts";
import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags, PATIENT } from "../shell/connection.ts";
import type { GoJson } from "../shell/format/gojson.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import { showProgress } from "../shell/progress.ts";
import { peersText, statusText } from "./report.ts";
import { rebuild, rebuildFlags } from "./rebuild.ts";
import { verify, verifyFlags } from "./verify.ts";

const flags = { format: formatFlag, ...connectionFlags } as const;

/** One action. */
interface Action {
  /** What it does. */
  readonly help: string;
  /** Whether a server is named: it must (`one`), may (`any`) or must not (`none`). Default: it must. */
  readonly wants?: "none" | "any" | "one";
  /** What the servers are asked for. Default: what the action is called. */
  readonly asked?: string;
  /** What is shown as JSON. Default: the answer. */
  readonly shown?: (answer: unknown) => unknown;
  /** The answer as text. */
  readonly text: (answer: unknown) => string | Promise<string>;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  status: {
    help: "Tells of one server, and what it knows of the others.",
    wants: "none",
    text: (answer) => statusText(answer as StateStatus),
  },
  peers: {
    help: "Lists the members of the log.",
    wants: "none",
    asked: "status",
    shown: (answer) => (answer as StateStatus).peers,
    text: (answer) => peersText(answer as StateStatus),
  },
  add: {
    help: "Takes a server in. It gets the log first, and votes once it keeps up.",
    text: () => "Added: it becomes a voter when it has kept up for a while",
  },
  remove: { help: "Takes a server out.", text: () => "Removed" },
  demote: {
    help: "Takes the vote of a server. It keeps the log.",
    text: () => "Demoted: it keeps the log, and votes no more",
  },
  transfer: {
    help: "Hands the leadership over, to NAME or to whoever has most of the log.",
    wants: "any",
    text: () => "Handed over",
  },
  snapshot: {
    help: "Makes a snapshot of the state now, so that the log may begin there.",
    wants: "none",
    text(answer) {
      const { index } = answer as { index: number | null };
      return index === null
        ? "Nothing new since the last one"
        : `Snapshot ends with entry ${index}`;
    },
  },
};

/** Tells of the log and changes its members. */
export const command: Command = defineActions({
  usage: "raft ACTION [options] [NAME]",
  description: [
    "Tells how the replicated state is, and changes who keeps it. Any server answers; changes are " +
    "made by the leader. ACTION is status, peers, add, remove, demote, transfer, snapshot, " +
    "verify or rebuild. NAME is the name of a server's agent, or the beginning of its id.",
    "status tells of one server and what it knows of the others, peers lists the members of the log. " +
    "add takes a server in, which gets the log first and votes once it keeps up; remove takes one out; demote " +
    "takes its vote; transfer hands the leadership over, to NAME or to whoever has most; snapshot " +
    "makes one now; verify compares the servers. " +
    "rebuild works on the directory of a server that does not run. 'skein raft ACTION -h' tells of one.",
    "An agent without -server or -dev keeps no state, nor does Serf's.",
  ],
  flags: {
    ...flagsOf("verify", verifyFlags, flags),
    ...flagsOf("rebuild", rebuildFlags, flags),
    ...flags,
  },
  actions: {
    ...Object.fromEntries(
      Object.entries(ACTIONS).map(([name, action]) => [name, commandOf(name, action)]),
    ),
    verify,
    rebuild,
  },
});

function commandOf(
  name: string,
  { help, wants = "one", asked = name, shown = (answer) => answer, text }: Action,
): Command {
  const operand = { none: "", any: " [NAME]", one: " NAME" }[wants];
  return defineCommand({
    usage: `raft ${name} [options]${operand}`,
    description: [help],
    flags,
    ...wants === "none" ? {} : {
      arguments: {
        least: wants === "one" ? 1 : 0,
        most: 1,
        few: "The name of a server must be specified",
        many: "Only one server can be named",
      },
    },
    async run({ values, args: [server = ""], json, terminal }) {
      checkFormat(values.format);
      await using client = await connect(values);
      const answer = await (async () => {
        using _progress = showProgress(terminal, "Asking the servers", json);
        return await explain(`Error: raft ${name}`, client.raft(asked, server, PATIENT));
      })();
      await printResult(
        terminal,
        values.format,
        () => text(answer),
        () => shown(answer) as GoJson,
      );
      return 0;
    },
  });
}
