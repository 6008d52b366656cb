/**
 * JSON as Go's `json.MarshalIndent` writes it (docs/spec/agent.md 7.1), so that output stays the same byte for byte.
 *
 * @module
 */

import { byteOrder } from "../../../protocol/byte_order.ts";

/**
 * What {@linkcode goJson} can write. A `Map` is a Go map: its keys are sorted. A plain object is a Go struct: its
 * fields keep their order (field names must not look like array indexes).
 */
export type GoJson =
  | null
  | boolean
  | number
  | bigint
  | string
  | readonly GoJson[]
  | ReadonlyMap<string, GoJson>
  | { readonly [field: string]: GoJson };

/**
 * Writes a value as indented JSON: two spaces, map keys in byte order, `<`, `>` and `&` escaped for HTML.
 *
 * @returns The text without a final newline.
 */
export function goJson(value: GoJson): string {
  return write(value, { newline: "\n", indent: "  ", colon: ": " });
}

/** Writes a value as {@linkcode goJson}, but on one line and without blanks, as Go's `json.Marshal`. */
export function goJsonLine(value: GoJson): string {
  return write(value, { newline: "", indent: "", colon: ":" });
}

/** What stands between the tokens. */
interface Layout {
  readonly newline: string;
  readonly indent: string;
  readonly colon: string;
}

function write(value: GoJson, layout: Layout): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "bigint") return String(value);
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const { newline, indent, colon } = layout;
  const inner = { ...layout, newline: newline + indent };
  if (isArray(value)) {
    if (value.length === 0) return "[]";
    const items = value.map((item) => inner.newline + write(item, inner));
    return `[${items.join(",")}${newline}]`;
  }
  const entries = value instanceof Map
    ? [...value as ReadonlyMap<string, GoJson>].sort(([a], [b]) => byteOrder(a, b))
    : Object.entries(value as { readonly [field: string]: GoJson });
  if (entries.length === 0) return "{}";
  const lines = entries.map(([key, item]) =>
    inner.newline + quote(key) + colon + write(item, inner)
  );
  return `{${lines.join(",")}${newline}}`;
}

function isArray(value: object): value is readonly GoJson[] {
  return Array.isArray(value);
}

/**
 * Line and paragraph separators are escaped as Go does, and invalid bytes, which `JSON.stringify` has written as halves
 * of characters, become Go's escape for each of them.
 */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[<>&\u2028\u2029]/g,
    (char) => "\\u" + char.charCodeAt(0).toString(16).padStart(4, "0"),
  ).replace(/\\(?:[\\bf]|ud[89a-f]..)/g, (escape) => {
    return escape.length > 2 ? "\\ufffd" : CONTROL_ESCAPES[escape] ?? escape;
  });
}

/** Go before 1.22, with which Serf 0.9.4 was built, has no short form for these two. */
const CONTROL_ESCAPES: Readonly<Record<string, string>> = { "\\b": "\\u0008", "\\f": "\\u000c" };
