/**
 * Command-line flags with the syntax and the error texts of Go's `flag` package (docs/spec/agent.md 7.1): `-x`, `--x`,
 * `-x=v`, `-x v`, booleans only `-x` or `-x=v`, and nothing after the first argument that is not a flag.
 *
 * `node:util` finds the options and their values; this file turns one dash into two before and judges the values after.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { DurationError, formatDuration, parseDuration } from "../../protocol/duration.ts";
import { goQuote } from "../../protocol/quote.ts";
import { suggest } from "../../server/config/suggest.ts";

/** One flag of a command. */
export interface Flag<T> {
  /** How the value is written. A `list` may be given many times, of the others the last one wins. */
  readonly kind: "bool" | "int" | "string" | "list" | "parsed";
  /** The value when the flag is absent. */
  readonly absent: T;
  /** What stands for the value in the help, `""` for a switch. */
  readonly placeholder: string;
  /** What the flag does, for the help. */
  readonly help: string;
  /** What its values are, where the placeholder does not tell. */
  readonly values?: Values;
  /** What a `bool` has to be, where Go's words do not stand in the error. */
  readonly expected?: string;
  /** Reads the text of a `parsed` flag; throws when it cannot. */
  readonly parse?: (text: string) => T;
}

/** Values that a shell can complete: some words, names of members, or files. */
export type Values = readonly string[] | "members" | "files";

/** The flags of a command by name, without dashes. */
export type FlagTable = Readonly<Record<string, Flag<unknown>>>;

/** The type of each flag's value. */
export type FlagValues<F extends FlagTable> = {
  readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never;
};

/** What a command line said. */
export interface ParsedFlags<F extends FlagTable> {
  /** A value for every flag of the table. */
  readonly values: FlagValues<F>;
  /** The arguments after the flags. */
  readonly args: readonly string[];
  /** The first argument that looks like a flag, but stands after an argument, where it is none. */
  readonly misplaced: string | undefined;
  /** Each flag that was given and its text, in order. */
  readonly given: readonly (readonly [name: string & keyof F, text: string])[];
}

/** A command line that breaks the rules. `message` is Go's text, empty for a flag like `-h=1` that asks for help. */
export class FlagError extends Error {
  /** Tells it from other errors. */
  override readonly name = "FlagError";
  /** The flag that was probably meant, without dashes. */
  readonly suggestion: string | undefined;

  /** Keeps what was wrong and, for an unknown flag, which one was probably meant. */
  constructor(message: string, suggestion?: string) {
    super(message);
    this.suggestion = suggestion;
  }
}

/** The value of a flag that Serf does not have is wrong: `expected` says what it has to be. */
export class ExpectedError extends Error {
  /** Tells it from other errors. */
  override readonly name = "ExpectedError";

  /** `expected` is what stands after that word. */
  constructor(expected: string) {
    super(`expected ${expected}`);
  }
}

/** A switch, off unless `absent` says otherwise. */
export function boolFlag(help: string, absent: boolean = false): Flag<boolean> {
  return { kind: "bool", absent, placeholder: absent ? "false" : "", help };
}

/** A switch of a command that Serf does not have, off when absent. */
export function switchFlag(help: string): Flag<boolean> {
  return { ...boolFlag(help), expected: "true or false" };
}

/** A whole number, 0 when absent. */
export function intFlag(placeholder: string, help: string): Flag<number> {
  return { kind: "int", absent: 0, placeholder, help };
}

/** A text; `undefined` when absent. */
export function stringFlag(
  placeholder: string,
  help: string,
  values?: Values,
): Flag<string | undefined> {
  return { kind: "string", absent: undefined, placeholder, help, ...values && { values } };
}

/** A text with a form of its own, such as a duration; `absent` when absent. `parse` throws, an {@linkcode ExpectedError} or any. */
export function parsedFlag<T>(
  placeholder: string,
  help: string,
  absent: T,
  parse: (text: string) => T,
): Flag<T> {
  return { kind: "parsed", absent, placeholder, help, parse };
}

/** A time of so many milliseconds, such as 30s; `undefined` when absent. */
export function durationFlag(
  help: string,
  least: number,
  most: number = Infinity,
): Flag<number | undefined> {
  return parsedFlag<number | undefined>("DURATION", help, undefined, (text) => {
    try {
      const ms = Math.round(parseDuration(text));
      if (ms >= least && ms <= most) return ms;
    } catch (error) {
      if (!(error instanceof DurationError)) throw error;
    }
    throw new ExpectedError(
      most === Infinity
        ? "a time such as 30s"
        : `a time from ${formatDuration(least)} to ${formatDuration(most)}, such as 5s`,
    );
  });
}

/** A text that may be given many times; all are kept, in order. */
export function listFlag(
  placeholder: string,
  help: string,
  values?: Values,
): Flag<readonly string[]> {
  return { kind: "list", absent: [], placeholder, help, ...values && { values } };
}

/**
 * Reads the flags at the start of a command line.
 *
 * @throws {FlagError} At the first flag that is unknown or has an unreadable or missing value.
 */
export function parseFlags<const F extends FlagTable>(
  table: F,
  argv: readonly string[],
): ParsedFlags<F> {
  const { tokens } = parseArgs({
    args: argv.map((arg) => arg.replace(/^-(?=[^-])/, "--")),
    options: Object.fromEntries(
      Object.entries(table).map(([name, flag]) => [
        name,
        { type: flag.kind === "bool" ? "boolean" as const : "string" as const },
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const values: Record<string, unknown> = Object.fromEntries(
    Object.entries(table).map(([name, flag]) => [name, flag.absent]),
  );
  const given: [string & keyof F, string][] = [];
  for (const token of tokens) {
    if (token.kind === "positional") {
      const args = argv.slice(token.index);
      const end = args.indexOf("--");
      return result(args, args.slice(0, end < 0 ? undefined : end).find((arg) => FLAG.test(arg)));
    }
    if (token.kind === "option-terminator") return result(argv.slice(token.index + 1));
    const { name } = token;
    if (name === "" || /^[-=]/.test(name)) {
      throw new FlagError(`bad flag syntax: ${argv[token.index]}`);
    }
    const flag = Object.hasOwn(table, name) ? table[name] : undefined;
    if (flag === undefined) throw unknownFlag(name, table);
    // A separate value is read from `argv`, because there it still has its own dashes.
    const text = token.inlineValue === false ? argv[token.index + 1] : token.value;
    values[name] = read(name, flag, text, values[name]);
    given.push([name, text ?? "true"]);
  }
  return result([]);

  function result(args: readonly string[], misplaced?: string): ParsedFlags<F> {
    return { values: values as FlagValues<F>, args, misplaced, given };
  }
}

/** What was probably meant as a flag. */
const FLAG = /^--?[a-z][\w-]*(?:=|$)/i;

function unknownFlag(name: string, table: FlagTable): FlagError {
  if (name === "h" || name === "help") return new FlagError("");
  return new FlagError(
    `flag provided but not defined: -${name}`,
    suggest(name, Object.keys(table)),
  );
}

function read(
  name: string,
  flag: Flag<unknown>,
  text: string | undefined,
  before: unknown,
): unknown {
  if (flag.kind === "bool") return readBool(name, flag.expected, text);
  if (text === undefined) throw new FlagError(`flag needs an argument: -${name}`);
  if (flag.kind === "int") return readInt(name, text);
  if (flag.parse !== undefined) return readParsed(name, flag.parse, text);
  return flag.kind === "list" ? [...before as readonly string[], text] : text;
}

function readParsed(name: string, parse: (text: string) => unknown, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    // Of Serf's flags each kind of value has an error of its own; Go says the same for all.
    const problem = error instanceof ExpectedError ? error.message : "parse error";
    throw new FlagError(`invalid value ${goQuote(text)} for flag -${name}: ${problem}`);
  }
}

function readBool(name: string, expected: string | undefined, text: string | undefined): boolean {
  if (text === undefined) return true;
  if (/^(?:1|[tT]|true|TRUE|True)$/.test(text)) return true;
  if (/^(?:0|[fF]|false|FALSE|False)$/.test(text)) return false;
  const problem = expected === undefined ? "parse error" : `expected ${expected}`;
  throw new FlagError(`invalid boolean value ${goQuote(text)} for -${name}: ${problem}`);
}

/** The sign and digits of an integer literal: hex, binary, octal with `0o` or a bare `0`, decimal; `_` between digits. */
const INTEGER =
  /^([+-]?)(?:0x((?:_?[\da-f])+)|0b((?:_?[01])+)|0o?((?:_?[0-7])+)|(0|[1-9](?:_?\d)*))$/i;

function readInt(name: string, text: string): number {
  const match = INTEGER.exec(text);
  if (match === null) {
    throw new FlagError(`invalid value ${goQuote(text)} for flag -${name}: parse error`);
  }
  const [, sign, hex, binary, octal, decimal] = match;
  const prefix = hex !== undefined
    ? "0x"
    : binary !== undefined
    ? "0b"
    : octal !== undefined
    ? "0o"
    : "";
  const digits = (hex ?? binary ?? octal ?? decimal ?? "").replaceAll("_", "");
  const value = (sign === "-" ? -1n : 1n) * BigInt(prefix + digits);
  if (BigInt.asIntN(64, value) !== value) {
    throw new FlagError(`invalid value ${goQuote(text)} for flag -${name}: value out of range`);
  }
  return Number(value);
}
