/**
 * Checks what a configuration file contains. Loaded only when there is a file.
 *
 * @module
 */

import { z } from "zod";
import { parseDuration } from "../../protocol/duration.ts";
import { CONFIG_KEYS, type ConfigInput, type ConfigKey, type KeyKind } from "./options/mod.ts";
import { suggest } from "./suggest.ts";

const duration = z.string().superRefine((value, context) => {
  try {
    parseDuration(value);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

const KINDS: Readonly<Record<KeyKind, z.ZodType>> = {
  text: z.string(),
  duration,
  // Go cuts the fraction of a number off.
  number: z.number().transform(Math.trunc),
  switch: z.boolean(),
  list: z.array(z.string()),
  map: z.record(z.string(), z.string()),
};

/**
 * The schema of a configuration file.
 *
 * @param describe What to attach to a key, for a JSON Schema.
 */
export function configSchema(
  describe: (name: string, key: ConfigKey) => Record<string, unknown> = () => ({}),
): z.ZodType {
  const outer: Record<string, z.ZodType> = {};
  const inner: Record<string, Record<string, z.ZodType>> = {};
  for (const [name, key] of Object.entries(CONFIG_KEYS)) {
    const type = KINDS[key.kind].meta(describe(name, key));
    const [first = "", second] = name.split(".");
    if (second === undefined) outer[first] = type;
    else inner[first] = { ...inner[first], [second]: type };
  }
  for (const [name, shape] of Object.entries(inner)) outer[name] = z.strictObject(shape).partial();
  return z.strictObject(outer).partial();
}

const schema = configSchema();

/**
 * The configuration in a parsed JSON value. Key names match in any case; `null` leaves a key unset.
 *
 * @throws {Error} whose message says, on one line, for each key what is wrong, what was expected and what was got.
 */
export function checkInput(value: unknown): ConfigInput {
  const plain = normalise(value);
  const result = schema.safeParse(plain);
  if (result.success) return result.data as ConfigInput;
  throw new Error(result.error.issues.map((issue) => describe(issue, plain)).join("; "));
}

/** Known keys in lower case and no nulls, for the object itself and for `mdns`; names in maps are left alone. */
function normalise(value: unknown, prefix = ""): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(withoutNulls(value)).map(([name, held]): [string, unknown] => {
    const lower = name.toLowerCase();
    if (prefix === "" && lower === "mdns") return [lower, normalise(held, "mdns.")];
    const key = Object.hasOwn(CONFIG_KEYS, prefix + lower)
      ? CONFIG_KEYS[prefix + lower]
      : undefined;
    if (key === undefined) return [name, held];
    return [lower, key.kind === "map" && isObject(held) ? withoutNulls(held) : held];
  });
  return Object.fromEntries(entries);
}

function withoutNulls(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

type Issue = z.core.$ZodIssue;

function describe(issue: Issue, input: unknown): string {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey(issue.path, key)).join("; ");
  }
  const where = issue.path.length === 0 ? "the file" : `'${keyPath(issue.path)}'`;
  if (issue.code === "invalid_type") {
    return `${where} expected ${expected(issue)}, got ${shown(input, issue.path)}`;
  }
  return `${where}: ${issue.message}`;
}

function unknownKey(path: readonly PropertyKey[], key: string): string {
  const name = keyPath([...path, key]);
  if (path.length === 0 && Object.hasOwn(CONFIG_KEYS, name)) {
    const [outer, inner] = name.split(".");
    return `unknown key '${name}', write it as {"${outer}": {"${inner}": ...}}`;
  }
  const meant = meantKey(name);
  return `unknown key '${name}'${meant === undefined ? "" : `, did you mean '${meant}'?`}`;
}

/** The key that a wrong name stands for: written otherwise, by the name of its flag, or mistyped. */
function meantKey(name: string): string | undefined {
  const letters = (text: string): string => text.toLowerCase().replace(/[-_]/g, "");
  const names = Object.keys(CONFIG_KEYS);
  const byFlag = Object.entries(CONFIG_KEYS).find(([, { flag, negativeFlag }]) =>
    flag !== undefined && negativeFlag === undefined && letters(flag) === letters(name)
  );
  return names.find((key) => letters(key) === letters(name)) ?? byFlag?.[0] ??
    suggest(name.toLowerCase().replaceAll("-", "_"), names);
}

/** `tags[a]`, `start_join[0]`, `mdns.interface`. */
function keyPath(path: readonly PropertyKey[]): string {
  return path.map((part, i) => {
    if (i === 0) return String(part);
    return path[0] === "mdns" ? `.${String(part)}` : `[${String(part)}]`;
  }).join("");
}

const EXPECTED: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  boolean: "true or false",
  array: "an array of strings",
  object: "an object",
  record: "an object of strings",
};

function expected({ expected, path }: z.core.$ZodIssueInvalidType): string {
  const [name] = path;
  const isDuration = path.length === 1 && CONFIG_KEYS[String(name)]?.kind === "duration";
  return isDuration ? `a duration such as "30s"` : EXPECTED[expected] ?? expected;
}

/** The kind of the value at `path` and, if short, the value. */
function shown(input: unknown, path: readonly PropertyKey[]): string {
  let value = input;
  for (const part of path) value = (value as Record<PropertyKey, unknown>)[part];
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  const json = typeof value === "string" ? JSON.stringify(value) : String(value);
  return `${typeof value} ${json.length > 40 ? `${json.slice(0, 40)}...` : json}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
