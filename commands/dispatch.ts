/**
 * From the arguments of the process to one command (docs/spec/agent.md 7.1).
 *
 * @module
 */

import { suggest } from "../server/config/suggest.ts";
import { COMMANDS } from "./catalogue.ts";
import { jsonError, wantsJson } from "./shell/failure.ts";
import type { Terminal } from "./shell/terminal.ts";

/** The exit code of shells for a command that does not exist. */
const UNKNOWN_COMMAND = 127;

/** What a shell sees of a program that SIGPIPE ended: 128 + 13. */
const BROKEN_PIPE = 141;

/** What is said of a flag that stands before the command. */
const MISPLACED_FLAGS = "Invalid flags before the subcommand. If these flags are for\n" +
  "the subcommand, please put them after the subcommand.";

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
    const message = `Error executing CLI: ${error instanceof Error ? error.message : error}`;
    await terminal.err(message);
    if (wantsJson(argv)) await terminal.out(jsonError(message));
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
    const message = command === undefined ? "No command was given" : unknownCommand(command);
    if (command !== undefined) await terminal.err(message);
    if (wantsJson(argv)) await terminal.out(jsonError(message));
    return UNKNOWN_COMMAND;
  }
  const { command: loaded } = await entry.load();
  if (wantsHelp) {
    await terminal.err(loaded.help);
    return 0;
  }
  if (flagsBefore) {
    await terminal.err(`${MISPLACED_FLAGS}\n\n${loaded.help}`);
    if (wantsJson(argv)) await terminal.out(jsonError(MISPLACED_FLAGS.replace("\n", " ")));
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
