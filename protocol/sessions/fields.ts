/**
 * The types of which messages are made: how long each is, how it is written and read (docs/spec/sessions.md 1). All integers go
 * with the highest byte first.
 *
 * @module
 */

import { putU32, putU64 } from "../bytes.ts";
import { utf8Length, writeUtf8 } from "../text.ts";
import { MessageError } from "./errors.ts";
import type { Capability, ClusterMember } from "./messages.ts";
import { type Reader, textOf } from "./reader.ts";

/** A type of a field. */
export interface Field<T> {
  /** How many bytes a value takes; throws a `RangeError` for one that cannot be written. */
  size(value: T): number;
  /** Writes so many bytes from `at` on, which are 0; returns where the next field begins. */
  write(target: Uint8Array, at: number, value: T): number;
  /** Reads a value, or throws a `MessageError`. */
  read(reader: Reader): T;
}

/** One byte: the number of a reason or role. */
export const u8: Field<number> = {
  size: (value) => within(value, 0xff, 1),
  write(target, at, value) {
    target[at] = value;
    return at + 1;
  },
  read: (reader) => reader.u8(),
};

/** Two bytes of bits. */
export const u16: Field<number> = {
  size: (value) => within(value, 0xffff, 2),
  write(target, at, value) {
    target[at] = value >> 8;
    target[at + 1] = value;
    return at + 2;
  },
  read: (reader) => reader.u16(),
};

/** Four bytes. */
export const u32: Field<number> = {
  size: (value) => within(value, 0xffff_ffff, 4),
  write(target, at, value) {
    putU32(target, at, value);
    return at + 4;
  },
  read: (reader) => reader.u32(),
};

/** Eight bytes: an id, from 0 to 2^53-1. */
export const id: Field<number> = {
  size: (value) => within(value, Number.MAX_SAFE_INTEGER, 8),
  write: writeSafe,
  read: (reader) => reader.safe(0),
};

/** Eight bytes: milliseconds since 1970, from -(2^53-1) to 2^53-1. */
export const time: Field<number> = {
  size: (value) => within(Math.abs(value), Number.MAX_SAFE_INTEGER, 8),
  write: writeSafe,
  read: (reader) => reader.safe(Number.MIN_SAFE_INTEGER),
};

/** Eight bytes that are not all 0. */
export const nonce: Field<bigint> = {
  size(value) {
    if (value === 0n || value !== BigInt.asIntN(64, value)) {
      throw new RangeError(`Expected a nonce of 64 bits that is not 0, got ${value}`);
    }
    return 8;
  },
  write(target, at, value) {
    putU32(target, at, Number(value >> 32n & 0xffff_ffffn));
    putU32(target, at + 4, Number(value & 0xffff_ffffn));
    return at + 8;
  },
  read(reader) {
    const value = reader.i64();
    if (value === 0n) throw new MessageError("Message has the nonce 0");
    return value;
  },
};

/** A text of at most 255 bytes. */
export const s8: Field<string> = {
  size: (value) => 1 + textLength(value, 0xff),
  write: (target, at, value) => writeText(target, u8.write(target, at, utf8Length(value)), value),
  read: (reader) => textOf(reader.take(reader.u8())),
};

/** A text of at most 65,535 bytes. */
export const s16: Field<string> = {
  size: (value) => 2 + textLength(value, 0xffff),
  write: (target, at, value) => writeText(target, u16.write(target, at, utf8Length(value)), value),
  read: (reader) => textOf(reader.take(reader.u16())),
};

/** An {@linkcode s16} that is not empty. */
export const name: Field<string> = {
  size(value) {
    if (value === "") throw new RangeError("Expected a correlation id that is not empty");
    return s16.size(value);
  },
  write: s16.write,
  read(reader) {
    const value = s16.read(reader);
    if (value === "") throw new MessageError("Message has an empty correlation id");
    return value;
  },
};

/** Bytes. */
export const blob: Field<Uint8Array> = {
  size: ({ length }) => within(length, 0x7fff_ffff, 4 + length),
  write(target, at, value) {
    const start = u32.write(target, at, value.length);
    target.set(value, start);
    return start + value.length;
  },
  read(reader) {
    const length = reader.u32();
    if (length > 0x7fff_ffff) throw new MessageError("Message has bytes of a length below 0");
    return reader.take(length);
  },
};

/**
 * One bit that tells whether there is a text; if so, its length in two bytes and the text follow at once, not at the beginning of
 * a byte; then zeros to the end of the message's last byte.
 */
export const leader: Field<string | undefined> = {
  size: (value) => value === undefined ? 1 : 1 + s16.size(value),
  write(target, at, value) {
    if (value === undefined) return at + 1;
    const text = new Uint8Array(s16.size(value));
    s16.write(text, 0, value);
    let carried = 0x80;
    for (const byte of text) {
      target[at++] = carried | byte >> 1;
      carried = byte << 7;
    }
    target[at] = carried;
    return at + 1;
  },
  read(reader) {
    const bytes = reader.take(reader.left);
    const last = bytes.length - 1;
    if (last === 0 && bytes[0] === 0) return undefined;
    const ends = (bytes[last] as number) & 0x7f;
    if (last < 2 || (bytes[0] as number) < 0x80 || ends !== 0) {
      throw new MessageError("Message has no leader id where one may be");
    }
    const shifted = bytes.subarray(0, last).map((byte, i) =>
      byte << 1 | (bytes[i + 1] as number) >> 7
    );
    const length = (shifted[0] as number) << 8 | (shifted[1] as number);
    if (length !== shifted.length - 2) {
      throw new MessageError(`Message has a leader id of ${length} bytes in ${shifted.length - 2}`);
    }
    return textOf(shifted.subarray(2));
  },
};

/** Capabilities, counted by two bytes. */
export const capabilities: Field<readonly Capability[]> = list(4, {
  size: ([name, value]) => s16.size(name) + s16.size(value),
  write: (target, at, [name, value]) => s16.write(target, s16.write(target, at, name), value),
  read: (reader) => [s16.read(reader), s16.read(reader)],
});

/** Members, counted by two bytes. */
export const members: Field<readonly ClusterMember[]> = list(5, {
  size: ({ id, address, role }) => s16.size(id) + s16.size(address) + u8.size(role),
  write(target, at, { id, address, role }) {
    return u8.write(target, s16.write(target, s16.write(target, at, id), address), role);
  },
  read: (reader) => ({ id: s16.read(reader), address: s16.read(reader), role: reader.u8() }),
});

/** Up to 65,535 items of at least `least` bytes. */
function list<T>(least: number, item: Field<T>): Field<readonly T[]> {
  return {
    size(items) {
      const start = within(items.length, 0xffff, 2);
      return items.reduce((bytes, one) => bytes + item.size(one), start);
    },
    write(target, at, items) {
      const start = u16.write(target, at, items.length);
      return items.reduce((end, one) => item.write(target, end, one), start);
    },
    read(reader) {
      const count = reader.u16();
      if (count * least > reader.left) {
        throw new MessageError(`Message has ${count} items in ${reader.left} bytes`);
      }
      return Array.from({ length: count }, () => item.read(reader));
    },
  };
}

/** `size`, if `value` is a whole number from 0 to `most`. */
function within(value: number, most: number, size: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return size;
  throw new RangeError(`Expected a whole number up to ${most}, got ${value}`);
}

function textLength(text: string, most: number): number {
  const length = utf8Length(text);
  if (length > most) throw new RangeError(`Text takes ${length} of ${most} bytes`);
  return length;
}

function writeText(target: Uint8Array, at: number, text: string): number {
  writeUtf8(target, at, text);
  return at + utf8Length(text);
}

/** `putU64`, which takes negative numbers too. */
function writeSafe(target: Uint8Array, at: number, value: number): number {
  putU64(target, at, value);
  return at + 8;
}
