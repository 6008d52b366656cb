/**
 * Settings as a configuration file would write them.
 *
 * @module
 */

import { CONFIG_KEYS } from "./options/mod.ts";
import { fileValue } from "./options/text.ts";
import { setValueAt, valueAt } from "./path.ts";
import type { AgentConfig } from "./settings.ts";

/** What is shown instead of a secret. */
const HIDDEN = "(hidden)";

/** A value of a configuration file. */
export type FileValue =
  | string
  | number
  | boolean
  | readonly FileValue[]
  | { readonly [name: string]: FileValue };

/** Every setting under the name of its key; secrets are hidden. */
export function presentConfig(config: AgentConfig): Record<string, FileValue> {
  const shown: Record<string, FileValue> = {};
  for (const [name, key] of Object.entries(CONFIG_KEYS)) {
    if (key.setting === undefined) continue;
    const value = fileValue(key, valueAt(config, key.setting));
    setValueAt(shown, name, key.secret && value !== "" ? HIDDEN : value);
  }
  return shown;
}
