/**
 * What commands and questions about one node have in common: its path, its value, conditions on its revision, and how long it is
 * to live.
 *
 * @module
 */

import { MAX_TTL_MS } from "../../../protocol/kv/limits.ts";
import { DecodeError, type Reader } from "../../../protocol/msgpack/mod.ts";
import type { Failure } from "../result.ts";
import type { StoreReader } from "../store/store.ts";
import { readBytes, readUint } from "../strict.ts";
import { valueKey } from "./rows.ts";

/** A node that has no value. */
export const KEY_NOT_FOUND: Failure = { ok: false, code: 404, reason: "KEY_NOT_FOUND" };

/** A condition that does not hold; `rev` is the revision of the node, 0 without a value. */
export function conditionFailed(rev: number): Failure {
  return { ok: false, code: 409, reason: "CONDITION_FAILED", rev };
}

/** What a command begins with: the path, and what it asks for in bits. */
export interface Target {
  readonly path: Uint8Array;
  readonly flags: number;
}

/** Reads a {@linkcode Target} whose flags have no bits besides `known`. */
export function readTarget(reader: Reader, known: number): Target {
  const path = readBytes(reader);
  const flags = readUint(reader, 0, 0xff);
  if ((flags & ~known) !== 0) throw new DecodeError(`Expected flags in ${known}, got ${flags}`);
  return { path, flags };
}

/** Reads a revision when it is there. */
export function readRevision(reader: Reader, present: boolean): number | undefined {
  return present ? readUint(reader, 0, Number.MAX_SAFE_INTEGER) : undefined;
}

/** Reads how long a value is to live, in milliseconds. */
export function readTtl(reader: Reader): number {
  return readUint(reader, 1, MAX_TTL_MS);
}

/** The row of the value at a path, with its key. */
export function findValue(
  state: StoreReader,
  path: Uint8Array,
): { readonly key: Uint8Array; readonly row: Uint8Array } | Failure {
  const key = valueKey(state, path);
  if (!(key instanceof Uint8Array)) return key;
  const row = state.get(key);
  return row === undefined ? KEY_NOT_FOUND : { key, row };
}
