/**
 * Go's `%q` and `%#v` notations, in which `monitor` prints events (agent.md 7.11) and flag errors quote values.
 *
 * @module
 */

import { compareBytes } from "./byte_order.ts";

/** Values that have a notation: text, bytes, switches, nothing, unsigned integers, lists, and maps with text keys. */
export type GoValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly GoValue[]
  | ReadonlyMap<string, GoValue>;

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

let escaped: RegExp | undefined;

/** Quotes a string as Go's `strconv.Quote`. */
export function goQuote(text: string): string {
  // Go's idea of printable: letters, marks, numbers, punctuation, symbols and the ASCII space. Made when it is first needed: that takes a millisecond.
  escaped ??= /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
  return `"${text.replace(escaped, escape)}"`;
}

function escape(char: string): string {
  const short = SHORT_ESCAPES[char];
  if (short !== undefined) return short;
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x80) return "\\x" + hex(code, 2);
  return code > 0xffff ? "\\U" + hex(code, 8) : "\\u" + hex(code, 4);
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}

/**
 * Writes a value as Go's `%#v` shows it when it was decoded from MessagePack into an interface: integers up to 127
 * decimal, larger ones in hex (they arrive in an unsigned format), maps sorted by key.
 */
export function goSyntax(value: GoValue): string {
  return value === null
    ? "<nil>"
    : value instanceof Uint8Array
    ? bytes("byte", value)
    : nested(value);
}

function nested(value: GoValue): string {
  if (value === null) return "interface {}(nil)";
  if (typeof value === "string") return goQuote(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number" || typeof value === "bigint") {
    return value > 127 ? "0x" + value.toString(16) : String(value);
  }
  if (value instanceof Uint8Array) return bytes("uint8", value);
  if (value instanceof Map) return map(value);
  return `[]interface {}{${(value as readonly GoValue[]).map(nested).join(", ")}}`;
}

function bytes(type: "byte" | "uint8", value: Uint8Array): string {
  return `[]${type}{${Array.from(value, (byte) => "0x" + byte.toString(16)).join(", ")}}`;
}

function map(value: ReadonlyMap<string, GoValue>): string {
  const pairs = [...value].sort(([a], [b]) => compareBytes(a, b))
    .map(([key, item]) => `${goQuote(key)}:${nested(item)}`);
  return `map[interface {}]interface {}{${pairs.join(", ")}}`;
}
