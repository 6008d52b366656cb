/**
 * MessagePack values of any shape, for when no codec says what to expect.
 *
 * @module
 */

import { DecodeError, type Limits, withDefaultLimits } from "./limits.ts";
import { isArrayType, isMapType, Reader } from "./reader.ts";
import { type Dialect, Writer } from "./writer.ts";

/** An extension value: an application's type from -128 to 127 and its bytes. Only decoded: neither Serf wire has any. */
export class Extension {
  /** An extension with this type and content. */
  constructor(
    /** The type, -128 to 127. */
    readonly type: number,
    /** The content. */
    readonly data: Uint8Array,
  ) {}
}

/**
 * Any decoded value. Integers are `number` up to ±(2^53-1) and `bigint` beyond, both exact.
 * A float that is whole cannot be told from an integer any more.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | Extension
  | Value[]
  | Map<Value, Value>;

/** What {@linkcode encodeValue} writes: decoded values, and plain objects as maps. */
export type Encodable =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Encodable[]
  | ReadonlyMap<Encodable, Encodable>
  | { readonly [key: string]: Encodable };

/** Options of {@linkcode decodeValue}. */
export interface DecodeValueOptions {
  /** Where the value starts. Default 0. */
  readonly offset?: number;
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<Limits>;
  /**
   * What the str family becomes: `"text"` (default) or, for gossip where byte strings look the same, `"bytes"`
   * without a copy. Map keys of that family are always text.
   */
  readonly raw?: "text" | "bytes";
}

/**
 * `value` as bytes. A `number` without a fraction (but not -0) is written as an integer, any other as float64.
 *
 * @throws {TypeError} for something that is no {@linkcode Encodable}, such as `undefined`
 */
export function encodeValue(value: Encodable, dialect: Dialect): Uint8Array<ArrayBuffer> {
  const writer = new Writer(dialect);
  writeValue(writer, value);
  return writer.finish();
}

/**
 * The value that `bytes` hold; what comes after it is ignored.
 *
 * @throws {DecodeError} when the bytes are no value, are cut off or exceed a limit
 */
export function decodeValue(bytes: Uint8Array, options: DecodeValueOptions = {}): Value {
  const reader = new Reader(bytes, options.offset, withDefaultLimits(options.limits));
  return readValue(reader, options.raw ?? "text", reader.limits.maxDepth);
}

function writeValue(writer: Writer, value: Encodable): void {
  switch (typeof value) {
    case "boolean":
      return writer.bool(value);
    case "string":
      return writer.str(value);
    case "bigint":
      return value < 0n ? writer.int(value) : writer.uint(value);
    case "number":
      if (!Number.isSafeInteger(value) || Object.is(value, -0)) return writer.float64(value);
      return value < 0 ? writer.int(value) : writer.uint(value);
    case "object":
      if (value === null) return writer.nil();
      if (value instanceof Uint8Array) return writer.bytes(value);
      if (Array.isArray(value)) {
        writer.arrayHeader(value.length);
        for (const item of value) writeValue(writer, item);
        return;
      }
      return writePairs(writer, value instanceof Map ? [...value] : Object.entries(value));
    default:
      throw new TypeError(`Expected a MessagePack value to write, got ${typeof value}`);
  }
}

function writePairs(writer: Writer, pairs: readonly (readonly [Encodable, Encodable])[]): void {
  writer.mapHeader(pairs.length);
  for (const [key, value] of pairs) {
    writeValue(writer, key);
    writeValue(writer, value);
  }
}

function readValue(reader: Reader, raw: "text" | "bytes", depth: number): Value {
  const type = reader.peek();
  if (type === 0xc2 || type === 0xc3) return reader.bool();
  if (type === 0xc0) {
    reader.nil();
    return null;
  }
  if (type === 0xca || type === 0xcb) return reader.float();
  if (type < 0x80 || type >= 0xe0 || (type >= 0xcc && type <= 0xd3)) {
    return reader.wideInt(-(2n ** 63n), 2n ** 64n - 1n);
  }
  if (type >= 0xc4 && type <= 0xc6) return reader.byteString();
  if ((type >= 0xc7 && type <= 0xc9) || (type >= 0xd4 && type <= 0xd8)) {
    const { type: extensionType, data } = reader.extension();
    return new Extension(extensionType, data);
  }
  if (!isArrayType(type) && !isMapType(type)) {
    return raw === "text" ? reader.str() : reader.byteString();
  }
  if (depth === 0) {
    throw new DecodeError(
      `Values nest deeper than ${reader.limits.maxDepth} at byte ${reader.offset}`,
    );
  }
  if (isArrayType(type)) {
    const items: Value[] = [];
    for (let left = reader.arrayHeader(); left > 0; left--) {
      items.push(readValue(reader, raw, depth - 1));
    }
    return items;
  }
  const map = new Map<Value, Value>();
  for (let left = reader.mapHeader(); left > 0; left--) {
    const key = readValue(reader, "text", depth - 1);
    map.set(key, readValue(reader, raw, depth - 1));
  }
  return map;
}
