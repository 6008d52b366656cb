/**
 * The life of an option's value: what files and flags say merges, becomes a setting, takes the default's place, and is
 * shown as a file would write it (docs/spec/agent.md 6.2).
 *
 * @module
 */

import { mismatch } from "../../../protocol/arguments.ts";
import { DurationError, formatDuration, parseDuration } from "../../../protocol/duration.ts";
import { ConfigError } from "../error.ts";
import { suggest } from "../suggest.ts";
import {
  type ConfigOption,
  type InputOf,
  isGroup,
  isOnByDefault,
  type NamedOption,
  type Options,
  type OptionTable,
  type SettingsOf,
  setValueAt,
  type SomeOf,
  valueAt,
} from "./option.ts";

/** What an input comes to as settings. */
export interface GivenSettings<T> {
  /** The settings that the input gives; what cannot be used is missing. */
  readonly given: SomeOf<SettingsOf<T>>;
  /** Lines to print about values that were raised. */
  readonly warnings: readonly string[];
  /** One for each value that cannot be used. */
  readonly problems: readonly ConfigError[];
}

/** A value of a configuration file. */
export type FileValue =
  | string
  | number
  | boolean
  | readonly FileValue[]
  | { readonly [name: string]: FileValue };

/** What is shown instead of a secret. */
const HIDDEN = "(hidden)";

/**
 * `later` over `earlier` by Serf's rules: texts win unless empty, numbers and durations unless 0, of booleans only `true`
 * wins, maps merge by name, lists are appended. What an option says of itself may differ: `protocol` ignores negative
 * numbers, `event_handler_timeout` may be 0, and `enable_compression` may be `false` (Serf ignores it).
 */
export function mergeInputs<const T extends OptionTable>(
  options: Options<T>,
  earlier: InputOf<T>,
  later: InputOf<T>,
): InputOf<T> {
  const merged: InputOf<T> = {};
  for (const { path, option } of options.all) {
    const value = mergeValues(option, valueAt(earlier, path), valueAt(later, path));
    if (value !== undefined) setValueAt(merged, path, value);
  }
  return merged;
}

function mergeValues(option: ConfigOption, before: unknown, after: unknown): unknown {
  if (!saysSomething(option, after)) return before;
  if (option.kind === "list") return [...before as string[] ?? [], ...after as string[]];
  if (option.kind === "map") return { ...before as object, ...after as object };
  return after;
}

function saysSomething(option: ConfigOption, value: unknown): boolean {
  if (value === undefined || value === "") return false;
  switch (option.kind) {
    case "switch":
      return value === true || isOnByDefault(option);
    case "duration":
      return option.unlimited === true || !isZero(value as string);
    case "number": {
      const whole = Math.trunc(value as number);
      return option.ignoresNegatives ? whole > 0 : whole !== 0;
    }
    default:
      return true;
  }
}

function isZero(duration: string): boolean {
  try {
    return parseDuration(duration) === 0;
  } catch {
    // It is no duration, which is told where it is read.
    return false;
  }
}

/** The settings that a merged input gives. */
export function givenSettings<const T extends OptionTable>(
  options: Options<T>,
  input: InputOf<T>,
): GivenSettings<T> {
  const given: SomeOf<SettingsOf<T>> = {};
  const warnings: string[] = [];
  const problems: ConfigError[] = [];
  for (const named of options.all) {
    const value = valueAt(input, named.path);
    if (named.place === undefined || value === undefined) continue;
    try {
      setValueAt(given, named.place, settingOf(named, value, warnings));
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(error);
    }
  }
  return { given, warnings, problems };
}

/** The setting that a value of a file stands for. */
function settingOf({ name, option }: NamedOption, value: unknown, warnings: string[]): unknown {
  switch (option.kind) {
    case "duration": {
      const ms = milliseconds(
        option.flag === undefined ? name : `-${option.flag}`,
        value as string,
      );
      const { raised } = option;
      if (raised === undefined || ms >= raised.toMs) return ms;
      const least = formatDuration(raised.toMs);
      warnings.push(`Warning: '${raised.name}' is too low. Setting to ${least}`);
      return raised.toMs;
    }
    case "number": {
      // Go cuts the fraction of a number off.
      const whole = Math.trunc(value as number);
      if (whole >= 0 || option.unlimited) return whole;
      throw new ConfigError(`Invalid ${name}: expected a positive number, got ${whole}`);
    }
    case "switch":
      return option.inverted ? !value : value;
    default:
      return value;
  }
}

function milliseconds(name: string, text: string): number {
  try {
    const ms = parseDuration(text);
    if (ms >= 0) return ms;
  } catch (error) {
    if (!(error instanceof DurationError)) throw error;
    const wanted = "expected a duration such as 30s";
    throw new ConfigError(`Invalid ${name}: ${error.message}, ${wanted}`, { cause: error });
  }
  throw new ConfigError(`Invalid ${name}: expected a positive duration, got '${text}'`);
}

/** Every setting at its default. */
export function defaultsOf<const T extends OptionTable>(options: Options<T>): SettingsOf<T> {
  const settings = {};
  for (const { place, option } of options.all) {
    if (place !== undefined) setValueAt(settings, place, option.default);
  }
  return settings as SettingsOf<T>;
}

/**
 * `settings` with those of `given` in their places; what is `undefined` there counts as missing.
 *
 * @throws {ConfigError} when one is given that no option has.
 */
export function completed<const T extends OptionTable>(
  options: Options<T>,
  given: SomeOf<SettingsOf<T>>,
  settings: SettingsOf<T>,
): SettingsOf<T> {
  return withGiven(options.table, given, settings, "") as SettingsOf<T>;
}

function withGiven(table: OptionTable, given: object, settings: object, outer: string): object {
  const members = new Map(Object.values(table).map((member) => [member.setting, member]));
  const complete: Record<string, unknown> = { ...settings };
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const member = members.get(name);
    if (member === undefined) throw unknownSetting(outer, name, members.keys());
    const kind = isGroup(member) ? "object" : member.secret ? "secret" : member.kind;
    const problem = mismatch(value, kind);
    if (problem !== undefined) {
      throw new ConfigError(`Invalid setting '${outer}${name}': ${problem}`);
    }
    complete[name] = isGroup(member)
      ? withGiven(member.options, value, complete[name] as object, `${outer}${name}.`)
      : value;
  }
  return complete;
}

function unknownSetting(
  outer: string,
  name: string,
  known: Iterable<string | undefined>,
): ConfigError {
  const meant = suggest(name, [...known].filter((one) => one !== undefined));
  const note = meant === undefined ? "" : `, did you mean '${outer}${meant}'?`;
  return new ConfigError(`Unknown setting '${outer}${name}'${note}`);
}

/** Every setting under the name of its option, as a file would write it; secrets are hidden. */
export function presented<const T extends OptionTable>(
  options: Options<T>,
  settings: SettingsOf<T>,
): Record<string, FileValue> {
  const shown: Record<string, FileValue> = {};
  for (const { path, place, option } of options.all) {
    if (place === undefined) continue;
    const value = fileValue(option, valueAt(settings, place));
    setValueAt(shown, path, option.secret && value !== "" ? HIDDEN : value);
  }
  return shown;
}

/** A setting as a file would write it. */
export function fileValue(option: ConfigOption, setting: unknown): unknown {
  switch (option.kind) {
    case "duration":
      return shortDuration(setting as number);
    case "switch":
      return option.inverted ? !setting : setting;
    default:
      return setting;
  }
}

/** `24h` where Go writes `24h0m0s`. */
function shortDuration(ms: number): string {
  return formatDuration(ms).replace(/m0s$/, "m").replace(/h0m$/, "h");
}
