/**
 * Go's `%#v` notation, in which `monitor` prints events (docs/spec/agent.md 7.11).
 *
 * @module
 */

import { byteOrder } from "../../../protocol/byte_order.ts";
import { goQuote } from "../../../protocol/quote.ts";

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
  const pairs = [...value].sort(([a], [b]) => byteOrder(a, b))
    .map(([key, item]) => `${goQuote(key)}:${nested(item)}`);
  return `map[interface {}]interface {}{${pairs.join(", ")}}`;
}
