/**
 * What an option of the configuration is, and where options stand in files and in settings. Options nest in groups of any
 * depth; the types of a file's object and of the settings follow from a table of them.
 *
 * @module
 */

/**
 * How each kind of option is written in a file: a text, a duration such as "1m30s", a number, true or false, an array of
 * texts, or an object of texts. The command line gives a `list` by a flag that may be repeated, a `map` by repeated
 * NAME=VALUE.
 */
export interface FileValues {
  /** A text. */
  readonly text: string;
  /** A duration as Go writes it. */
  readonly duration: string;
  /** A number, whose fraction is cut off. */
  readonly number: number;
  /** On or off. */
  readonly switch: boolean;
  /** Texts in their order. */
  readonly list: readonly string[];
  /** Texts by name. */
  readonly map: Readonly<Record<string, string>>;
}

/** What each kind of option is among the settings. */
export interface SettingValues extends Omit<FileValues, "duration"> {
  /** Milliseconds. */
  readonly duration: number;
}

/** The kinds of options. */
export type OptionKind = keyof FileValues;

/** What every option may say of itself. */
interface Description {
  /** The flag of `skein agent`, without dashes. */
  readonly flag?: string;
  /** What the help shows for the value of the flag. Absent for a `switch`. */
  readonly placeholder?: string;
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
}

/** The setting that an option gives, and its value when nothing is said. Options without one are explained by their doc. */
type Gives<V> =
  | { readonly setting: string; readonly default: V }
  | { readonly setting?: never; readonly default?: never };

/** What numbers and durations may say besides. */
interface Bounds {
  /** Whether a duration of 0 and a negative number mean something. Default: 0 stands for the default. */
  readonly unlimited?: boolean;
  /** The least value that can be used; of a duration, in milliseconds. Default: not checked. */
  readonly least?: number;
}

/** What options of one kind may say besides. */
interface Extras extends Record<OptionKind, unknown> {
  readonly duration: Bounds & {
    /** Values of files and flags below `toMs` milliseconds are raised to it, with a warning that calls the option `name`. */
    readonly raised?: { readonly toMs: number; readonly name: string };
  };
  readonly number: Bounds & {
    /** Whether a negative number says nothing, as 0 does. */
    readonly ignoresNegatives?: boolean;
  };
  readonly switch: {
    /** True when the value `true` sets `false`. */
    readonly inverted?: boolean;
    /** What the flag does, where that is not what the option does: given, it sets the option to `false`. */
    readonly negativeFlag?: string;
  };
}

/** An option of one kind. */
type OptionOf<K extends OptionKind> =
  & { readonly kind: K }
  & Description
  & Gives<SettingValues[K]>
  & Extras[K];

/** An option: how it is written, what it sets, and what users should know. */
export type ConfigOption = { [K in OptionKind]: OptionOf<K> }[OptionKind];

/** Options that stand in one object of the file and give one object of the settings. */
export interface OptionGroup {
  /** The object among the settings. */
  readonly setting: string;
  /** The options by name. */
  readonly options: OptionTable;
}

/** Options and groups by their names in a file, in the order in which users read about them. */
export interface OptionTable {
  readonly [name: string]: ConfigOption | OptionGroup;
}

/** The JSON object of a file, or the flags of one start. What is missing says nothing. */
export type InputOf<T> = {
  -readonly [N in keyof T]?: T[N] extends { readonly options: infer Inner } ? InputOf<Inner>
    : T[N] extends { readonly kind: infer K extends OptionKind } ? FileValues[K]
    : never;
};

/** The settings that options give. */
export type SettingsOf<T> = {
  readonly [
    N in keyof T as T[N] extends { readonly setting: infer S extends string } ? S : never
  ]: T[N] extends { readonly options: infer Inner } ? SettingsOf<Inner>
    : T[N] extends { readonly kind: infer K extends OptionKind } ? SettingValues[K]
    : never;
};

/**
 * Some of the settings `S`, also of those in groups.
 *
 * @example
 * ```ts
 * import type { AgentConfig, SomeOf } from "@skein/agent";
 *
 * const settings: SomeOf<AgentConfig> = { discover: "my-cluster", mdns: { disableIpv6: true } };
 * console.log(settings.mdns?.disableIpv6);
 * ```
 */
export type SomeOf<S> = {
  readonly [N in keyof S]?: S[N] extends readonly unknown[] ? S[N]
    : string extends keyof S[N] ? S[N]
    : S[N] extends object ? SomeOf<S[N]>
    : S[N];
};

/** An option and where it stands. */
export interface NamedOption {
  /** How users call it: `mdns.interface` is the option `interface` in the group `mdns`. */
  readonly name: string;
  /** Where a file has it, name by name. */
  readonly path: readonly string[];
  /** Where the settings have it, name by name; `undefined` without a setting. */
  readonly place: readonly string[] | undefined;
  /** What is known of it. */
  readonly option: ConfigOption;
}

/** A table of options, and all that stand in it or in its groups, in order. */
export interface Options<T extends OptionTable = OptionTable> {
  /** The table. */
  readonly table: T;
  /** The options, one by one. */
  readonly all: readonly NamedOption[];
}

/** The options of a table. */
export function optionsOf<const T extends OptionTable>(table: T): Options<T> {
  return { table, all: namedOptions(table) };
}

/** Whether a member of a table is a group. */
export function isGroup(member: ConfigOption | OptionGroup): member is OptionGroup {
  return "options" in member;
}

/** Whether `false` in a file means something: the option is on unless somebody switches it off. */
export function isOnByDefault(option: ConfigOption): boolean {
  return option.kind === "switch" && option.default === true && !option.inverted;
}

/** Every option of a table, also of its groups, in order. */
export function namedOptions(table: OptionTable): NamedOption[] {
  const named: NamedOption[] = [];
  collect(table, [], [], named);
  return named;
}

function collect(
  table: OptionTable,
  outerPath: readonly string[],
  outerPlace: readonly string[],
  named: NamedOption[],
): void {
  for (const [name, member] of Object.entries(table)) {
    const path = [...outerPath, name];
    const place = member.setting === undefined ? undefined : [...outerPlace, member.setting];
    if (!isGroup(member)) named.push({ name: path.join("."), path, place, option: member });
    else collect(member.options, path, [...outerPlace, member.setting], named);
  }
}

/** The value at a path, `undefined` when there is none. */
export function valueAt(object: object, path: readonly string[]): unknown {
  let value: unknown = object;
  for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name];
  return value;
}

/** Puts a value at a path. The objects around it are made, or copied, so that whoever else has them sees no change. */
export function setValueAt(object: object, path: readonly string[], value: unknown): void {
  let inner = object as Record<string, unknown>;
  path.forEach((name, i) => {
    if (i === path.length - 1) inner[name] = value;
    else inner = inner[name] = { ...inner[name] as object };
  });
}
