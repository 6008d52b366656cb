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
import { concatBytes, NO_BYTES } from "../../protocol/bytes.ts";
import { cutMessages, emptyNulls, type EncodedMessages } from "../../protocol/topics/mod.ts";
import { DamagedSegmentError } from "../replica/segments/errors.ts";
import type { MessageReader } from "./services.ts";

/** What is wanted. */
export interface Wanted {
  /** Most bytes of messages, but for one message. */
  readonly room: number;
  /** Whether the client knows what null is. */
  readonly knowsNulls: boolean;
}

/** No message. */
export const NO_MESSAGES: EncodedMessages = { count: 0, bytes: NO_BYTES };

/** The messages from the offset of a place on, up to what is damaged. Rejects as the reader does when there are none before that. */
export async function readMessages(
  messages: Pick<MessageReader, "read" | "find">,
  { topic, offset, spans }: Location,
  partition: number,
  wanted: Wanted,
): Promise<EncodedMessages> {
  const cutting = new Cutting(offset, wanted);
  const first = messages.find(topic, partition, offset);
  for (const { base, position, end } of spans) {
    const segment = { topic, partition, base };
    const start = first?.base === base ? Math.max(position, first.position) : position;
    for (let at = start; at < end && !cutting.isFull;) {
      const length = Math.min(end - at, cutting.room + STRETCH_BYTES);
      const bytes = await messages.read(segment, at, length).catch((error) => {
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

/** Takes batches one after the other, and keeps what is wanted of them. */
class Cutting {
  readonly #knowsNulls: boolean;
  readonly #parts: Uint8Array[] = [];
  /** The offset of the next message that is wanted. */
  #next: number;
  /** Bytes that are still wanted. */
  room: number;
  #count = 0;
  /** Whether nothing more is wanted. */
  isFull = false;

  constructor(offset: number, { room, knowsNulls }: Wanted) {
    this.#next = offset;
    this.room = room;
    this.#knowsNulls = knowsNulls;
  }

  get messages(): EncodedMessages {
    if (this.#count === 0) return NO_MESSAGES;
    return { count: this.#count, bytes: concatBytes(this.#parts) };
  }

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
        this.isFull = skip + span.count < count;
      }
      at += size;
    }
  }

  #add(messages: Uint8Array, hasNulls: boolean): void {
    let part = messages;
    if (hasNulls && !this.#knowsNulls) {
      // What was read may be somebody else's.
      part = messages.slice();
      emptyNulls(part, 0, part.length);
    }
    this.#parts.push(part);
    this.room = Math.max(0, this.room - part.length);
  }
}
