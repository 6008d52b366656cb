/**
 * The flags of `skein agent` (docs/spec/agent.md 6.2), made from the options of its configuration, and what they say.
 *
 * @module
 */

import type { ConfigInput } from "../../server/config/load.ts";
import { AGENT_OPTIONS } from "../../server/config/options/mod.ts";
import {
  type ConfigOption,
  type InputOf,
  type NamedOption,
  type Options,
  type OptionTable,
  setValueAt,
} from "../../server/config/options/option.ts";
import { defaultText, withNames } from "../../server/config/options/text.ts";
import { CommandError } from "../shell/command.ts";
import {
  boolFlag,
  type Flag,
  type FlagTable,
  intFlag,
  listFlag,
  type ParsedFlags,
  stringFlag,
} from "../shell/flags.ts";
import { tagsFromFlags } from "../shell/tag_values.ts";

/** Name, kind and help of each flag. */
export const AGENT_FLAGS: FlagTable = {
  ...flagsOf(AGENT_OPTIONS),
  "config-file": listFlag(
    "PATH",
    "JSON file to read the configuration from. May be given many times.",
  ),
  "config-dir": listFlag(
    "PATH",
    'Directory in which every file ending in ".json" is read as a configuration file, in ' +
      "alphabetical order. May be given many times.",
  ),
};

/** The flags of the options that have one. */
export function flagsOf({ all }: Options): FlagTable {
  const flags: Record<string, Flag<unknown>> = {};
  for (const { option } of all) {
    if (option.flag === undefined) continue;
    flags[option.flag] = {
      ...withoutHelp(option),
      get help(): string {
        return helpOf(option, all);
      },
    };
  }
  return flags;
}

function withoutHelp({ kind, placeholder = "" }: ConfigOption): Flag<unknown> {
  switch (kind) {
    case "switch":
      return boolFlag("");
    case "number":
      return intFlag(placeholder, "");
    case "list":
    case "map":
      return listFlag(placeholder, "");
    default:
      return stringFlag(placeholder, "");
  }
}

function helpOf(option: ConfigOption, all: readonly NamedOption[]): string {
  const { kind, doc } = option;
  if (kind === "switch" && option.negativeFlag !== undefined) return option.negativeFlag;
  const more = kind === "list" || kind === "map" ? " May be given many times." : "";
  const text = withNames(doc, all, ({ name, option: { flag } }) => flag ? `-${flag}` : name);
  return `${text}${more} Default: ${defaultText(option)}.`;
}

/** Files and directories in the order in which they were named. */
export function configPaths({ given }: ParsedFlags<FlagTable>): string[] {
  return given.filter(([name]) => name === "config-file" || name === "config-dir")
    .map(([, path]) => path);
}

/**
 * What the flags of the agent say, as a configuration file would.
 *
 * @throws {CommandError} when a text that should be a pair has no `=`.
 */
export function configInput(parsed: ParsedFlags<FlagTable>): ConfigInput {
  return inputOf(AGENT_OPTIONS, parsed);
}

/**
 * What the flags of some options say, as a configuration file would.
 *
 * @throws {CommandError} when a text that should be a pair has no `=`.
 */
export function inputOf<const T extends OptionTable>(
  options: Options<T>,
  { values }: ParsedFlags<FlagTable>,
): InputOf<T> {
  const input: InputOf<T> = {};
  for (const { path, option } of options.all) {
    const value = option.flag === undefined ? undefined : values[option.flag];
    if (value !== undefined && value !== false) setValueAt(input, path, valueOf(option, value));
  }
  return input;
}

/** The value of an option whose flag was given. */
function valueOf(option: ConfigOption, value: unknown): unknown {
  switch (option.kind) {
    case "switch":
      return option.negativeFlag === undefined;
    case "map":
      return pairs(option, value as string[]);
    default:
      return value;
  }
}

/** Repeated NAME=VALUE. Tags have Serf's message for those that are none. */
function pairs(
  { flag, placeholder }: ConfigOption,
  texts: readonly string[],
): Record<string, string> {
  const wrong = texts.find((text) => text.indexOf("=") < 1);
  if (wrong === undefined || flag === "tag") return tagsFromFlags(texts);
  throw new CommandError(`Error: Invalid -${flag}: '${wrong}', expected ${placeholder}`);
}
