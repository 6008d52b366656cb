/**
 * What is known of a key of the configuration: how it is written, what it sets, and what users should know.
 *
 * @module
 */

import type { AgentConfig, MdnsConfig } from "../settings.ts";

/**
 * How a value is written in a file: a text, a duration such as "1m30s", a number, true or false, an array of texts, or
 * an object of texts. The command line gives a `list` by a flag that may be repeated, a `map` by repeated NAME=VALUE.
 */
export type KeyKind = "text" | "duration" | "number" | "switch" | "list" | "map";

/** A setting of the agent. */
export type SettingName = Exclude<keyof AgentConfig, "mdns"> | `mdns.${keyof MdnsConfig}`;

/** A key of the configuration. Its default is that of its setting. */
export interface ConfigKey {
  /** How the value is written. */
  readonly kind: KeyKind;
  /** What it sets. Keys without a setting are explained by their text. */
  readonly setting?: SettingName;
  /** True when the value `true` sets `false`. */
  readonly inverted?: boolean;
  /** The flag of `skein agent`, without dashes. */
  readonly flag?: string;
  /** What the help shows for the value of the flag. Absent for a `switch`. */
  readonly placeholder?: string;
  /** What the flag does, where that is not what the key does: given, it sets the key to `false`. */
  readonly negativeFlag?: string;
  /** What it is for: whole sentences, without the default. */
  readonly doc: string;
  /** The default in words, where the value does not say it. */
  readonly unset?: string;
  /** Values that editors propose; others may be valid, too. */
  readonly examples?: readonly string[];
  /** Whether a reload on SIGHUP applies it. Default: it needs a restart. */
  readonly reloads?: boolean;
  /** Whether Serf does not know it, and refuses a file that has it. */
  readonly isOurs?: boolean;
  /** Whether it must not be shown. */
  readonly secret?: boolean;
  /** Whether a duration of 0 and a negative number mean something. Default: 0 stands for the default. */
  readonly unlimited?: boolean;
}
