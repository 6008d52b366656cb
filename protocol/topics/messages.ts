/**
 * Messages as programs have them, and their bytes.
 *
 * @module
 */

import { getU32, getU64 } from "../bytes.ts";
import { decodeUtf8, utf8Length } from "../text.ts";
import { PayloadError } from "./errors.ts";
import {
  checkMessages,
  HEADER_OVERHEAD_BYTES,
  MESSAGE_OVERHEAD_BYTES,
  NULL_LENGTH,
} from "./message_set.ts";
import type { EncodedMessages } from "./requests.ts";
import type { FrameWriter } from "./writer.ts";

/** A header of a message: its name, and its value. A name may be there more than once. */
export type Header = readonly [name: string, value: Uint8Array];

/** A message. */
export interface Message {
  /** Where it is in its partition. What a producer says of it does not count. */
  readonly offset: number;
  /** Nanoseconds since 1970, a signed integer of 64 bits; 0 of a producer: when it is appended. */
  readonly timestamp: bigint;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly Header[];
}

/** Bytes of a message as it is encoded. */
export function messageBytes({ key, value, headers }: Message): number {
  let bytes = MESSAGE_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0);
  for (const [name, { length }] of headers) {
    bytes += HEADER_OVERHEAD_BYTES + utf8Length(name) + length;
  }
  return bytes;
}

/** Appends a message. Where `nulls` are not known, what is null becomes empty. */
export function writeMessage(writer: FrameWriter, message: Message, nulls: boolean): void {
  const { offset, timestamp, key, value, headers } = message;
  writer.i64(offset);
  writer.big64(timestamp);
  writeBytes(writer, key, nulls);
  writeBytes(writer, value, nulls);
  writer.u32(headers.length);
  for (const [name, bytes] of headers) {
    writer.text(name);
    writer.bytes(bytes);
  }
}

/**
 * The messages. Their bytes are views of `bytes`. Where `nulls` are not known, what is empty is null.
 *
 * @throws {PayloadError} when it is something else
 */
export function readMessages({ count, bytes }: EncodedMessages, nulls: boolean): Message[] {
  const found = checkMessages(bytes, count, nulls);
  if (typeof found === "string") throw new PayloadError(found);
  const place = new Place(bytes, nulls);
  const messages: Message[] = [];
  for (let i = 0; i < count; i++) messages.push(place.message());
  return messages;
}

function writeBytes(writer: FrameWriter, bytes: Uint8Array | null, nulls: boolean): void {
  if (bytes !== null) writer.bytes(bytes);
  else writer.u32(nulls ? NULL_LENGTH : 0);
}

/** A place in checked messages that moves on with all that is read. */
class Place {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #nulls: boolean;
  #at = 0;

  constructor(bytes: Uint8Array, nulls: boolean) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#nulls = nulls;
  }

  message(): Message {
    const offset = getU64(this.#bytes, this.#at);
    const timestamp = this.#view.getBigInt64(this.#at + 8);
    this.#at += 16;
    const key = this.#content();
    const value = this.#content();
    return { offset, timestamp, key, value, headers: this.#headers() };
  }

  #content(): Uint8Array | null {
    const length = this.#u32();
    if (this.#nulls ? length === NULL_LENGTH : length === 0) return null;
    return this.#take(length);
  }

  #headers(): readonly Header[] {
    const count = this.#u32();
    if (count === 0) return NONE;
    const headers: Header[] = [];
    for (let i = 0; i < count; i++) {
      headers.push([decodeUtf8(this.#take(this.#u32())), this.#take(this.#u32())]);
    }
    return headers;
  }

  #u32(): number {
    const value = getU32(this.#bytes, this.#at);
    this.#at += 4;
    return value;
  }

  #take(length: number): Uint8Array {
    const start = this.#at;
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }
}

const NONE: readonly Header[] = Object.freeze([]);
