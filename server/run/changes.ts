/**
 * What a reload changes, and what it cannot change (docs/spec/agent.md 6.7).
 *
 * @module
 */

import {
  type Options,
  type OptionTable,
  type SettingsOf,
  setValueAt,
  valueAt,
} from "../config/options/option.ts";
import type { AgentConfig } from "../config/settings.ts";

/** The difference between the settings that are in effect and those that were read. */
export interface ConfigChanges<S = AgentConfig> {
  /** Options whose new values can be taken over. */
  readonly applicable: readonly string[];
  /** Options whose new values need a restart. */
  readonly restart: readonly string[];
  /** The settings in effect once the applicable ones are taken over. */
  readonly next: S;
}

/** Compares the settings in effect with those that were read. */
export function compareConfigs<const T extends OptionTable>(
  options: Options<T>,
  current: SettingsOf<T>,
  read: SettingsOf<T>,
): ConfigChanges<SettingsOf<T>> {
  const applicable: string[] = [];
  const restart: string[] = [];
  const next = { ...current };
  for (const { name, place, option: { reloads } } of options.all) {
    if (place === undefined) continue;
    const value = valueAt(read, place);
    if (isSame(valueAt(current, place), value)) continue;
    if (reloads) setValueAt(next, place, value);
    (reloads ? applicable : restart).push(name);
  }
  return { applicable, restart, next };
}

/** Whether two values of a setting are the same. The order of tags says nothing. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(sorted(one)) === JSON.stringify(sorted(other));
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1);
}
