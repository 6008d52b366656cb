/**
 * Checks of single members of requests.
 *
 * @module
 */

import { MAX_TTL_MS } from "../limits.ts";
import type { Members } from "../request.ts";

/** The member that is wrong of those that say which node is meant. */
export function wrongTarget({ key, namespace }: Members): string | undefined {
  if (isNoKey(key)) return "key";
  return isNoText(namespace) ? "namespace" : undefined;
}

/** Whether a value is neither the text of a path nor its segments. */
export function isNoKey(value: unknown): boolean {
  if (typeof value === "string") return false;
  return !Array.isArray(value) || value.some((item) => typeof item !== "string");
}

/** Whether a member that may be left out is no text. */
export function isNoText(value: unknown): boolean {
  return value !== undefined && typeof value !== "string";
}

/** Whether a value is no integer from 1 to `most`. */
export function isNoCount(value: unknown, most: number): boolean {
  return !(Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most);
}

/** Whether a member that may be left out is neither true nor false. */
export function isNoSwitch(value: unknown): boolean {
  return value !== undefined && typeof value !== "boolean";
}

/** Whether a member that may be left out is no revision. */
export function isNoRevision(value: unknown): boolean {
  return value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= 0);
}

/** The member that is wrong of what says how fresh an answer has to be. */
export function wrongFreshness({ consistency }: Members): string | undefined {
  const isKnown = consistency === undefined || consistency === "linearizable" ||
    consistency === "lease" || consistency === "stale";
  return isKnown ? undefined : "consistency";
}

/** The member that is wrong of those that say how long a value is to live; `ttl` when there has to be one and is none. */
export function wrongTtl({ ttl, ttl_ms }: Members, isNeeded = false): string | undefined {
  if (ttl_ms !== undefined) {
    if (isNoCount(ttl_ms, MAX_TTL_MS)) return "ttl_ms";
    return ttl === undefined ? undefined : "ttl";
  }
  if (ttl === undefined) return isNeeded ? "ttl" : undefined;
  return typeof ttl !== "number" || isNoCount(millisecondsOf(ttl), MAX_TTL_MS) ? "ttl" : undefined;
}

/** How long a value is to live, in milliseconds; the members have to be right. */
export function ttlOf(
  { ttl, ttl_ms }: { readonly ttl?: number; readonly ttl_ms?: number },
): number | undefined {
  return ttl === undefined ? ttl_ms : millisecondsOf(ttl);
}

function millisecondsOf(seconds: number): number {
  return Math.round(seconds * 1_000);
}
