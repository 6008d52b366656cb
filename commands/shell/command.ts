/**
 * What every command has: flags, help, and an exit code.
 *
 * @module
 */

import { CommandError, hintFor, jsonError, wantsJson } from "./failure.ts";
import { FlagError, type FlagTable, type ParsedFlags, parseFlags, type Values } from "./flags.ts";
import { type HelpText, helpText } from "./help.ts";
import type { Terminal } from "./terminal.ts";

export { CommandError } from "./failure.ts";

/** A command as the dispatcher sees it. */
export interface Command {
  /** The help text, without a newline at the end. */
  readonly help: string;
  /** The flags, for shells that complete them. */
  readonly flags?: FlagTable;
  /** What its arguments are, for shells that complete them. */
  readonly operands?: Values;
  /** Whether it goes on, to an exit code of its own, when the reader of standard output is gone. */
  readonly outlivesReader?: boolean;
  /**
   * Runs the command with the arguments after its name.
   *
   * @returns The exit code of the process: 0 for success, 1 for any failure.
   */
  run(argv: readonly string[], terminal: Terminal): Promise<number>;
}

/** All commands by name: what the list says of each, and how to load it. */
export type Catalogue = Readonly<Record<string, CatalogueEntry>>;

/** One line of a {@linkcode Catalogue}. */
export interface CatalogueEntry {
  /** What the list of commands says. */
  readonly synopsis: string;
  /** Loads the command. */
  readonly load: () => Promise<{ readonly command: Command }>;
}

/** What the body of a command works with. */
export interface Invocation<F extends FlagTable> extends ParsedFlags<F> {
  /** The command's help, for messages about a wrong number of arguments. */
  readonly help: string;
  /** Whether `-format=json` was given. */
  readonly json: boolean;
  /** Where to print. */
  readonly terminal: Terminal;
}

/** A command with flags. */
export interface CommandDefinition<F extends FlagTable> extends HelpText {
  /** The flags. */
  readonly flags: F;
  /** {@linkcode Command.operands}. */
  readonly operands?: Values;
  /** What stands before the help on standard output after a wrong flag. */
  readonly outputPrefix?: string;
  /** {@linkcode Command.outlivesReader}. */
  readonly outlivesReader?: boolean;
  /** Whether the JSON output is one object per line, errors too: always, or with this flag. */
  readonly jsonLines?: boolean | keyof F & string;
  /** Does the work and gives the exit code. May throw a {@linkcode CommandError}. */
  readonly run: (invocation: Invocation<F>) => Promise<number>;
}

/**
 * Makes a command that reads its flags first. A wrong flag is told on standard error, the help follows on standard
 * output, and the exit code is 1 (docs/spec/agent.md 7.1). With `-format=json`, standard output gets an object with the
 * field `error` instead of any such text.
 */
export function defineCommand<const F extends FlagTable>(
  definition: CommandDefinition<F>,
): Command {
  // Laid out only when somebody reads it.
  const help = (): string => helpText(definition);
  const { flags, operands, outlivesReader = false, jsonLines = false } = definition;
  return {
    get help(): string {
      return help();
    },
    flags,
    outlivesReader,
    ...operands === undefined ? {} : { operands },
    async run(argv, terminal) {
      const oneLine = jsonLines === true ||
        argv.some((arg) => arg === `-${jsonLines}` || arg === `--${jsonLines}`);
      let parsed: ParsedFlags<F>;
      try {
        parsed = parseFlags(flags, argv);
      } catch (error) {
        if (!(error instanceof FlagError)) throw error;
        if (error.message !== "") await terminal.err(error.message);
        if (error.suggestion !== undefined) {
          await terminal.err(`Did you mean -${error.suggestion}?`);
        }
        const json = Object.hasOwn(flags, "format") && wantsJson(argv);
        await terminal.out(
          json
            ? jsonError(error.message || "flag: help requested", { oneLine })
            : (definition.outputPrefix ?? "") + help(),
        );
        return 1;
      }
      const json = (parsed.values as { readonly format?: unknown }).format === "json";
      try {
        return await definition.run({
          ...parsed,
          json,
          terminal,
          get help(): string {
            return help();
          },
        });
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        const { message, details, hint } = error;
        await terminal.out(json ? jsonError(message, { details, oneLine }) : message);
        if (!json && terminal.interactive && hint !== undefined) await terminal.err(hint);
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
    throw new CommandError(`${what}: ${reason}`, { cause: error, hint: hintFor(reason) });
  }
}

/**
 * Prints why the arguments are wrong, an empty line and the help; with `-format=json`, the reason as an object.
 *
 * @returns The exit code, 1.
 */
export async function wrongArguments(
  { help, json, terminal }: {
    readonly help: string;
    readonly json: boolean;
    readonly terminal: Terminal;
  },
  message: string,
): Promise<number> {
  await terminal.out(json ? jsonError(message) : `${message}\n\n${help}`);
  return 1;
}
