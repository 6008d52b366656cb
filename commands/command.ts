/**
 * What every command has: flags, help, and an exit code.
 *
 * @module
 */

import { FlagError, type FlagTable, type ParsedFlags, parseFlags } from "./flags.ts";
import { type HelpText, helpText } from "./help.ts";
import type { Terminal } from "./terminal.ts";

/** A command as the dispatcher sees it. */
export interface Command {
  /** The help text, without a newline at the end. */
  readonly help: string;
  /** Whether it goes on, to an exit code of its own, when the reader of standard output is gone. */
  readonly outlivesReader?: boolean;
  /**
   * Runs the command with the arguments after its name.
   *
   * @returns The exit code of the process: 0 for success, 1 for any failure.
   */
  run(argv: readonly string[], terminal: Terminal): Promise<number>;
}

/** The command could not do its work. `message` says why; it goes to standard output and the exit code is 1. */
export class CommandError extends Error {
  /** Tells it from other errors. */
  override readonly name = "CommandError";
}

/** What the body of a command works with. */
export interface Invocation<F extends FlagTable> extends ParsedFlags<F> {
  /** The command's help, for messages about a wrong number of arguments. */
  readonly help: string;
  /** Where to print. */
  readonly terminal: Terminal;
}

/** A command with flags. */
export interface CommandDefinition<F extends FlagTable> extends HelpText {
  /** The flags. */
  readonly flags: F;
  /** What stands before the help on standard output after a wrong flag. */
  readonly outputPrefix?: string;
  /** {@linkcode Command.outlivesReader}. */
  readonly outlivesReader?: boolean;
  /** Does the work and gives the exit code. May throw a {@linkcode CommandError}. */
  readonly run: (invocation: Invocation<F>) => Promise<number>;
}

/**
 * Makes a command that reads its flags first. A wrong flag is told on standard error, the help follows on standard
 * output, and the exit code is 1 (agent.md 7.1).
 */
export function defineCommand<const F extends FlagTable>(
  definition: CommandDefinition<F>,
): Command {
  const help = helpText(definition);
  return {
    help,
    outlivesReader: definition.outlivesReader ?? false,
    async run(argv, terminal) {
      let parsed: ParsedFlags<F>;
      try {
        parsed = parseFlags(definition.flags, argv);
      } catch (error) {
        if (!(error instanceof FlagError)) throw error;
        if (error.message !== "") await terminal.err(error.message);
        if (error.suggestion !== undefined) {
          await terminal.err(`Did you mean -${error.suggestion}?`);
        }
        await terminal.out((definition.outputPrefix ?? "") + help);
        return 1;
      }
      try {
        return await definition.run({ ...parsed, help, terminal });
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        await terminal.out(error.message);
        return 1;
      }
    },
  };
}

/**
 * Waits for a step of a command and says which step it was when it fails.
 *
 * @param what Starts the message, such as `Error retrieving members`.
 * @throws {CommandError} When `step` rejects.
 */
export async function explain<T>(what: string, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${what}: ${reason}`, { cause: error });
  }
}

/**
 * Prints why the arguments are wrong, an empty line and the help.
 *
 * @returns The exit code, 1.
 */
export async function wrongArguments(
  { help, terminal }: { readonly help: string; readonly terminal: Terminal },
  message: string,
): Promise<number> {
  await terminal.out(`${message}\n\n${help}`);
  return 1;
}
