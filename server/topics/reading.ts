/**
 * Reads messages out of segments: whole ones, from an offset on, as many as have room.
 *
 * @module
 */

import {
  BATCH_HEAD_BYTES,
  HAS_NULLS,
  type Location,
  readBatchHead,
  STRETCH_BYTES,
} from "../../cluster/machine/topics/mod.ts";
import { NO_BYTES } from "../../protocol/bytes.ts";
import {
  cutMessages,
  emptyNulls,
  type EncodedMessages,
  FETCHED_AT,
} from "../../protocol/topics/mod.ts";
import { DamagedSegmentError } from "../replica/segments/errors.ts";
import type { Buffers } from "./buffers.ts";
import type { MessageReader } from "./services.ts";

/** What is wanted. */
export interface Wanted {
  /** Most bytes of messages, but for one message. */
  readonly room: number;
  /** Whether the client knows what null is. */
  readonly knowsNulls: boolean;
}

/** Messages that were read. */
export interface ReadMessages extends EncodedMessages {
  /** The buffer in which they stand from {@linkcode FETCHED_AT} on, with room for a checksum behind them; `undefined` without any. */
  readonly buffer: Uint8Array<ArrayBuffer> | undefined;
}

/** No message. */
export const NO_MESSAGES: ReadMessages = { count: 0, bytes: NO_BYTES, buffer: undefined };

/** Bytes of the checksum of a frame. */
const CHECKSUM_BYTES = 4;

/** The messages from the offset of a place on, up to what is damaged. Rejects as the reader does when there are none before that. */
export async function readMessages(
  messages: Pick<MessageReader, "read" | "find">,
  buffers: Buffers,
  { topic, offset, spans }: Location,
  partition: number,
  wanted: Wanted,
): Promise<ReadMessages> {
  const bytes = spans.reduce((sum, { position, end }) => sum + end - position, 0);
  const most = Math.min(bytes, wanted.room + STRETCH_BYTES);
  const buffer = buffers.take(FETCHED_AT + most + CHECKSUM_BYTES);
  const cutting = new Cutting(offset, wanted, buffer);
  const first = messages.find(topic, partition, offset);
  for (const { base, position, end } of spans) {
    const segment = { topic, partition, base };
    const start = first?.base === base ? Math.max(position, first.position) : position;
    for (let at = start; at < end && !cutting.isFull;) {
      const length = Math.min(end - at, cutting.room + STRETCH_BYTES);
      const bytes = await messages.read(segment, at, length, cutting.free).catch((error) => {
        // Who reads on meets it.
        if (error instanceof DamagedSegmentError && cutting.messages.count > 0) return undefined;
        throw error;
      });
      if (bytes === undefined) return cutting.messages;
      if (bytes.length === 0) throw new Error(`Expected a batch at ${at} of a segment, got none`);
      cutting.take(bytes);
      at += bytes.length;
    }
  }
  return cutting.messages;
}

/** The same messages in a buffer just as large as they need, for who keeps them; the one in which they stood is given back. */
export function compact(messages: ReadMessages, buffers: Buffers): ReadMessages {
  const { count, bytes, buffer: large } = messages;
  if (large === undefined) return messages;
  const end = FETCHED_AT + bytes.length;
  const buffer = new Uint8Array(end + CHECKSUM_BYTES);
  buffer.set(bytes, FETCHED_AT);
  buffers.give(large);
  return { count, bytes: buffer.subarray(FETCHED_AT, end), buffer };
}

/** Takes batches one after the other, and keeps what is wanted of them: together, at the front of a buffer. */
class Cutting {
  readonly #knowsNulls: boolean;
  #buffer: Uint8Array<ArrayBuffer>;
  #end = FETCHED_AT;
  /** The offset of the next message that is wanted. */
  #next: number;
  /** Bytes that are still wanted. */
  room: number;
  #count = 0;
  /** Whether nothing more is wanted. */
  isFull = false;

  constructor(offset: number, { room, knowsNulls }: Wanted, buffer: Uint8Array<ArrayBuffer>) {
    this.#next = offset;
    this.room = room;
    this.#knowsNulls = knowsNulls;
    this.#buffer = buffer;
  }

  get messages(): ReadMessages {
    if (this.#count === 0) return NO_MESSAGES;
    const buffer = this.#buffer;
    return { count: this.#count, bytes: buffer.subarray(FETCHED_AT, this.#end), buffer };
  }

  /**
   * Where the next batches go. While more is wanted, all bytes that are read next have room: the buffer began with room for all, and
   * messages take less of it than their batches did. A first message that is too long for that leaves nothing wanted.
   */
  get free(): Uint8Array {
    return this.#buffer.subarray(this.#end);
  }

  /** Takes batches, which may stand in {@linkcode Cutting.free}. */
  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.isFull;) {
      const head = readBatchHead(bytes, at);
      if (head === undefined) throw new Error("Expected whole batches of a segment");
      const { size, baseOffset, count, attributes } = head;
      const skip = this.#next - baseOffset;
      if (skip < count) {
        const batch = bytes.subarray(at, at + size);
        const atLeastOne = this.#count === 0;
        const span = cutMessages(batch, BATCH_HEAD_BYTES, { skip, room: this.room, atLeastOne });
        this.#add(batch.subarray(span.start, span.end), (attributes & HAS_NULLS) !== 0);
        this.#count += span.count;
        this.#next += span.count;
        this.isFull = skip + span.count < count || this.room === 0;
      }
      at += size;
    }
  }

  #add(messages: Uint8Array, hasNulls: boolean): void {
    const { length } = messages;
    const end = this.#end + length;
    if (end + CHECKSUM_BYTES > this.#buffer.length) {
      const larger = new Uint8Array(end + CHECKSUM_BYTES);
      larger.set(this.#buffer.subarray(0, this.#end));
      this.#buffer = larger;
    }
    // Those that stand in the buffer move to the front: nothing behind them is written over.
    this.#buffer.set(messages, this.#end);
    if (hasNulls && !this.#knowsNulls) emptyNulls(this.#buffer, this.#end, end);
    this.#end = end;
    this.room = Math.max(0, this.room - length);
  }
}
