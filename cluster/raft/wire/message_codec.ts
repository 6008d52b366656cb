/**
 * The bytes of a message between servers.
 *
 *     u8 type | u64 term | the type's numbers, u64 each | its flags, u8 each | the rest
 *
 * The rest is, of an append, its entries; of a piece of a snapshot, `hash(32) | u32 length | configuration | piece`. Integers
 * have their highest byte first. Each message has one byte form: what decodes, encodes to the same bytes.
 *
 * @module
 */

import { equalBytes, getU32, getU64, putU32, putU64 } from "../../../protocol/bytes.ts";
import type { Entry } from "../log/entry.ts";
import {
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
} from "../membership/configuration.ts";
import type { Append, Install, Message } from "../state/message.ts";
import { decodeEntries, ENTRY_HEAD_BYTES, EntryError, putEntry } from "./entry_codec.ts";

/** The types by their numbers, which never change. */
const TYPES: readonly (Message["type"] | undefined)[] = [
  undefined,
  "pre-vote",
  "pre-vote-reply",
  "vote",
  "vote-reply",
  "append",
  "append-reply",
  "install",
  "install-reply",
  "timeout-now",
];

const NUMBER_BYTES = 8;
const HASH_BYTES = 32;

/** Most bytes of a configuration that is read: 64 members with ids of 64 characters stay far below. */
const MAX_CONFIGURATION_BYTES = 64 * 1024;

/** The bytes are no message, or the message has no bytes: a number is no safe integer, a hash is none. */
export class MessageError extends Error {
  /** "MessageError". */
  override readonly name = "MessageError";
}

/**
 * The bytes of a message.
 *
 * @throws {MessageError} when a number in it is negative, broken or above 2^53-1, or the hash is not that of SHA-256 in hex
 */
export function encodeMessage(message: Message): Uint8Array<ArrayBuffer> {
  const { term } = message;
  switch (message.type) {
    case "pre-vote":
      return encode(1, [term, message.lastIndex, message.lastTerm], []);
    case "pre-vote-reply":
      return encode(2, [term], [message.granted]);
    case "vote":
      return encode(3, [term, message.lastIndex, message.lastTerm], [message.transfer]);
    case "vote-reply":
      return encode(4, [term], [message.granted]);
    case "append":
      return encodeAppend(message);
    case "append-reply": {
      const { prevIndex, matchIndex, conflictTerm, conflictIndex, lastIndex, round } = message;
      const numbers = [term, prevIndex, matchIndex, conflictTerm, conflictIndex, lastIndex, round];
      return encode(6, numbers, [message.success]);
    }
    case "install":
      return encodeInstall(message);
    case "install-reply":
      return encode(8, [term, message.index, message.nextOffset], [message.installed]);
    case "timeout-now":
      return encode(9, [term], []);
  }
}

/**
 * The message that `bytes` are. The data of entries and a piece of a snapshot are views.
 *
 * @throws {MessageError} when they are none
 */
export function decodeMessage(bytes: Uint8Array): Message {
  const type = TYPES[bytes[0] ?? 0];
  if (type === undefined) throw new MessageError(`Message has the unknown type ${bytes[0]}`);
  const reader = new Reader(bytes);
  const message = read(type, reader.number(), reader);
  if (reader.at !== bytes.length) {
    throw new MessageError(`Message '${type}' is followed by ${bytes.length - reader.at} bytes`);
  }
  return message;
}

function read(type: Message["type"], term: number, reader: Reader): Message {
  switch (type) {
    case "pre-vote":
      return { type, term, lastIndex: reader.number(), lastTerm: reader.number() };
    case "pre-vote-reply":
    case "vote-reply":
      return { type, term, granted: reader.flag() };
    case "vote": {
      const [lastIndex, lastTerm] = [reader.number(), reader.number()];
      return { type, term, lastIndex, lastTerm, transfer: reader.flag() };
    }
    case "append":
      return readAppend(term, reader);
    case "append-reply": {
      const prevIndex = reader.number();
      const matchIndex = reader.number();
      const conflictTerm = reader.number();
      const conflictIndex = reader.number();
      const lastIndex = reader.number();
      const round = reader.number();
      const success = reader.flag();
      return {
        type,
        term,
        success,
        prevIndex,
        matchIndex,
        conflictTerm,
        conflictIndex,
        lastIndex,
        round,
      };
    }
    case "install":
      return readInstall(term, reader);
    case "install-reply": {
      const [index, nextOffset] = [reader.number(), reader.number()];
      return { type, term, index, nextOffset, installed: reader.flag() };
    }
    case "timeout-now":
      return { type, term };
  }
}

function encodeAppend(message: Append): Uint8Array<ArrayBuffer> {
  const { term, prevIndex, prevTerm, commit, round, entries } = message;
  let length = 0;
  for (const { data } of entries) length += ENTRY_HEAD_BYTES + data.length;
  const bytes = encode(5, [term, prevIndex, prevTerm, commit, round], [], length);
  let at = bytes.length - length;
  for (const entry of entries) at = putEntry(bytes, at, entry);
  return bytes;
}

function readAppend(term: number, reader: Reader): Append {
  const prevIndex = reader.number();
  const prevTerm = reader.number();
  const commit = reader.number();
  const round = reader.number();
  let entries: Entry[];
  try {
    entries = decodeEntries(reader.rest());
  } catch (cause) {
    if (!(cause instanceof EntryError)) throw cause;
    throw new MessageError(`Append holds what is no entry: ${cause.message}`, { cause });
  }
  let last = { index: prevIndex, term: prevTerm };
  for (const entry of entries) {
    if (entry.index !== last.index + 1 || entry.term < last.term || entry.term > term) {
      throw new MessageError(
        `Append of term ${term} has entry ${entry.index} of term ${entry.term} ` +
          `after ${last.index} of term ${last.term}`,
      );
    }
    last = entry;
  }
  return { type: "append", term, prevIndex, prevTerm, entries, commit, round };
}

function encodeInstall(message: Install): Uint8Array<ArrayBuffer> {
  const { term, snapshot, offset, chunk } = message;
  const { index, configurationIndex, size, hash } = snapshot;
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new MessageError(`Hash is '${hash.slice(0, 64)}'`);
  const configuration = encodeConfiguration(snapshot.configuration);
  const length = HASH_BYTES + 4 + configuration.length + chunk.length;
  const numbers = [term, index, snapshot.term, configurationIndex, size, offset];
  const bytes = encode(7, numbers, [], length);
  const at = bytes.length - length;
  bytes.set(Uint8Array.fromHex(hash), at);
  putU32(bytes, at + HASH_BYTES, configuration.length);
  bytes.set(configuration, at + HASH_BYTES + 4);
  bytes.set(chunk, bytes.length - chunk.length);
  return bytes;
}

function readInstall(term: number, reader: Reader): Install {
  const index = reader.number();
  const snapshotTerm = reader.number();
  const configurationIndex = reader.number();
  const size = reader.number();
  const offset = reader.number();
  const hash = reader.take(HASH_BYTES).toHex();
  const length = getU32(reader.take(4), 0);
  if (length > MAX_CONFIGURATION_BYTES) {
    throw new MessageError(
      `Configuration claims ${length} bytes, at most ${MAX_CONFIGURATION_BYTES} can be`,
    );
  }
  const configuration = readConfiguration(reader.take(length));
  const snapshot = { index, term: snapshotTerm, configuration, configurationIndex, size, hash };
  return { type: "install", term, snapshot, offset, chunk: reader.rest() };
}

function readConfiguration(bytes: Uint8Array): Configuration {
  let configuration: Configuration;
  try {
    configuration = decodeConfiguration(bytes);
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new MessageError(cause.message, { cause });
  }
  if (equalBytes(encodeConfiguration(configuration), bytes)) return configuration;
  throw new MessageError("Configuration is not in its one byte form");
}

/** A message up to the rest, for which there are `more` bytes. */
function encode(
  type: number,
  numbers: readonly number[],
  flags: readonly boolean[],
  more = 0,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(1 + NUMBER_BYTES * numbers.length + flags.length + more);
  bytes[0] = type;
  let at = 1;
  for (const number of numbers) {
    if (!Number.isSafeInteger(number) || number < 0) {
      throw new MessageError(`Message '${TYPES[type]}' has the number ${number}`);
    }
    putU64(bytes, at, number);
    at += NUMBER_BYTES;
  }
  for (const flag of flags) bytes[at++] = flag ? 1 : 0;
  return bytes;
}

/** Reads a message from its start to its end. */
class Reader {
  readonly #bytes: Uint8Array;
  /** Where it is; the type is read. */
  at = 1;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  number(): number {
    this.#assertLeft(NUMBER_BYTES);
    const number = getU64(this.#bytes, this.at);
    if (!Number.isSafeInteger(number)) throw new MessageError("Message has a number above 2^53-1");
    this.at += NUMBER_BYTES;
    return number;
  }

  flag(): boolean {
    this.#assertLeft(1);
    const flag = this.#bytes[this.at++] as number;
    if (flag > 1) throw new MessageError(`Message has the flag ${flag}, wanted 0 or 1`);
    return flag === 1;
  }

  take(length: number): Uint8Array {
    this.#assertLeft(length);
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.at);
  }

  #assertLeft(length: number): void {
    const left = this.#bytes.length - this.at;
    if (left < length) {
      throw new MessageError(`Message needs ${length} more bytes, ${left} are left`);
    }
  }
}
