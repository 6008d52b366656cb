/**
 * Failures of commands: in words for people, as JSON for programs.
 *
 * @module
 */

import { type GoJson, goJson, goJsonLine } from "./format/gojson.ts";

/** What else a {@linkcode CommandError} may say. */
export interface FailureOptions extends ErrorOptions {
  /** More fields for the JSON output, beside `error`. */
  readonly details?: { readonly [field: string]: GoJson };
  /** What the user can do about it. Only shown on a terminal, since scripts compare what Serf prints. */
  readonly hint?: string | undefined;
  /** Whether the text goes to standard error, because Serf prints nothing in its place. Default false. */
  readonly onStderr?: boolean;
}

/** The command could not do its work. `message` says why, and the exit code is 1. */
export class CommandError extends Error {
  /** Tells it from other errors. */
  override readonly name = "CommandError";
  /** {@linkcode FailureOptions.details}. */
  readonly details: { readonly [field: string]: GoJson };
  /** {@linkcode FailureOptions.hint}. */
  readonly hint: string | undefined;
  /** {@linkcode FailureOptions.onStderr}. */
  readonly onStderr: boolean;

  /** `message` is the whole text of the output. */
  constructor(message: string, options: FailureOptions = {}) {
    super(message, options);
    this.details = options.details ?? {};
    this.hint = options.hint;
    this.onStderr = options.onStderr ?? false;
  }
}

/** How {@linkcode jsonError} lays the object out. */
export interface JsonErrorOptions {
  /** More fields, after `error`. */
  readonly details?: { readonly [field: string]: GoJson };
  /** Whether the object takes one line, as all output of a command that prints one object per line. */
  readonly oneLine?: boolean;
}

/** Writes a failure as a JSON object whose field `error` is the text that the text format shows. */
export function jsonError(message: string, options: JsonErrorOptions = {}): string {
  const value = { error: message.trim(), ...options.details };
  return options.oneLine ? goJsonLine(value) : goJson(value);
}

/** Whether a command line asks for JSON, as far as that can be told when its flags cannot be read. */
export function wantsJson(argv: readonly string[]): boolean {
  return formatOf(argv)?.toLowerCase() === "json";
}

/** The format that a command line names before a `--`, whatever else it has: `-format=FORMAT` or `-format FORMAT`. */
export function formatOf(argv: readonly string[]): string | undefined {
  const end = argv.indexOf("--");
  const considered = end < 0 ? argv : argv.slice(0, end);
  const at = considered.findLastIndex((arg) => /^--?format(?:=|$)/.test(arg));
  if (at < 0) return undefined;
  const flag = considered[at];
  return flag?.includes("=") ? flag.slice(flag.indexOf("=") + 1) : considered[at + 1];
}

/** What can be done about an error of the connection or of the agent, where the error does not say it. */
const HINTS: readonly (readonly [text: RegExp, hint: string])[] = [
  [
    /connection refused$/,
    "Is an agent running there? 'skein agent' starts one; -rpc-addr or SERF_RPC_ADDR names the " +
    "RPC address of another",
  ],
  [
    /^(?:illegal base64 data|key size must be)/i,
    "A key is base64 of 16, 24 or 32 bytes: 'skein keygen' makes one",
  ],
  [
    /Unsupported command$/,
    "Only skein's agents know this command",
  ],
  [
    /missing port in address$/,
    "An RPC address is host:port; the port of agents is 7373 unless it was changed",
  ],
  [
    /Authentication required$/,
    "The agent has an rpc_auth token: give it with -rpc-auth or SERF_RPC_AUTH",
  ],
  [
    /Invalid authentication token$/,
    "The token of -rpc-auth or SERF_RPC_AUTH is not the rpc_auth of that agent; an agent without " +
    "rpc_auth takes none",
  ],
];

/** Finds what can be done about an error. */
export function hintFor(message: string): string | undefined {
  return HINTS.find(([text]) => text.test(message))?.[1];
}
