/**
 * Messages that are to be appended to one partition, and what has come of it, as bytes.
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import { DecodeError, type Reader, type Writer } from "../../../../protocol/msgpack/mod.ts";
import type { StoreReader } from "../../store/store.ts";
import { readBytes, readUint } from "../../strict.ts";
import { type Duplicate, DUPLICATE_BYTES, getDuplicates, putDuplicates } from "../rows/ids.ts";

/** What a producer says of a batch. */
export interface Sequence {
  /** The id that it was given. */
  readonly producer: number;
  /** Of several that go by one id, the one with the greatest epoch counts; up to 65,535. */
  readonly epoch: number;
  /** The number of the first message, from 0 to 2^31-1: one more than that of the last message before. */
  readonly sequence: number;
}

/** Messages to be appended. */
export interface Produce {
  /** Name of the topic. */
  readonly topic: Uint8Array;
  readonly partition: number;
  /** Makes the topic if there is none, with one partition. */
  readonly autoCreate?: boolean;
  /** Default: a batch that comes twice is appended twice. */
  readonly sequence?: Sequence | undefined;
  /** How many messages there are. */
  readonly count: number;
  /** The messages, one after the other. */
  readonly messages: Uint8Array;
}

/** What has come of it. */
export interface Produced {
  /** The offset of the first message that was appended. */
  readonly baseOffset: number;
  /** How many were. */
  readonly count: number;
  /** The offset that the next message of the partition gets. */
  readonly next: number;
  /** Those that were not, since there were others with their ids. */
  readonly duplicates: readonly Duplicate[];
}

const AUTO_CREATE = 1;
const SEQUENCE = 2;
const MAX_EPOCH = 0xffff;
const MAX_SEQUENCE = 0x7fff_ffff;
const MAX_U32 = 0xffff_ffff;
/** What has come of a batch, without its duplicates. */
const PRODUCED_BYTES = 24;

/** Writes messages to be appended. */
export function writePart(
  writer: Writer,
  { topic, partition, autoCreate, sequence, count, messages }: Produce,
): void {
  writer.bytes(topic);
  writer.uint(partition);
  writer.uint((autoCreate ? AUTO_CREATE : 0) | (sequence === undefined ? 0 : SEQUENCE));
  if (sequence !== undefined) {
    writer.uint(sequence.producer);
    writer.uint(sequence.epoch);
    writer.uint(sequence.sequence);
  }
  writer.uint(count);
  writer.bytes(messages);
}

/** Reads what {@linkcode writePart} writes. */
export function readPart(reader: Reader): Required<Produce> {
  const topic = readBytes(reader);
  const partition = readUint(reader, 0, MAX_U32);
  const flags = readUint(reader, 0, AUTO_CREATE | SEQUENCE);
  return {
    topic,
    partition,
    autoCreate: (flags & AUTO_CREATE) !== 0,
    sequence: (flags & SEQUENCE) === 0 ? undefined : readSequence(reader),
    count: readUint(reader, 0, MAX_U32),
    messages: readBytes(reader),
  };
}

/** What has come of batches, one after the other. */
export function encodeProduced(
  room: Pick<StoreReader, "allocate">,
  all: readonly Produced[],
): Uint8Array {
  let size = 0;
  for (const { duplicates } of all) size += PRODUCED_BYTES + DUPLICATE_BYTES * duplicates.length;
  const body = room.allocate(size);
  let at = 0;
  for (const { baseOffset, count, next, duplicates } of all) {
    putU64(body, at, baseOffset);
    putU32(body, at + 8, count);
    putU64(body, at + 12, next);
    putU32(body, at + 20, duplicates.length);
    at = putDuplicates(body, at + PRODUCED_BYTES, duplicates);
  }
  return body;
}

/**
 * What {@linkcode encodeProduced} writes.
 *
 * @throws {DecodeError} when the bytes are something else
 */
export function decodeAllProduced(body: Uint8Array): Produced[] {
  const all: Produced[] = [];
  for (let at = 0; at < body.length;) {
    const from = at + PRODUCED_BYTES;
    const end = from > body.length ? Infinity : from + DUPLICATE_BYTES * getU32(body, at + 20);
    if (end > body.length) throw new DecodeError(`Answer ends in the middle, at byte ${at}`);
    const [baseOffset, count, next] = [
      getU64(body, at),
      getU32(body, at + 8),
      getU64(body, at + 12),
    ];
    all.push({ baseOffset, count, next, duplicates: getDuplicates(body, from, end) });
    at = end;
  }
  return all;
}

function readSequence(reader: Reader): Sequence {
  return {
    producer: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
    epoch: readUint(reader, 0, MAX_EPOCH),
    sequence: readUint(reader, 0, MAX_SEQUENCE),
  };
}
