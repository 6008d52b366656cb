/**
 * What users read about keys, besides their own text.
 *
 * @module
 */

import { formatDuration } from "../../../protocol/duration.ts";
import { valueAt } from "../path.ts";
import { DEFAULT_AGENT_CONFIG } from "../settings.ts";
import type { ConfigKey } from "./option.ts";

/** What counts when nothing is said, in words. */
export function defaultText(key: ConfigKey): string {
  const value = defaultValue(key);
  if (key.unset !== undefined) return key.unset;
  if (value === undefined || value === "" || typeof value === "object") return "none";
  return String(value);
}

/** The default as a configuration file would write it; `undefined` for a key without a setting. */
export function defaultValue(key: ConfigKey): unknown {
  if (key.setting === undefined) return undefined;
  return fileValue(key, valueAt(DEFAULT_AGENT_CONFIG, key.setting));
}

/** The value of a key's setting as a configuration file would write it. */
export function fileValue(key: ConfigKey, setting: unknown): unknown {
  if (key.kind === "duration") return shortDuration(setting as number);
  return key.inverted ? !setting : setting;
}

/** `24h` where Go writes `24h0m0s`. */
function shortDuration(ms: number): string {
  return formatDuration(ms).replace(/m0s$/, "m").replace(/h0m$/, "h");
}
