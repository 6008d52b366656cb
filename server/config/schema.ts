/**
 * Checks what a configuration file contains.
 *
 * @module
 */

import { z } from "zod";
import { parseDuration } from "../../protocol/duration.ts";
import {
  type ConfigOption,
  type InputOf,
  isGroup,
  type NamedOption,
  type OptionKind,
  type Options,
  type OptionTable,
} from "./options/option.ts";
import { suggest } from "./suggest.ts";

const duration = z.string().superRefine((value, context) => {
  try {
    parseDuration(value);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

const KINDS: Readonly<Record<OptionKind, z.ZodType>> = {
  text: z.string(),
  duration,
  number: z.number(),
  switch: z.boolean(),
  list: z.array(z.string()),
  map: z.record(z.string(), z.string()),
};

/**
 * The schema of a configuration file. What is wrong with groups is told after what is wrong beside them.
 *
 * @param describe What to attach to an option, for a JSON Schema.
 */
export function configSchema(
  table: OptionTable,
  describe: (option: ConfigOption) => Record<string, unknown> = () => ({}),
): z.ZodType {
  const own: Record<string, z.ZodType> = {};
  const groups: Record<string, z.ZodType> = {};
  for (const [name, member] of Object.entries(table)) {
    if (isGroup(member)) groups[name] = configSchema(member.options, describe);
    else own[name] = KINDS[member.kind].meta(describe(member));
  }
  return z.strictObject({ ...own, ...groups }).partial();
}

/**
 * What finds the configuration in a parsed JSON value. Names of options match in any case; `null` leaves an option unset.
 * It throws an `Error` whose message says, on one line, for each name what is wrong, what was expected and what was got.
 */
export function inputCheck<T extends OptionTable>(
  { table, all }: Options<T>,
): (value: unknown) => InputOf<T> {
  const schema = configSchema(table);
  return (value) => {
    const plain = normalise(value, table);
    const result = schema.safeParse(plain);
    if (result.success) return result.data as InputOf<T>;
    throw new Error(result.error.issues.map((issue) => problem(issue, plain, all)).join("; "));
  };
}

/** Known names in lower case and no nulls; names in maps are left alone. */
function normalise(value: unknown, table: OptionTable): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(withoutNulls(value)).map(([name, held]): [string, unknown] => {
    const lower = name.toLowerCase();
    const member = Object.hasOwn(table, lower) ? table[lower] : undefined;
    if (member === undefined) return [name, held];
    if (isGroup(member)) return [lower, normalise(held, member.options)];
    return [lower, member.kind === "map" && isObject(held) ? withoutNulls(held) : held];
  });
  return Object.fromEntries(entries);
}

function withoutNulls(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

/** What an issue of the schema says about `input`. */
function problem(
  issue: z.core.$ZodIssue,
  input: unknown,
  options: readonly NamedOption[],
): string {
  const path = issue.path.map(String);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((name) => unknownName([...path, name].join("."), options)).join("; ");
  }
  const option = options.find((one) => one.path.every((name, i) => name === path[i]));
  const where = path.length === 0 ? "the file" : `'${placeName(path, option)}'`;
  if (issue.code === "invalid_type") {
    const isDuration = option?.option.kind === "duration";
    const wanted = isDuration ? `a duration such as "30s"` : EXPECTED[issue.expected];
    return `${where} expected ${wanted ?? issue.expected}, got ${
      shown(input, issue.path, option?.option.secret)
    }`;
  }
  return `${where}: ${issue.message}`;
}

function unknownName(name: string, options: readonly NamedOption[]): string {
  const dotted = options.find((option) => option.name === name.toLowerCase());
  if (dotted !== undefined) {
    const nested = dotted.path.reduceRight((inner, outer) => `{"${outer}": ${inner}}`, "...");
    return `unknown key '${dotted.name}', write it as ${nested}`;
  }
  const meant = meantName(name, options);
  return `unknown key '${name}'${meant === undefined ? "" : `, did you mean '${meant}'?`}`;
}

/** The option that a wrong name stands for: written otherwise, by the name of its flag, or mistyped. */
function meantName(wrong: string, options: readonly NamedOption[]): string | undefined {
  const letters = (text: string): string => text.toLowerCase().replace(/[-_]/g, "");
  const isMeant = (text: string): boolean => letters(text) === letters(wrong);
  const byFlag = ({ option }: NamedOption): boolean =>
    option.flag !== undefined && isMeant(option.flag) &&
    !(option.kind === "switch" && option.negativeFlag !== undefined);
  const found = options.find(({ name }) => isMeant(name)) ?? options.find(byFlag);
  const names = options.map(({ name }) => name);
  return found?.name ?? suggest(wrong.toLowerCase().replaceAll("-", "_"), names);
}

/** `tags[a]`, `start_join[0]`, `mdns.interface`. */
function placeName(path: readonly string[], option: NamedOption | undefined): string {
  if (option === undefined) return path.join(".");
  return option.name + path.slice(option.path.length).map((part) => `[${part}]`).join("");
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  array: "an array of strings",
  object: "an object",
  record: "an object of strings",
};

/** The kind of the value at `path` and, if short and no secret, the value. */
function shown(input: unknown, path: readonly PropertyKey[], secret = false): string {
  let value = input;
  for (const part of path) value = (value as Record<PropertyKey, unknown>)[part];
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  if (secret) return `a ${typeof value}`;
  const json = typeof value === "string" ? JSON.stringify(value) : String(value);
  return `${typeof value} ${json.length > 40 ? `${json.slice(0, 40)}...` : json}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
