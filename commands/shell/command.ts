/**
 * What every command has: flags, help, and an exit code.
 *
 * @module
 */

import { CommandError, formatOf, hintFor, jsonError, wantsJson } from "./failure.ts";
import { FlagError, type FlagTable, type ParsedFlags, parseFlags, type Values } from "./flags.ts";
import { foreignOn } from "./format/foreign.ts";
import { type HelpText, helpText } from "./help.ts";
import type { Terminal } from "./terminal.ts";

export { CommandError } from "./failure.ts";

/** A command as the dispatcher sees it. */
export interface Command {
  /** The help text, without a newline at the end. */
  readonly help: string;
  /** More help about what these arguments ask for; `undefined` when they ask for nothing in particular. */
  helpFor?(args: readonly string[]): string | undefined;
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

/** How many arguments a command takes, and what it says of another number. */
export interface Arguments {
  /** The least number. */
  readonly least: number;
  /** The greatest number. Default: no limit. */
  readonly most?: number;
  /** What is said when there are too few. */
  readonly few: string;
  /** What is said when there are too many. Default: the same. */
  readonly many?: string;
}

/** What the body of a command works with. */
export interface Invocation<F extends FlagTable> extends ParsedFlags<F> {
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
  /** How many arguments there are. Default: none. */
  readonly arguments?: Arguments;
  /** Whether all but the format is ignored, as in Serf. Default false. */
  readonly onlyFormat?: boolean;
  /** What stands before a message about wrong arguments. */
  readonly outputPrefix?: string;
  /** {@linkcode Command.outlivesReader}. */
  readonly outlivesReader?: boolean;
  /** Whether the JSON output is one object per line, errors too: always, or with this flag. */
  readonly jsonLines?: boolean | keyof F & string;
  /** Does the work and gives the exit code. May throw a {@linkcode CommandError}. */
  readonly run: (invocation: Invocation<F>) => Promise<number>;
}

/**
 * Makes a command that reads its flags first. A wrong flag is told on standard error, a wrong number of arguments on
 * standard output, and the exit code is 1 (docs/spec/agent.md 7.1). With `-format=json`, standard output gets an object with the
 * field `error`.
 */
export function defineCommand<const F extends FlagTable>(
  definition: CommandDefinition<F>,
): Command {
  // Laid out only when somebody reads it.
  const help = (): string => helpText(definition);
  const [name] = definition.usage.split(" ");
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
        parsed = parseFlags(flags, definition.onlyFormat ? onlyFormat(argv) : argv);
      } catch (error) {
        if (!(error instanceof FlagError)) throw error;
        if (error.message === "") {
          await terminal.err(help());
          return 0;
        }
        await terminal.err(error.message);
        if (error.suggestion !== undefined) {
          await terminal.err(`Did you mean -${error.suggestion}?`);
        } else if (terminal.interactive) {
          await terminal.err(`'skein ${name} -h' lists the flags`);
        }
        if (Object.hasOwn(flags, "format") && wantsJson(argv)) {
          await terminal.out(jsonError(error.message, { oneLine }));
        }
        return 1;
      }
      const json = (parsed.values as { readonly format?: unknown }).format === "json";
      try {
        requireArguments(definition, parsed, terminal.screen !== undefined);
        return await definition.run({ ...parsed, json, terminal });
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        const { message, details, hint } = error;
        // What the agent said may have texts of other nodes in it.
        const shown = error.cause === undefined ? message : foreignOn(terminal).block(message);
        if (json) await terminal.out(jsonError(message, { details, oneLine }));
        else await (error.onStderr ? terminal.err(shown) : terminal.out(shown));
        if (!json && terminal.interactive && hint !== undefined) await terminal.err(hint);
        return 1;
      }
    },
  };
}

/** How {@linkcode explain} tells a failure. */
export interface ExplainOptions {
  /** What can be done about the reason. Default: what can about that of an agent's RPC port. */
  readonly hintOf?: (reason: string) => string | undefined;
  /** {@linkcode CommandError.onStderr}. Default false. */
  readonly onStderr?: boolean;
}

/**
 * Waits for a step of a command and says which step it was when it fails.
 *
 * @param what Starts the message, such as `Error retrieving members`.
 * @throws {CommandError} When `step` rejects.
 */
export async function explain<T>(
  what: string,
  step: Promise<T>,
  { hintOf = hintFor, onStderr = false }: ExplainOptions = {},
): Promise<T> {
  try {
    return await step;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(`${what}: ${reason}`, { cause: error, hint: hintOf(reason), onStderr });
  }
}

function onlyFormat(argv: readonly string[]): string[] {
  const format = formatOf(argv);
  return format === undefined ? [] : [`-format=${format}`];
}

/**
 * Checks how many arguments there are, and that none of them was meant as a flag. As in Serf, what stands after an
 * argument is an argument; a person at a terminal hardly means that, and is told.
 *
 * @throws {CommandError} When they are wrong.
 */
function requireArguments<F extends FlagTable>(
  { arguments: wanted, usage, outputPrefix = "" }: CommandDefinition<F>,
  { args, misplaced }: ParsedFlags<F>,
  onScreen: boolean,
): void {
  const { length } = args;
  const { least, most = Infinity, few, many = few } = wanted ??
    { least: 0, most: 0, few: "", many: `Unexpected argument '${args[0]}'` };
  const isLegal = length >= least && length <= most;
  if (isLegal && (misplaced === undefined || !onScreen)) return;
  const reason = misplaced !== undefined && most > 0
    ? `Flags stand before the arguments, but '${misplaced}' comes after '${args[0]}'` +
      (isLegal ? "; when it is no flag, put '--' before the arguments" : "")
    : length < least
    ? few
    : many;
  throw wrongArguments(usage, outputPrefix + reason);
}

/** The arguments cannot be used; `usage` is that of the definition. */
export function wrongArguments(usage: string, message: string): CommandError {
  return new CommandError(message, { hint: `Usage: skein ${usage}` });
}
