/**
 * Encoded messages that follow each other, as requests, answers and segments have them: checked, stamped and cut without taking
 * them apart.
 *
 *     message   i64 offset | i64 timestamp, ns since 1970 | key | value | u32 number of headers | headers
 *     key, value   u32 length | bytes; the length 2^32-1 stands for null where that is allowed
 *     header    u32 length | name as UTF-8 | u32 length | bytes
 *
 * The header `Msg-Id` is a message's id, of 1 to 64 bytes.
 *
 * All integers have their highest byte first. The machine takes and refuses messages by this file, so what counts as a message
 * belongs to the format of its state.
 *
 * @module
 */

import { getU32, putU32, putU64 } from "../bytes.ts";
import { isUtf8 } from "../text.ts";

/** What a message takes besides key, value and headers, in bytes: the least that one may take. */
export const MESSAGE_OVERHEAD_BYTES = 28;

/** What a header takes besides name and value, in bytes. */
export const HEADER_OVERHEAD_BYTES = 8;

/** The length of a key or a value that is null. */
export const NULL_LENGTH = 0xffff_ffff;

/** The name of the header that is the id of a message. */
export const ID_HEADER = "Msg-Id";

/** Longest id of a message, in bytes. */
export const MAX_ID_BYTES = 64;

/** Most messages with an id that are appended at once: some milliseconds of work. */
export const MAX_IDS = 1_000;

const ID_HEADER_BYTES = new TextEncoder().encode(ID_HEADER);

/** Where a message has its timestamp, its key and, in the first 16 bytes, nothing of variable length. */
const TIMESTAMP_AT = 8;
const KEY_AT = 16;

const NANOSECONDS_PER_MS = 1_000_000;

/** The last millisecond since 1970 whose nanoseconds are a signed integer of 64 bits. */
const LAST_MS = 9_223_372_036_854;

/** A signed integer of 64 bits by its halves: cheaper than a bigint. */
export interface Halves {
  /** From -2^31 to 2^31-1. */
  readonly high: number;
  /** From 0 to 2^32-1. */
  readonly low: number;
}

/** What is known of messages that were checked. */
export interface MessageSet {
  /** Whether a key or a value is null. */
  readonly hasNulls: boolean;
  /** Bytes of the longest message; 0 without any. */
  readonly longest: number;
}

/** The id of one of some messages: bytes from `start` to `end`. */
export interface MessageId {
  /** Which message, from 0 on. */
  readonly message: number;
  readonly start: number;
  readonly end: number;
}

/** What of some messages is wanted: from `start` to `end`, `count` messages. */
export interface MessageSpan {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/**
 * Checks that `bytes` are `count` messages and nothing else; returns what is known of them, or what is wrong. Takes no memory by
 * what lengths and counts claim.
 *
 * With `ids`, to which the ids of the messages are added in order, those are checked too: at most {@linkcode MAX_IDS}, each of 1 to
 * {@linkcode MAX_ID_BYTES} bytes, and one for a message.
 */
export function checkMessages(
  bytes: Uint8Array,
  count: number,
  allowsNulls: boolean,
  ids?: MessageId[],
): MessageSet | string {
  const { length } = bytes;
  if (count > length / MESSAGE_OVERHEAD_BYTES) return `${length} bytes are no ${count} messages`;
  let hasNulls = false;
  let longest = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const start = at;
    if (length - at < MESSAGE_OVERHEAD_BYTES) return lacks(i);
    at += KEY_AT;
    for (let field = 0; field < 2; field++) {
      if (length - at < 4) return lacks(i);
      const size = getU32(bytes, at);
      at += 4;
      if (size === NULL_LENGTH && allowsNulls) {
        hasNulls = true;
      } else {
        if (size > length - at) return lacks(i);
        at += size;
      }
    }
    if (length - at < 4) return lacks(i);
    const headers = getU32(bytes, at);
    at += 4;
    if (headers > (length - at) / HEADER_OVERHEAD_BYTES) return lacks(i);
    for (let header = 0; header < headers; header++) {
      let isId = false;
      for (let field = 0; field < 2; field++) {
        if (length - at < 4) return lacks(i);
        const size = getU32(bytes, at);
        at += 4;
        if (size > length - at) return lacks(i);
        if (field === 0) {
          if (!isUtf8(bytes, at, at + size)) {
            return `A header of message ${i + 1} has a name that is no UTF-8`;
          }
          isId = ids !== undefined && size === ID_HEADER_BYTES.length && namesId(bytes, at);
        } else if (isId) {
          const wrong = addId(ids as MessageId[], { message: i, start: at, end: at + size });
          if (wrong !== undefined) return wrong;
        }
        at += size;
      }
    }
    longest = Math.max(longest, at - start);
  }
  if (at < length) return `${length - at} bytes follow the last message`;
  return { hasNulls, longest };
}

/**
 * Gives checked messages, from `at` of `bytes` to the end, their offsets, one after the other from `baseOffset` on, and those
 * that have the timestamp 0 that of `time`. Returns the greatest timestamp.
 */
export function stampMessages(
  bytes: Uint8Array,
  at: number,
  baseOffset: number,
  time: Halves,
): Halves {
  let high = -0x8000_0000;
  let low = 0;
  let offset = baseOffset;
  for (let start = at; start < bytes.length; start = messageEnd(bytes, start), offset++) {
    putU64(bytes, start, offset);
    let ownHigh = getU32(bytes, start + TIMESTAMP_AT) | 0;
    let ownLow = getU32(bytes, start + TIMESTAMP_AT + 4);
    if (ownHigh === 0 && ownLow === 0) {
      ({ high: ownHigh, low: ownLow } = time);
      putHalves(bytes, start + TIMESTAMP_AT, time);
    }
    if (ownHigh > high || (ownHigh === high && ownLow > low)) {
      high = ownHigh;
      low = ownLow;
    }
  }
  return { high, low };
}

/** Where the checked message ends that begins at `at`. */
export function messageEnd(bytes: Uint8Array, at: number): number {
  let end = skipField(bytes, skipField(bytes, at + KEY_AT));
  const headers = getU32(bytes, end);
  end += 4;
  for (let header = 0; header < headers; header++) end = skipField(bytes, skipField(bytes, end));
  return end;
}

/**
 * Those of the checked messages from `at` to the end of `bytes` that come after the first `skip` and take at most `room` bytes
 * together. With `atLeastOne` the first of them counts whatever it takes.
 */
export function cutMessages(
  bytes: Uint8Array,
  at: number,
  { skip, room, atLeastOne }: {
    readonly skip: number;
    readonly room: number;
    readonly atLeastOne: boolean;
  },
): MessageSpan {
  let start = at;
  for (let i = 0; i < skip && start < bytes.length; i++) start = messageEnd(bytes, start);
  let end = start;
  let count = 0;
  while (end < bytes.length) {
    const next = messageEnd(bytes, end);
    if (next - start > room && !(atLeastOne && count === 0)) break;
    end = next;
    count++;
  }
  return { start, end, count };
}

/** Which of the checked messages from `at` to the end of `bytes`, but for the first `skip`, is the first at or after a time; -1: none. */
export function findByTime(bytes: Uint8Array, at: number, skip: number, time: Halves): number {
  for (let start = at, i = 0; start < bytes.length; start = messageEnd(bytes, start), i++) {
    if (i >= skip && !isBefore(getHalves(bytes, start + TIMESTAMP_AT), time)) return i;
  }
  return -1;
}

/** Makes empty what is null in checked messages, from `start` to `end` of `bytes`: for who knows no null. */
export function emptyNulls(bytes: Uint8Array, start: number, end: number): void {
  for (let at = start; at < end; at = messageEnd(bytes, at)) {
    const key = at + KEY_AT;
    if (getU32(bytes, key) === NULL_LENGTH) putU32(bytes, key, 0);
    const value = skipField(bytes, key);
    if (getU32(bytes, value) === NULL_LENGTH) putU32(bytes, value, 0);
  }
}

/** Milliseconds since 1970 as nanoseconds, at most what a timestamp can be. */
export function nanosecondsOf(ms: number): Halves {
  const time = Math.min(ms, LAST_MS);
  const low = time % 0x1_0000_0000 * NANOSECONDS_PER_MS;
  const high = Math.floor(time / 0x1_0000_0000) * NANOSECONDS_PER_MS +
    Math.floor(low / 0x1_0000_0000);
  return { high, low: low % 0x1_0000_0000 };
}

/** Writes a signed integer in 8 bytes at `at`. */
export function putHalves(target: Uint8Array, at: number, { high, low }: Halves): void {
  putU32(target, at, high);
  putU32(target, at + 4, low);
}

/** The integer that {@linkcode putHalves} wrote. */
export function getHalves(bytes: Uint8Array, at: number): Halves {
  return { high: getU32(bytes, at) | 0, low: getU32(bytes, at + 4) };
}

/** Whether one integer is less than another one. */
export function isBefore(one: Halves, other: Halves): boolean {
  return one.high < other.high || (one.high === other.high && one.low < other.low);
}

function skipField(bytes: Uint8Array, at: number): number {
  const size = getU32(bytes, at);
  return at + 4 + (size === NULL_LENGTH ? 0 : size);
}

/** Whether the name at `at` of a header is {@linkcode ID_HEADER}, of which it has the length. */
function namesId(bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < ID_HEADER_BYTES.length; i++) {
    if (bytes[at + i] !== ID_HEADER_BYTES[i]) return false;
  }
  return true;
}

/** Adds an id that follows the others; or says what is wrong with it. */
function addId(ids: MessageId[], id: MessageId): string | undefined {
  const { message, start, end } = id;
  const size = end - start;
  if (size === 0 || size > MAX_ID_BYTES) {
    return `The id of message ${message + 1} takes ${size} bytes, expected 1 to ${MAX_ID_BYTES}`;
  }
  if (ids.at(-1)?.message === message) return `Message ${message + 1} has two ids`;
  if (ids.length >= MAX_IDS) return `More than ${MAX_IDS} messages have ids`;
  ids.push(id);
  return undefined;
}

function lacks(i: number): string {
  return `Message ${i + 1} is not whole`;
}
