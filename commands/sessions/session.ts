/**
 * `skein session`: the durable sessions of clients, and how to end one.
 *
 * @module
 */

import type { SessionList, SessionReport } from "../../server/replica/sessions/administration.ts";
import { defineActions } from "../shell/actions.ts";
import { type Command, defineCommand, explain } from "../shell/command.ts";
import { connect, connectionFlags, PATIENT } from "../shell/connection.ts";
import type { GoJson } from "../shell/format/gojson.ts";
import { checkFormat, formatFlag, printResult } from "../shell/output.ts";
import { listText, sessionText } from "./report.ts";

const flags = { format: formatFlag, ...connectionFlags } as const;

/** One action. */
interface Action {
  readonly help: string;
  /** Whether a session is named. */
  readonly wantsSession: boolean;
  /** The answer, by what asks the agent. */
  readonly ask: (
    ask: (action: string, session: string) => Promise<unknown>,
    session: string,
  ) => Promise<unknown>;
  /** The answer as text. */
  readonly text: (answer: unknown) => string | Promise<string>;
}

const ACTIONS: Readonly<Record<string, Action>> = {
  list: {
    help: "Lists the sessions.",
    wantsSession: false,
    ask: listAll,
    text: (answer) => listText(answer as readonly SessionReport[]),
  },
  show: {
    help: "Tells of one session. ID is its id, or the beginning of that.",
    wantsSession: true,
    ask: (ask, session) => ask("show", session),
    text: (answer) => sessionText(answer as SessionReport),
  },
  end: {
    help:
      "Ends one session: its client is told so, and has to begin another one. ID is its id, or " +
      "the beginning of that.",
    wantsSession: true,
    ask: (ask, session) => ask("end", session),
    text: () => "Ended",
  },
};

/** Tells of sessions and ends them. */
export const command: Command = defineActions({
  usage: "session ACTION [options] [ID]",
  description: [
    "Tells of the durable sessions of clients, and ends them. Any server answers. ACTION is list, " +
    "show or end. ID is the id of a session, or the beginning of that.",
    "list tells all sessions in the order of their ids, show one, end ends one: its client is told so, and " +
    "what it had asked for and not got stays unknown to it. Which sessions are on a connection is known by the leader.",
    "An agent without -server or -dev keeps no state, nor does Serf's.",
  ],
  flags,
  actions: Object.fromEntries(
    Object.entries(ACTIONS).map(([name, action]) => [name, commandOf(name, action)]),
  ),
});

function commandOf(name: string, { help, wantsSession, ask, text }: Action): Command {
  return defineCommand({
    usage: `session ${name} [options]${wantsSession ? " ID" : ""}`,
    description: [help],
    flags,
    ...wantsSession && {
      arguments: {
        least: 1,
        most: 1,
        few: "The id of a session must be specified",
        many: "Only one session can be named",
      },
    },
    async run({ values, args: [session = ""], terminal }) {
      checkFormat(values.format);
      await using client = await connect(values);
      const answer = await explain(
        `Error: session ${name}`,
        ask((action, id) => client.session(action, id, PATIENT), session),
      );
      await printResult(terminal, values.format, () => text(answer), () => answer as GoJson);
      return 0;
    },
  });
}

/** All sessions, which come in pages. */
async function listAll(ask: Parameters<Action["ask"]>[0]): Promise<readonly SessionReport[]> {
  const all: SessionReport[] = [];
  let after: string | null = "";
  while (after !== null) {
    const { sessions, next } = await ask("list", after) as SessionList;
    all.push(...sessions);
    after = next;
  }
  return all;
}
