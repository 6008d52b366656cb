/**
 * The flags of `skein agent` (agent.md 6.2), made from the keys of its configuration, and what they say.
 *
 * @module
 */

import type { ConfigInput } from "../../server/config/load.ts";
import { CONFIG_KEYS, type ConfigKey } from "../../server/config/options/mod.ts";
import { defaultText } from "../../server/config/options/text.ts";
import { setValueAt } from "../../server/config/path.ts";
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

/** Keys that have a flag. */
const KEYS_WITH_FLAG = Object.entries(CONFIG_KEYS).flatMap(([name, key]) =>
  key.flag === undefined ? [] : [{ name, key, flag: key.flag }]
);

/** Name, kind and help of each flag. */
export const AGENT_FLAGS: FlagTable = {
  ...Object.fromEntries(KEYS_WITH_FLAG.map(({ flag, key }) => [flag, flagOf(key)])),
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

function flagOf(key: ConfigKey): Flag<unknown> {
  return {
    ...withoutHelp(key),
    get help(): string {
      return helpOf(key);
    },
  };
}

function withoutHelp({ kind, placeholder = "" }: ConfigKey): Flag<unknown> {
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

function helpOf(key: ConfigKey): string {
  const more = key.kind === "list" || key.kind === "map" ? " May be given many times." : "";
  return key.negativeFlag ?? `${withFlags(key.doc)}${more} Default: ${defaultText(key)}.`;
}

/** The names of keys in a text, as those of their flags. */
function withFlags(text: string): string {
  return text.replace(/\b[a-z]+(?:_[a-z]+)+\b/g, (name) => {
    const flag = CONFIG_KEYS[name]?.flag;
    return flag === undefined ? name : `-${flag}`;
  });
}

/** Files and directories in the order in which they were named. */
export function configPaths({ given }: ParsedFlags<FlagTable>): string[] {
  return given.filter(([name]) => name === "config-file" || name === "config-dir")
    .map(([, path]) => path);
}

/**
 * The flags under the names that they have in a configuration file.
 *
 * @throws {CommandError} when a text that should be a pair has no `=`.
 */
export function configInput({ values }: ParsedFlags<FlagTable>): ConfigInput {
  const input: ConfigInput = {};
  for (const { name, key, flag } of KEYS_WITH_FLAG) {
    const value = values[flag];
    if (value === undefined || value === false) continue;
    if (key.negativeFlag !== undefined) setValueAt(input, name, false);
    else setValueAt(input, name, key.kind === "map" ? pairs(key, value as string[]) : value);
  }
  return input;
}

/** Repeated NAME=VALUE. Tags have Serf's message for those that are none. */
function pairs(key: ConfigKey, texts: readonly string[]): Record<string, string> {
  const wrong = texts.find((text) => text.indexOf("=") < 1);
  if (wrong === undefined || key.flag === "tag") return tagsFromFlags(texts);
  throw new CommandError(`Error: Invalid -${key.flag}: '${wrong}', expected ${key.placeholder}`);
}
