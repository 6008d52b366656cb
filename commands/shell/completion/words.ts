/**
 * What shells complete: the commands, their flags and the values of these, taken from the tables that also make the
 * help, so that a script never offers what the program does not know.
 *
 * @module
 */

import type { Catalogue } from "../command.ts";
import type { Flag, Values } from "../flags.ts";

/** One command. */
export interface CommandWords {
  /** Its name. */
  readonly name: string;
  /** What it does, one line. */
  readonly synopsis: string;
  /** Its flags. */
  readonly flags: readonly FlagWords[];
  /** What its arguments are; `undefined` when a shell cannot know. */
  readonly operands: Values | undefined;
}

/** One flag. */
export interface FlagWords {
  /** Its name without dashes. */
  readonly name: string;
  /** The first sentence of its help. */
  readonly summary: string;
  /** Whether it stands alone, takes a value after `=` only, or after `=` or a blank. */
  readonly form: "switch" | "inline" | "value";
  /** Whether it may be given many times. */
  readonly isList: boolean;
  /** Its values; `undefined` when a shell cannot know. */
  readonly values: Values | undefined;
}

/** The levels of log messages, as flags with the placeholder `LEVEL` take them (docs/spec/agent.md 6.6). */
const LOG_LEVELS: Values = ["trace", "debug", "info", "warn", "err"];

/** Loads all commands of a catalogue and lists what can be completed. */
export async function commandWords(catalogue: Catalogue): Promise<CommandWords[]> {
  return await Promise.all(
    Object.entries(catalogue).map(async ([name, { synopsis, load }]) => {
      const { command: { flags = {}, operands } } = await load();
      const words = Object.entries(flags).map(([flag, definition]) => flagWords(flag, definition));
      return { name, synopsis, flags: words, operands };
    }),
  );
}

function flagWords(name: string, flag: Flag<unknown>): FlagWords {
  const { kind, help } = flag;
  const summary = (/^.*?[.:;](?=\s|$)/s.exec(help)?.[0] ?? help).replace(/[.:;]$/, "");
  const form = kind !== "bool" ? "value" : flag.absent === true ? "inline" : "switch";
  return { name, summary, form, isList: kind === "list", values: valuesOf(flag) };
}

/** Values that the flag names itself, else those that its placeholder tells. */
function valuesOf({ kind, values, placeholder }: Flag<unknown>): Values | undefined {
  if (values !== undefined) return values;
  if (kind === "bool") return ["true", "false"];
  if (placeholder === "LEVEL") return LOG_LEVELS;
  if (placeholder === "PATH") return "files";
  return /^[a-z]+(?:\|[a-z]+)+$/.test(placeholder) ? placeholder.split("|") : undefined;
}
