/**
 * Checks what a configuration file contains. Loaded only when there is a file.
 *
 * @module
 */

import { z } from "zod";
import { parseDuration } from "./duration.ts";
import type { ConfigInput } from "./input.ts";

const text = z.string();
const flag = z.boolean();
const list = z.array(z.string());
/** Go cuts the fraction of a number off. */
const whole = z.number().transform(Math.trunc);
const duration = z.string().superRefine((value, context) => {
  try {
    parseDuration(value);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
  }
});

const shape = {
  node_name: text,
  role: text,
  disable_coordinates: flag,
  tags: z.record(z.string(), z.string()),
  tags_file: text,
  bind: text,
  advertise: text,
  interface: text,
  encrypt_key: text,
  keyring_file: text,
  log_level: text,
  rpc_addr: text,
  rpc_auth: text,
  protocol: whole,
  replay_on_join: flag,
  query_response_size_limit: whole,
  query_size_limit: whole,
  user_event_size_limit: whole,
  start_join: list,
  retry_join: list,
  retry_max_attempts: whole,
  retry_interval: duration,
  profile: text,
  leave_on_terminate: flag,
  skip_leave_on_interrupt: flag,
  reconnect_interval: duration,
  reconnect_timeout: duration,
  tombstone_timeout: duration,
  disable_name_resolution: flag,
  enable_compression: flag,
  broadcast_timeout: duration,
  validate_node_names: flag,
  event_handlers: list,
  event_handler_timeout: duration,
  event_handler_concurrency: whole,
  snapshot_path: text,
  rejoin_after_leave: flag,
  discover: text,
  mdns: z.strictObject({ interface: text, disable_ipv4: flag, disable_ipv6: flag }).partial(),
  log_format: text,
  log_levels: z.record(z.string(), z.string()),
  enable_syslog: flag,
  syslog_facility: text,
  statsite_addr: text,
  statsd_addr: text,
  msgpackusenewtimeformat: flag,
} satisfies Record<keyof ConfigInput, z.ZodType>;

const schema = z.strictObject(shape).partial();

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

/** Lower-case keys and no nulls, for the object itself and for `mdns`; tag names are left alone. */
function normalise(value: unknown): unknown {
  if (!isObject(value)) return value;
  const entries = Object.entries(withoutNulls(value)).map(([name, held]): [string, unknown] => {
    const key = name.toLowerCase();
    if (key === "tags" && isObject(held)) return [key, withoutNulls(held)];
    return [key, key === "mdns" ? normalise(held) : held];
  });
  return Object.fromEntries(entries);
}

function withoutNulls(object: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== null));
}

type Issue = z.core.$ZodIssue;

function describe(issue: Issue, input: unknown): string {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => `unknown key '${keyPath([...issue.path, key])}'`).join("; ");
  }
  const where = issue.path.length === 0 ? "the file" : `'${keyPath(issue.path)}'`;
  if (issue.code === "invalid_type") {
    return `${where} expected ${kind(issue.expected)}, got ${shown(valueAt(input, issue.path))}`;
  }
  return `${where}: ${issue.message}`;
}

/** `tags[a]`, `start_join[0]`, `mdns.interface`. */
function keyPath(path: readonly PropertyKey[]): string {
  return path.map((part, i) => {
    if (i === 0) return String(part);
    return path[0] === "mdns" ? `.${String(part)}` : `[${String(part)}]`;
  }).join("");
}

function kind(expected: string): string {
  const names: Record<string, string> = {
    string: "a string",
    number: "a number",
    boolean: "true or false",
    array: "an array of strings",
    object: "an object",
    record: "an object of strings",
  };
  return names[expected] ?? expected;
}

/** The kind of a value and, if short, the value. */
function shown(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  const json = JSON.stringify(value) ?? "nothing";
  return `${typeof value} ${json.length > 40 ? `${json.slice(0, 40)}...` : json}`;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) value = (value as Record<PropertyKey, unknown>)[part];
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
