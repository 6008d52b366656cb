/**
 * How what a configuration file and the command line say merges (agent.md 6.2).
 *
 * @module
 */

import { parseDuration } from "../../protocol/duration.ts";
import { CONFIG_KEYS, type ConfigInput, type ConfigKey } from "./options/mod.ts";
import { setValueAt, valueAt } from "./path.ts";

/**
 * `later` over `earlier` by Serf's rules (agent.md 6.2): texts win unless empty, numbers and durations unless 0
 * (`protocol`: if above 0), of booleans only `true` wins, tags merge by key, the lists of addresses and handlers are
 * appended.
 *
 * One rule is ours: `enable_compression: false` wins, since it says something (Serf ignores the key).
 */
export function mergeInputs(earlier: ConfigInput, later: ConfigInput): ConfigInput {
  const merged: ConfigInput = {};
  for (const [name, key] of Object.entries(CONFIG_KEYS)) {
    const value = mergeValues(name, key, valueAt(earlier, name), valueAt(later, name));
    if (value !== undefined) setValueAt(merged, name, value);
  }
  return merged;
}

function mergeValues(name: string, key: ConfigKey, before: unknown, after: unknown): unknown {
  if (!saysSomething(name, key, after)) return before;
  if (key.kind === "list") return [...before as string[] ?? [], ...after as string[]];
  if (key.kind === "map") return { ...before as object, ...after as object };
  return after;
}

function saysSomething(name: string, key: ConfigKey, value: unknown): boolean {
  if (value === undefined || value === "" || value === 0) return false;
  if (key.kind === "switch") return value === true || key.negativeFlag !== undefined;
  if (key.kind === "duration") return key.unlimited === true || !isZero(value as string);
  return name !== "protocol" || value as number > 0;
}

function isZero(duration: string): boolean {
  try {
    return parseDuration(duration) === 0;
  } catch {
    return false;
  }
}
