/**
 * From the arguments of the process to one command (docs/spec/agent.md 7.1).
 *
 * @module
 */

import { commandList, unknownCommand } from "./agent/help.ts";
import { COMMANDS } from "./catalogue.ts";
import { jsonError, wantsJson } from "./shell/failure.ts";
import type { Terminal } from "./shell/terminal.ts";

/** The exit code of shells for a command that does not exist. */
const UNKNOWN_COMMAND = 127;

/** What a shell sees of a program that SIGPIPE ended: 128 + 13. */
const BROKEN_PIPE = 141;

/** The flags of most commands that take a value: one that stands before the command is not the command. */
const WITH_VALUE = /^--?(?:rpc-addr|rpc-auth|kv-addr|topics-addr|format)$/;

/** How the arguments divide. */
interface Division {
  readonly command: string | undefined;
  /** The arguments of the command, with the flags that stand before it. */
  readonly args: readonly string[];
  readonly wantsHelp: boolean;
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
  const { command, args, wantsHelp } = wantsVersion(argv) ? versionOf(argv) : divide(argv);
  const entry = command !== undefined && Object.hasOwn(COMMANDS, command)
    ? COMMANDS[command]
    : undefined;
  if (entry === undefined) {
    const message = command === undefined
      ? "No command was given"
      : unknownCommand(command, COMMANDS);
    await terminal.err(command === undefined ? commandList(COMMANDS) : message);
    if (command === undefined && wantsHelp) return 0;
    if (wantsJson(argv)) await terminal.out(jsonError(message));
    return UNKNOWN_COMMAND;
  }
  const { command: loaded } = await entry.load();
  if (wantsHelp) {
    await terminal.err(loaded.helpFor?.(args) ?? loaded.help);
    return 0;
  }
  const code = await loaded.run(args, terminal);
  if (!terminal.broken || loaded.outlivesReader) return code;
  if (terminal.problem === undefined) return BROKEN_PIPE;
  await terminal.err(`Error writing to standard output: ${terminal.problem}`);
  return code || 1;
}

/** As in Serf, a request for the version counts anywhere. */
function wantsVersion(argv: readonly string[]): boolean {
  return argv[0] === "-version" || argv.some((arg) => arg === "-v" || arg === "--version");
}

function versionOf(argv: readonly string[]): Division {
  return { command: "version", args: argv, wantsHelp: divide(argv).wantsHelp };
}

/** The command is the first argument that is no flag. A request for help counts anywhere before `--`. */
function divide(argv: readonly string[]): Division {
  const end = argv.indexOf("--");
  const considered = end < 0 ? argv : argv.slice(0, end);
  const isHelp = (arg: string) => arg === "-h" || arg === "-help" || arg === "--help";
  const at = considered.findIndex((arg, at) =>
    arg !== "" && !arg.startsWith("-") && !WITH_VALUE.test(considered[at - 1] ?? "")
  );
  const before = considered.slice(0, Math.max(at, 0)).filter((arg) => arg !== "" && !isHelp(arg));
  return {
    command: considered[at],
    args: at < 0 ? [] : [...before, ...argv.slice(at + 1)],
    wantsHelp: considered.some(isHelp),
  };
}
