/**
 * What a reload changes, and what it cannot change (agent.md 6.7).
 *
 * @module
 */

import type { AgentConfig } from "../config/load.ts";
import { CONFIG_KEYS } from "../config/options/mod.ts";
import { setValueAt, valueAt } from "../config/path.ts";

/** The difference between the settings that are in effect and those that were read. */
export interface ConfigChanges {
  /** Keys whose new values can be taken over. */
  readonly applicable: readonly string[];
  /** Keys whose new values need a restart. */
  readonly restart: readonly string[];
  /** The settings in effect once the applicable ones are taken over. */
  readonly next: AgentConfig;
}

/** Compares the settings in effect with those that were read. */
export function compareConfigs(current: AgentConfig, read: AgentConfig): ConfigChanges {
  const applicable: string[] = [];
  const restart: string[] = [];
  const next = { ...current };
  for (const [name, { setting, reloads }] of Object.entries(CONFIG_KEYS)) {
    if (setting === undefined) continue;
    const value = valueAt(read, setting);
    if (isSame(valueAt(current, setting), value)) continue;
    if (reloads) setValueAt(next, setting, value);
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
