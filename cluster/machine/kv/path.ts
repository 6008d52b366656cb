/**
 * Keys and namespaces: from what a request says to the path of a node, and from a path to its key in the store.
 *
 * A path is kept as the UTF-8 of its canonical text: 1 to 16 segments with `^` between them, the first being the namespace. What
 * depends on tables of Unicode, the normal form, is done here for the request, before a command is made of it; what the machine
 * checks again for itself goes by bytes alone, so that every version of every runtime decides alike.
 *
 * @module
 */

import type { Failure } from "../result.ts";
import type { StoreReader } from "../store/store.ts";
import { putText } from "../store/tuple.ts";

/** Longest path, in bytes of its canonical text. */
export const MAX_PATH_BYTES = 1_024;
/** Most segments of a path. */
export const MAX_SEGMENTS = 16;
/** Longest segment, in bytes. */
export const MAX_SEGMENT_BYTES = 255;
/** Namespace of keys that name none. */
export const DEFAULT_NAMESPACE = "global";

/** A key that breaks a rule. */
export const BAD_KEY: Failure = { ok: false, code: 422, reason: "BAD_KEY", field: "key" };
/** A namespace that breaks a rule. */
export const BAD_NAMESPACE: Failure = { ...BAD_KEY, field: "namespace" };
/** An absolute key and a namespace. */
export const AMBIGUOUS_NAMESPACE: Failure = {
  ok: false,
  code: 422,
  reason: "AMBIGUOUS_NAMESPACE",
  field: "namespace",
};
/** A path below `$sys`. */
export const RESERVED: Failure = { ok: false, code: 403, reason: "RESERVED", field: "key" };

/** What stands between segments. */
export const CARET = 0x5e;
const BLANK = 0x20;
const DELETE = 0x7f;
const RESERVED_ROOT = "$sys";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The path of a key.
 *
 * A key with a leading caret is absolute. Any other is relative to the `namespace` of the request, else to the one that the
 * connection has in `use`. Where there is neither, an array or a text with a caret in it begins at the root, and a plain text is
 * in {@linkcode DEFAULT_NAMESPACE}. A namespace is a path itself, with or without a leading caret; `""` is none.
 */
export function resolvePath(
  key: string | readonly string[],
  namespace = "",
  use = "",
): Uint8Array<ArrayBuffer> | Failure {
  const absolute = typeof key === "string" && key.startsWith("^");
  if (absolute && namespace !== "") return AMBIGUOUS_NAMESPACE;
  if (typeof key !== "string" && key.some((segment) => segment.includes("^"))) return BAD_KEY;
  const text = typeof key === "string" ? key.slice(absolute ? 1 : 0) : key.join("^");
  if (absolute) return pathOf(text);
  const fromRoot = typeof key !== "string" || text.includes("^");
  const base = namespace || use || (fromRoot ? "" : DEFAULT_NAMESPACE);
  if (base === "") return pathOf(text);
  const root = pathOf(base.startsWith("^") ? base.slice(1) : base);
  if (!(root instanceof Uint8Array)) return root === BAD_KEY ? BAD_NAMESPACE : root;
  return pathOf(`${pathText(root)}^${text}`);
}

/**
 * The path of the node below which something is listed: that of a key as {@linkcode resolvePath} has it, or without a key that
 * of the namespace. `^` and an empty array are what is above all namespaces, an empty path.
 */
export function resolveBase(
  key: string | readonly string[] = "",
  namespace = "",
  use = "",
): Uint8Array<ArrayBuffer> | Failure {
  if (key.length === 0 && (namespace !== "" || typeof key === "string")) {
    const path = pathOf((namespace || use || DEFAULT_NAMESPACE).replace(/^\^/, ""));
    return path === BAD_KEY ? BAD_NAMESPACE : path;
  }
  if (key.length === 0 || (key === "^" && namespace === "")) return new Uint8Array();
  return resolvePath(key, namespace, use);
}

/** The canonical text of a path. */
export function pathText(path: Uint8Array): string {
  return decoder.decode(path);
}

/**
 * The key of a path in a table of the store: the tuple of the table, given as its key, followed by the segments. Any bytes give
 * a key or a failure.
 */
export function keyOfPath(
  state: Pick<StoreReader, "allocate">,
  table: Uint8Array,
  path: Uint8Array,
): Uint8Array | Failure {
  const segments = countSegments(path);
  if (typeof segments !== "number") return segments;
  // Each segment gets a type and an end, and gives up the caret before it.
  const key = state.allocate(table.length + path.length + segments + 1);
  key.set(table);
  let at = table.length;
  let start = 0;
  for (let i = 0; i <= path.length; i++) {
    if (i < path.length && path[i] !== CARET) continue;
    at = putText(key, at, path, start, i);
    start = i + 1;
  }
  return key;
}

/** The path of a key that {@linkcode keyOfPath} made for `table`. */
export function pathOfKey(table: Uint8Array, key: Uint8Array): Uint8Array {
  const path = new Uint8Array(Math.max(0, key.length - table.length));
  let length = 0;
  // Between a segment's type and its end no byte is 0.
  for (let at = table.length + 1; at < key.length; at++) {
    const byte = key[at] as number;
    path[length++] = byte === 0 ? CARET : byte;
    if (byte === 0) at++;
  }
  return path.subarray(0, Math.max(0, length - 1));
}

/** The path of a canonical text, apart from its normal form. */
function pathOf(text: string): Uint8Array<ArrayBuffer> | Failure {
  if (!text.isWellFormed()) return BAD_KEY;
  const path = encoder.encode(text.normalize("NFC"));
  const segments = countSegments(path);
  return typeof segments === "number" ? path : segments;
}

/** How many segments a path has, or which rule it breaks. */
function countSegments(path: Uint8Array): number | Failure {
  const { length } = path;
  if (length > MAX_PATH_BYTES) return BAD_KEY;
  let segments = 0;
  let start = 0;
  let ascii = true;
  for (let i = 0; i <= length; i++) {
    const byte = i < length ? path[i] as number : CARET;
    if (byte === CARET) {
      const size = i - start;
      if (size === 0 || size > MAX_SEGMENT_BYTES) return BAD_KEY;
      if (path[start] === BLANK || path[i - 1] === BLANK) return BAD_KEY;
      segments++;
      start = i + 1;
    } else if (byte < BLANK || byte === DELETE) {
      return BAD_KEY;
    } else if (byte > DELETE) {
      ascii = false;
      // U+0080 to U+009F are control characters, too.
      if (byte === 0xc2 && (path[i + 1] as number) < 0xa0) return BAD_KEY;
    }
  }
  if (segments > MAX_SEGMENTS || (!ascii && !isUtf8(path))) return BAD_KEY;
  return isReserved(path) ? RESERVED : segments;
}

function isReserved(path: Uint8Array): boolean {
  for (let i = 0; i < RESERVED_ROOT.length; i++) {
    if (path[i] !== RESERVED_ROOT.charCodeAt(i)) return false;
  }
  return path.length === RESERVED_ROOT.length || path[RESERVED_ROOT.length] === CARET;
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    decoder.decode(bytes);
    return true;
  } catch {
    // The decoder throws for nothing but bytes that are no UTF-8.
    return false;
  }
}
