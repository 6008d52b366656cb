/**
 * The entries of a tokens file: who there is, how it is known, and what it may do.
 *
 * @module
 */

import { pathText, resolvePath } from "../../../cluster/machine/kv/mod.ts";
import { parseJsonText } from "../../files/json_text.ts";
import { type Deed, DEEDS, type Rights } from "./rights.ts";
import { type Hash, readHash } from "./secrets.ts";

/** Somebody who may get in. */
export interface Entry {
  /** How it is called. A user of that name shows the password, if the hash is of one. */
  readonly name: string;
  readonly hash: Hash;
  readonly rights: Rights;
  /** All of the above as a text: entries that say the same have the same one. */
  readonly text: string;
}

/** An entry as a file has it. */
export interface FileEntry extends Partial<Readonly<Record<Deed, readonly string[]>>> {
  readonly name: string;
  readonly hash: string;
  readonly patterns?: boolean;
  readonly admin?: boolean;
}

/** Most entries of a file: each token that is shown is compared with all of them. */
export const MAX_ENTRIES = 1_000;
/** Most prefixes of one right: each request is compared with them. */
export const MAX_PREFIXES = 64;

/** What stands for the root, above all namespaces. */
const ROOT = "^";
const NAME = /^[\w.-]{1,64}$/;
const SWITCHES = ["patterns", "admin"] as const;
const MEMBERS: readonly string[] = ["name", "hash", ...DEEDS, ...SWITCHES];

/** A text that holds no entries. The message says where and why, and quotes no hash. */
export class EntriesError extends Error {
  /** "EntriesError". */
  override readonly name = "EntriesError";
}

/**
 * The entries in a text of JSON.
 *
 * @throws {EntriesError} for the first thing that is wrong.
 * @throws {JsonTextError} when it is no JSON.
 */
export function readEntries(text: string): Entry[] {
  const value = parseJsonText(text);
  if (!Array.isArray(value)) throw new EntriesError("expected an array of entries");
  if (value.length > MAX_ENTRIES) {
    throw new EntriesError(`expected at most ${MAX_ENTRIES} entries, got ${value.length}`);
  }
  const entries = value.map(readEntry);
  const names = new Set<string>();
  for (const { name } of entries) {
    if (names.has(name)) throw new EntriesError(`there are two entries of the name '${name}'`);
    names.add(name);
  }
  return entries;
}

function readEntry(value: unknown, at: number): Entry {
  const fail = (problem: string): never => {
    throw new EntriesError(`entry ${at + 1}: ${problem}`);
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fail("expected an object");
  }
  const members = value as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(members).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) fail(`unknown member '${unknown}', expected ${MEMBERS.join(", ")}`);
  const { name, hash } = members;
  if (typeof name !== "string" || !NAME.test(name)) {
    return fail("'name' has to be 1 to 64 letters, digits, '_', '.' or '-'");
  }
  const read = typeof hash === "string" ? readHash(hash) : undefined;
  if (read === undefined) {
    return fail(`'hash' of '${name}' is none: 'skein kv token' makes one`);
  }
  const problem = (text: string): never => fail(`'${name}': ${text}`);
  const paths = Object.fromEntries(
    DEEDS.map((deed) => [deed, readPrefixes(deed, members[deed] ?? [], problem)]),
  ) as Record<Deed, Uint8Array[]>;
  const [patterns, admin] = SWITCHES.map((name) => readSwitch(name, members[name], problem));
  const rights = { ...paths, patterns: patterns === true, admin: admin === true };
  const prefixes = DEEDS.map((deed) => paths[deed].map(pathText));
  return {
    name,
    hash: read,
    rights,
    text: JSON.stringify([name, hash, prefixes, patterns, admin]),
  };
}

function readPrefixes(
  deed: Deed,
  value: unknown,
  fail: (problem: string) => never,
): Uint8Array[] {
  if (!Array.isArray(value) || value.some((text) => typeof text !== "string")) {
    return fail(`'${deed}' has to be an array of paths`);
  }
  if (value.length > MAX_PREFIXES) fail(`'${deed}' has ${value.length} of ${MAX_PREFIXES} paths`);
  return value.map((text: string) => {
    if (text === ROOT) return new Uint8Array();
    const path = resolvePath(text.startsWith("^") ? text : `^${text}`);
    if (path instanceof Uint8Array) return path;
    const why = path.code === 403 ? "is reserved" : "is no path; '^' stands for all of them";
    return fail(`'${text}' of '${deed}' ${why}`);
  });
}

function readSwitch(name: string, value: unknown, fail: (problem: string) => never): boolean {
  if (value === undefined) return false;
  return typeof value === "boolean" ? value : fail(`'${name}' has to be true or false`);
}
