/**
 * From the arguments of the process to one command (agent.md 7.1).
 *
 * Each command is loaded when it is asked for, so that `members` does not wait for the agent's code.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { suggest } from "./suggest.ts";
import type { Terminal } from "./terminal.ts";

/** One line of the list of commands, and how to load the command. */
interface Entry {
  readonly synopsis: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

const COMMANDS: Readonly<Record<string, Entry>> = {
  agent: { synopsis: "Runs a skein agent", load: () => import("./agent.ts") },
  event: {
    synopsis: "Sends a custom event through the cluster",
    load: () => import("./event.ts"),
  },
  "force-leave": {
    synopsis: 'Forces a member of the cluster to enter the "left" state',
    load: () => import("./force_leave.ts"),
  },
  info: {
    synopsis: "Provides debugging information for operators",
    load: () => import("./info.ts"),
  },
  join: { synopsis: "Tells an agent to join a cluster", load: () => import("./join.ts") },
  keygen: { synopsis: "Generates a new encryption key", load: () => import("./keygen.ts") },
  leave: {
    synopsis: "Gracefully leaves the cluster and shuts the agent down",
    load: () => import("./leave.ts"),
  },
  members: { synopsis: "Lists the members of the cluster", load: () => import("./members.ts") },
  monitor: {
    synopsis: "Streams logs and events from an agent",
    load: () => import("./monitor.ts"),
  },
  tags: { synopsis: "Modifies the tags of a running agent", load: () => import("./tags.ts") },
  version: { synopsis: "Prints the version of skein", load: () => import("./version.ts") },
};

/** The exit code of shells for a command that does not exist. */
const UNKNOWN_COMMAND = 127;

/** What a shell sees of a program that SIGPIPE ended: 128 + 13. */
const BROKEN_PIPE = 141;

/** How the arguments divide. */
interface Division {
  readonly command: string | undefined;
  readonly args: readonly string[];
  readonly wantsHelp: boolean;
  readonly flagsBefore: boolean;
}

/**
 * Runs the command that the arguments name.
 *
 * @param argv The arguments after the program's name.
 * @returns The exit code.
 */
export async function dispatch(argv: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await choose(argv, terminal);
  } catch (error) {
    await terminal.err(`Error executing CLI: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

async function choose(argv: readonly string[], terminal: Terminal): Promise<number> {
  const wantsVersion = argv.some((arg) => arg === "-v" || arg === "--version");
  const { command, args, wantsHelp, flagsBefore } = divide(
    wantsVersion ? ["version", ...argv] : argv,
  );
  const entry = command !== undefined && Object.hasOwn(COMMANDS, command)
    ? COMMANDS[command]
    : undefined;
  if (entry === undefined) {
    await terminal.err(commandList());
    if (command === undefined && wantsHelp) return 0;
    if (command !== undefined) await terminal.err(unknownCommand(command));
    return UNKNOWN_COMMAND;
  }
  const { command: loaded } = await entry.load();
  if (wantsHelp) {
    await terminal.err(loaded.help);
    return 0;
  }
  if (flagsBefore) {
    await terminal.err(
      "Invalid flags before the subcommand. If these flags are for\n" +
        `the subcommand, please put them after the subcommand.\n\n${loaded.help}`,
    );
    return 1;
  }
  const code = await loaded.run(args, terminal);
  return terminal.broken && !loaded.outlivesReader ? BROKEN_PIPE : code;
}

/** The command is the first argument without a dash. A request for help counts anywhere before `--`. */
function divide(argv: readonly string[]): Division {
  const end = argv.indexOf("--");
  const considered = end < 0 ? argv : argv.slice(0, end);
  const isHelp = (arg: string) => arg === "-h" || arg === "-help" || arg === "--help";
  const at = considered.findIndex((arg) => arg !== "" && !arg.startsWith("-"));
  const before = at < 0 ? considered : considered.slice(0, at);
  return {
    command: considered[at],
    args: at < 0 ? [] : argv.slice(at + 1),
    wantsHelp: considered.some(isHelp),
    flagsBefore: before.some((arg) => arg !== "" && !isHelp(arg)),
  };
}

function commandList(): string {
  const lines = Object.entries(COMMANDS).map(([name, { synopsis }]) =>
    `    ${name.padEnd(15)} ${synopsis}`
  );
  return "Usage: skein [--version] [--help] <command> [<args>]\n\n" +
    `Available commands are:\n${lines.join("\n")}\n`;
}

function unknownCommand(name: string): string {
  const suggestion = suggest(name, Object.keys(COMMANDS));
  const hint = suggestion === undefined ? "" : `, did you mean '${suggestion}'?`;
  return `Unknown command '${name}'${hint}`;
}
