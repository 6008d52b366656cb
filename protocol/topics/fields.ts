/**
 * The types of which payloads are made: how each is written and read (docs/spec/topics.md 1). What cannot be read is a
 * `PayloadError`, what cannot be written a `RangeError`.
 *
 * @module
 */

import { CODEC } from "./codes.ts";
import { PayloadError } from "./errors.ts";
import { MAX_FRAME_BYTES, MAX_NAME_BYTES, MAX_SUBSCRIBED } from "./limits.ts";
import { MESSAGE_OVERHEAD_BYTES } from "./message_set.ts";
import { isTopicName } from "./names.ts";
import type { Reader } from "./reader.ts";
import type { EncodedMessages, ProducerBatch } from "./requests.ts";
import type { FrameWriter } from "./writer.ts";

/** A type of a field. */
export interface Field<T> {
  /** Bytes that a value takes at least. */
  readonly least: number;
  /** Appends a value. */
  write(writer: FrameWriter, value: T): void;
  /** Takes a value. */
  read(reader: Reader): T;
}

/** The fields of a payload, in their order. */
export type Fields<T> = { readonly [N in keyof T]-?: Field<T[N]> };

/** One byte. */
export const u8: Field<number> = {
  least: 1,
  write: (writer, value) => writer.u8(whole(value, 0, 0xff)),
  read: (reader) => reader.u8(),
};

/** One byte that is 0 or 1. */
export const flag: Field<boolean> = {
  least: 1,
  write: (writer, value) => writer.u8(value ? 1 : 0),
  read(reader) {
    const byte = reader.u8();
    if (byte > 1) throw new PayloadError(`Expected 0 or 1, got ${byte}`);
    return byte === 1;
  },
};

/** Two bytes. */
export const u16: Field<number> = {
  least: 2,
  write: (writer, value) => writer.u16(whole(value, 0, 0xffff)),
  read: (reader) => reader.u16(),
};

/** Four bytes. */
export const u32: Field<number> = {
  least: 4,
  write: (writer, value) => writer.u32(whole(value, 0, 0xffff_ffff)),
  read: (reader) => reader.u32(),
};

/** Two bytes with a sign: -1, 0 or 1. */
export const acks: Field<number> = {
  least: 2,
  write: (writer, value) => writer.u16(whole(value, -1, 1)),
  read(reader) {
    const value = reader.u16() << 16 >> 16;
    if (value < -1 || value > 1) throw new PayloadError(`Expected -1, 0 or 1 acks, got ${value}`);
    return value;
  },
};

/** One byte: how messages are compressed, by numbers from `least` to `most`. */
export function codec(least: number, most: number): Field<number> {
  return {
    least: 1,
    write: (writer, value) => writer.u8(whole(value, least, most)),
    read(reader) {
      const value = reader.u8();
      if (value >= least && value <= most) return value;
      throw new PayloadError(`Expected a codec from ${least} to ${most}, got ${value}`);
    },
  };
}

/** Four bytes with a sign, from 0 up. */
export const i31: Field<number> = {
  least: 4,
  write: (writer, value) => writer.u32(whole(value, 0, 0x7fff_ffff)),
  read(reader) {
    const value = reader.u32();
    if (value > 0x7fff_ffff) throw new PayloadError(`Expected 0 or more, got ${value | 0}`);
    return value;
  },
};

/** Eight bytes with a sign, from `least` up to 2^53-1. */
export function i64(least: number): Field<number> {
  return {
    least: 8,
    write: (writer, value) => writer.i64(whole(value, least, Number.MAX_SAFE_INTEGER)),
    read(reader) {
      const value = reader.i64();
      if (Number.isSafeInteger(value) && value >= least) return value;
      throw new PayloadError(`Expected ${least} to 2^53-1, got ${value}`);
    },
  };
}

/** Eight bytes with a sign, from `least` up: a place in a log, which may be beyond all that is there. */
export function place(least: number): Field<number> {
  return {
    least: 8,
    write: (writer, value) => writer.i64(whole(value, least, Number.MAX_SAFE_INTEGER)),
    read(reader) {
      const value = reader.i64();
      if (value < least) {
        throw new PayloadError(`Expected an offset from ${least} up, got ${value}`);
      }
      return Math.min(value, Number.MAX_SAFE_INTEGER);
    },
  };
}

/** Eight bytes with a sign: nanoseconds since 1970, or -1 for no time. */
export const time: Field<bigint | undefined> = {
  least: 8,
  write(writer, value = NO_TIME) {
    if (value < NO_TIME || value > LAST_TIME) {
      throw new RangeError(`Expected a time from 1970 on of 64 bits, got ${value} ns`);
    }
    writer.big64(value);
  },
  read(reader) {
    const value = reader.big64();
    if (value < NO_TIME) throw new PayloadError(`Expected a time from 1970 on, got ${value} ns`);
    return value === NO_TIME ? undefined : value;
  },
};

/** A text of at most so many bytes. */
export function text(most: number): Field<string> {
  return {
    least: 4,
    write: (writer, value) => writer.text(value),
    read: (reader) => reader.text(most),
  };
}

/** A name of at most 249 bytes. */
export const name: Field<string> = text(MAX_NAME_BYTES);

/** A {@linkcode name} that is not empty. */
export const group: Field<string> = {
  ...name,
  read(reader) {
    const value = reader.text(MAX_NAME_BYTES);
    if (value === "") throw new PayloadError("Expected the name of a group, got none");
    return value;
  },
};

/** The name of a topic. */
export const topic: Field<string> = {
  ...name,
  read(reader) {
    const value = reader.text(MAX_NAME_BYTES);
    if (!isTopicName(value)) throw new PayloadError(`'${value}' is no name of a topic`);
    return value;
  },
};

/** Names of topics, at least one, none of them twice. */
export const subscription: Field<readonly string[]> = {
  least: 4,
  write: (writer, topics) => SUBSCRIBED.write(writer, topics),
  read(reader) {
    const topics = SUBSCRIBED.read(reader);
    if (topics.length === 0) throw new PayloadError("Expected a topic, got none");
    if (new Set(topics).size < topics.length) throw new PayloadError("A topic comes twice");
    return topics;
  },
};

/** Takes no byte: what is meant where nothing is said. */
export function fixed<T>(value: T): Field<T> {
  return {
    least: 0,
    write(_, given) {
      if (given !== value) throw new RangeError(`This version has ${value} only, got ${given}`);
    },
    read: () => value,
  };
}

/** Takes no byte: what this version cannot tell, so that there is nothing to be read. */
export function untold<T>(nothing: T): Field<T> {
  return { least: 0, write() {}, read: () => nothing };
}

/** So many values, after their number in four bytes. */
export function list<T>(item: Field<T>, most = 0xffff_ffff): Field<readonly T[]> {
  return {
    least: 4,
    write(writer, items) {
      writer.u32(whole(items.length, 0, most));
      for (const value of items) item.write(writer, value);
    },
    read(reader) {
      const count = reader.u32();
      if (count > most) throw new PayloadError(`${count} items where ${most} may be`);
      if (count > reader.left / item.least) {
        throw new PayloadError(`${count} items in ${reader.left} bytes`);
      }
      return Array.from({ length: count }, () => item.read(reader));
    },
  };
}

/** Values of several types, one after the other. */
export function record<T>(fields: Fields<T>): Field<T> {
  const entries = Object.entries(fields) as [keyof T & string, Field<unknown>][];
  return {
    least: entries.reduce((bytes, [, { least }]) => bytes + least, 0),
    write(writer, value) {
      for (const [name, field] of entries) field.write(writer, value[name]);
    },
    read(reader) {
      const value: Partial<Record<string, unknown>> = {};
      for (const [name, field] of entries) value[name] = field.read(reader);
      return value as T;
    },
  };
}

/** Who produces: an id, an epoch and a sequence; the id 0 is nobody. */
export const producer: Field<ProducerBatch | undefined> = {
  least: 14,
  write(writer, value) {
    SAFE.write(writer, value?.id ?? 0);
    u16.write(writer, value?.epoch ?? 0);
    i31.write(writer, value?.baseSequence ?? 0);
  },
  read(reader) {
    const id = SAFE.read(reader);
    const epoch = reader.u16();
    const baseSequence = reader.u32() | 0;
    if (id === 0) return undefined;
    if (baseSequence < 0) throw new PayloadError(`Expected a sequence from 0, got ${baseSequence}`);
    return { id, epoch, baseSequence };
  },
};

/** Messages to the end, at least so many, after their number in four bytes. They are not looked at. */
export function messages(fewest: number): Field<EncodedMessages> {
  return {
    least: 4,
    write(writer, { count, bytes }) {
      writer.u32(whole(count, fewest, 0xffff_ffff));
      writer.raw(bytes);
    },
    read(reader) {
      const count = reader.u32();
      const { left } = reader;
      if (count < fewest) throw new PayloadError("Expected a message, got none");
      if (count > left / MESSAGE_OVERHEAD_BYTES) {
        throw new PayloadError(`${count} messages in ${left} bytes`);
      }
      return { count, bytes: reader.take(left) };
    },
  };
}

/** Compressed messages, at least so many, after their number and their length in four bytes each. They are not looked at. */
export function compressed(fewest: number): Field<EncodedMessages> {
  return {
    least: 8,
    write(writer, { count, bytes }) {
      writer.u32(whole(count, fewest, MOST_MESSAGES));
      writer.bytes(bytes);
    },
    read(reader) {
      const count = reader.u32();
      if (count < fewest) throw new PayloadError("Expected a message, got none");
      if (count > MOST_MESSAGES) throw new PayloadError(`${count} messages are more than may be`);
      return { count, bytes: reader.take(reader.u32()) };
    },
  };
}

/** Messages of an answer: as they are, or compressed, by the codec before them. */
export const packed: Field<{ readonly codec: number; readonly messages: EncodedMessages }> = {
  least: 1 + 4,
  write(writer, value) {
    ANY_CODEC.write(writer, value.codec);
    (value.codec === CODEC.none ? PLAIN : COMPRESSED).write(writer, value.messages);
  },
  read(reader) {
    const codec = ANY_CODEC.read(reader);
    return { codec, messages: (codec === CODEC.none ? PLAIN : COMPRESSED).read(reader) };
  },
};

const ANY_CODEC = codec(CODEC.none, CODEC.deflate);
const PLAIN = messages(0);
const COMPRESSED = compressed(0);

/** As many as a frame has that are not compressed. */
const MOST_MESSAGES = Math.floor(MAX_FRAME_BYTES / MESSAGE_OVERHEAD_BYTES);

/** Messages, at least one, after their number and their bytes in four bytes each. They are not looked at. */
export const sizedMessages: Field<EncodedMessages> = {
  least: 8 + MESSAGE_OVERHEAD_BYTES,
  write(writer, { count, bytes }) {
    writer.u32(whole(count, 1, 0xffff_ffff));
    writer.bytes(bytes);
  },
  read(reader) {
    const count = reader.u32();
    const length = reader.u32();
    if (count === 0) throw new PayloadError("Expected a message, got none");
    if (count > length / MESSAGE_OVERHEAD_BYTES) {
      throw new PayloadError(`${count} messages in ${length} bytes`);
    }
    return { count, bytes: reader.take(length) };
  },
};

const SAFE = i64(0);
const SUBSCRIBED = list(topic, MAX_SUBSCRIBED);

const NO_TIME = -1n;
const LAST_TIME = 2n ** 63n - 1n;

/** `value`, if it is a whole number in this range. */
function whole(value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`Expected a whole number from ${least} to ${most}, got ${value}`);
}
