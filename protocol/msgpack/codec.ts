/**
 * What a field of a message can be: how it is written, and every way it may be read.
 *
 * @module
 */

import { Slab } from "../slab.ts";
import { DecodeError, type Limits, withDefaultLimits } from "./limits.ts";
import { isArrayType, isMapType, Reader } from "./reader.ts";
import { type Dialect, Writer } from "./writer.ts";

/** How values of type `T` are written and read. */
export interface Codec<T> {
  /** Appends `value`. Throws a `RangeError` for a number the field cannot hold. */
  write(writer: Writer, value: T): void;
  /** Takes the next value. Throws {@linkcode DecodeError}. */
  read(reader: Reader): T;
  /** What a field reads as when it is missing or nil. */
  zero(): T;
  /** Present on {@linkcode optional} codecs: whether a struct leaves out a field that holds `value`. */
  isEmpty?(value: T): boolean;
}

/** The type of the values of a codec. */
export type Infer<C> = C extends Codec<infer T> ? T : never;

/** One idle writer per dialect: a new buffer for every small message would cost more than writing it. */
const idleWriters: Record<Dialect, Writer | undefined> = { gossip: undefined, rpc: undefined };
const MAX_IDLE_WRITER_BYTES = 64 * 1024;

/** Gossip messages live until they are sent, and the queues they wait in are bounded. */
const gossipMessages = new Slab();

/** `value` as bytes. Throws a `RangeError` for a number that its field cannot hold. */
export function encode<T>(codec: Codec<T>, value: T, dialect: Dialect): Uint8Array<ArrayBuffer> {
  return written(dialect, (writer) => codec.write(writer, value));
}

/** What `fill` writes, as bytes of their own; in the gossip dialect they may share their buffer with others. */
export function written(
  dialect: Dialect,
  fill: (writer: Writer) => void,
): Uint8Array<ArrayBuffer> {
  return writtenBy(dialect, (writer) => {
    fill(writer);
    return dialect === "gossip" ? gossipMessages.copy(writer.view()) : writer.finish();
  });
}

/** What `fill` writes, put by it where it belongs: the writer is used again. */
export function writtenBy<T>(dialect: Dialect, fill: (writer: Writer) => T): T {
  const writer = idleWriters[dialect] ?? new Writer(dialect, 1024);
  idleWriters[dialect] = undefined;
  const result = fill(writer);
  if (writer.capacity <= MAX_IDLE_WRITER_BYTES) {
    writer.reset();
    idleWriters[dialect] = writer;
  }
  return result;
}

/**
 * The value that starts at `offset` of `bytes`; what comes after it is ignored.
 *
 * @throws {DecodeError} when the bytes are no such value, are cut off or exceed a limit
 */
export function decode<T>(
  codec: Codec<T>,
  bytes: Uint8Array,
  offset?: number,
  limits?: Partial<Limits>,
): T {
  return codec.read(new Reader(bytes, offset, withDefaultLimits(limits)));
}

/** `true` or `false`. */
export const bool: Codec<boolean> = {
  write: (writer, value) => writer.bool(value),
  read: (reader) => reader.bool(),
  zero: () => false,
};

/** An integer from 0 to 255. */
export const u8: Codec<number> = unsigned(0xff);
/** An integer from 0 to 65,535. */
export const u16: Codec<number> = unsigned(0xffff);
/** An integer from 0 to 2^32-1. */
export const u32: Codec<number> = unsigned(0xffff_ffff);

/** An integer from -2^31 to 2^31-1. */
export const i32: Codec<number> = {
  write(writer, value) {
    checkRange(value, -0x8000_0000, 0x7fff_ffff);
    writer.int(value);
  },
  read: (reader) => reader.int(-0x8000_0000, 0x7fff_ffff),
  zero: () => 0,
};

const MAX_U64 = 0xffff_ffff_ffff_ffffn;
const MIN_I64 = -0x8000_0000_0000_0000n;
const MAX_I64 = 0x7fff_ffff_ffff_ffffn;

/** An integer from 0 to 2^64-1. */
export const u64: Codec<bigint> = {
  write: (writer, value) => writer.uint(value),
  read: (reader) => BigInt(reader.wideInt(0n, MAX_U64)),
  zero: () => 0n,
};

/** An integer from -2^63 to 2^63-1. */
export const i64: Codec<bigint> = {
  write: (writer, value) => writer.int(value),
  read: (reader) => BigInt(reader.wideInt(MIN_I64, MAX_I64)),
  zero: () => 0n,
};

/** An integer from 0 to 2^64-1 that is a `number` up to 2^53-1 and a `bigint` above, exact in both. */
export const seq: Codec<number | bigint> = {
  write: (writer, value) => writer.uint(value),
  read: (reader) => reader.wideInt(0n, MAX_U64),
  zero: () => 0,
};

/** A float, written in 8 bytes even when it is whole. */
export const f64: Codec<number> = {
  write: (writer, value) => writer.float64(value),
  read: (reader) => reader.float(),
  zero: () => 0,
};

/** A text. Bytes that are no UTF-8 stay in it (see `protocol/text.ts`). */
export const str: Codec<string> = {
  write: (writer, value) => writer.str(value),
  read: (reader) => reader.str(),
  zero: () => "",
};

/** A token or key as text, like {@linkcode str}; it does not enter the memory of texts that come again and again. */
export const secret: Codec<string> = {
  write: (writer, value) => writer.str(value),
  read: (reader) => reader.secret(),
  zero: () => "",
};

/** A byte string; nil is `null`, and an empty one stays empty. What is read is a view of the message. */
export const bytes: Codec<Uint8Array | null> = {
  write: (writer, value) => writer.bytes(value),
  read: (reader) => reader.byteString(),
  zero: () => null,
};

/** A list; nil is `null`. A map reads as its keys and values by turns, as Go does (docs/spec/agent.md 1.3). */
export function list<T>(item: Codec<T>): Codec<T[] | null> {
  return {
    write(writer, values) {
      if (values === null) return writer.nil();
      writer.arrayHeader(values.length);
      for (const value of values) item.write(writer, value);
    },
    read(reader) {
      if (reader.nil()) return null;
      const count = isMapType(reader.peek()) ? reader.mapHeader() * 2 : reader.arrayHeader();
      const values: T[] = [];
      for (let i = 0; i < count; i++) values.push(item.read(reader));
      return values;
    },
    zero: () => null,
  };
}

/**
 * A map from texts to values; nil is `null`. Keys are written in the order of the object; of two equal
 * keys the last wins. Any text is a safe key, `__proto__` too: it becomes a property of the object itself.
 * `key` is {@linkcode secret} where the keys are.
 */
export function record<T>(
  item: Codec<T>,
  key: Codec<string> = str,
): Codec<Record<string, T> | null> {
  return {
    write(writer, values) {
      if (values === null) return writer.nil();
      const keys = Object.keys(values);
      writer.mapHeader(keys.length);
      for (const name of keys) {
        writer.str(name);
        item.write(writer, values[name] as T);
      }
    },
    read(reader) {
      if (reader.nil()) return null;
      const count = reader.mapHeader();
      const values: Record<string, T> = {};
      for (let i = 0; i < count; i++) setOwn(values, readKey(reader, key), item.read(reader));
      return values;
    },
    zero: () => null,
  };
}

/**
 * A field that a struct leaves out when it holds false, 0, "", `null` or nothing but length 0 (docs/spec/memberlist.md
 * 2.1).
 */
export function optional<T>(item: Codec<T>): Codec<T> {
  return {
    write: (writer, value) => item.write(writer, value),
    read: (reader) => item.read(reader),
    zero: () => item.zero(),
    isEmpty(value) {
      if (!value) return true;
      if (value instanceof Uint8Array || Array.isArray(value)) return value.length === 0;
      return typeof value === "object" && Object.keys(value).length === 0;
    },
  };
}

/** A map key: a text in any spelling but an array; nil is "". */
function readKey(reader: Reader, key: Codec<string>): string {
  if (isArrayType(reader.peek())) {
    throw new DecodeError(`Expected a map key at byte ${reader.offset}, got an array`);
  }
  return key.read(reader);
}

function setOwn<T>(target: Record<string, T>, key: string, value: T): void {
  if (key === "__proto__") {
    Object.defineProperty(target, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  } else {
    target[key] = value;
  }
}

function unsigned(max: number): Codec<number> {
  return {
    write(writer, value) {
      checkRange(value, 0, max);
      writer.uint(value);
    },
    read: (reader) => reader.int(0, max),
    zero: () => 0,
  };
}

function checkRange(value: number, min: number, max: number): void {
  if (value < min || value > max) {
    throw new RangeError(`Expected an integer from ${min} to ${max} to write, got ${value}`);
  }
}
