/**
 * Topics in a run: what is appended at any server is the same at all of them, what was acknowledged is there once and at its offset,
 * what was refused is not, and what is read from a disk is what was appended.
 *
 * @module
 */

import type { Result } from "../../../../cluster/machine/mod.ts";
import {
  createTopicCommand,
  decodeProduced,
  deleteTopicCommand,
  type MessageChange,
  NEXT_OFFSET,
  produceCommand,
  type SegmentId,
  type SegmentRow,
  trimCommand,
} from "../../../../cluster/machine/topics/mod.ts";
import { BATCH_HEAD_BYTES, readBatchHead } from "../../../../cluster/machine/topics/batch.ts";
import { concatBytes, equalBytes } from "../../../../protocol/bytes.ts";
import {
  DamagedSegmentError,
  SegmentGoneError,
} from "../../../../server/replica/segments/errors.ts";
import type { SegmentFiles } from "../../../../server/replica/segments/segment_files.ts";
import type { SeededRandom } from "../../simulation/random.ts";
import { decodeMessages, encodeMessages, messageOf } from "../../topics/messages.ts";
import type { Checker } from "./checker.ts";
import type { Proposal } from "./sessions.ts";

const PARTITIONS = 2;

/** Kept for ever, as long as they are few, and for a while. */
const KINDS = [
  { name: "all", options: { retentionMs: 0 } },
  { name: "few", options: { retentionMs: 0, retentionBytes: 6_000 } },
  { name: "new", options: { retentionMs: 4_000, segmentMs: 1_000 } },
] as const;

/** Small, so that there are many. */
const SEGMENT_BYTES = 4_096;

/** Longest value of a message, in bytes. */
const MAX_VALUE = 400;

/** What a segment has, as it was first appended. */
interface Known {
  readonly parts: { readonly at: number; readonly bytes: Uint8Array }[];
  bytes: number;
}

/** Where a message is. */
interface Place {
  readonly partition: string;
  readonly offset: number;
}

/** What is kept of messages at one server. */
export interface KeptMessages {
  readonly id: string;
  readonly files: SegmentFiles;
  readonly rows: () => Iterable<SegmentRow>;
  /** Whether this is still the process that it was. */
  readonly isAlive: () => boolean;
}

/** All topics of a run. */
export class SimulatedTopics {
  /** Messages that were acknowledged. */
  produced = 0;
  /** Times that batches were read. */
  read = 0;
  readonly #checker: Checker;
  readonly #segments = new Map<string, Known>();
  /** The next offset of each partition. */
  readonly #next = new Map<string, number>();
  /** Where each message is, by its number. */
  readonly #places = new Map<number, Place>();
  readonly #refused = new Set<number>();
  /** Segments that some server needs no more. */
  readonly #dropped = new Set<string>();
  /** Servers on whose disks something was changed. */
  readonly flipped = new Set<string>();
  #last = 0;

  /** There is none yet. */
  constructor(checker: Checker) {
    this.#checker = checker;
  }

  /** What a client does next. */
  next(random: SeededRandom): Proposal {
    const kind = KINDS[Math.floor(random.float() * KINDS.length)] as typeof KINDS[number];
    const topic = new TextEncoder().encode(kind.name);
    const partition = Math.floor(random.float() * PARTITIONS);
    const choice = random.float();
    const ignore = (): void => {};
    if (choice < 0.1) {
      const options = { ...kind.options, segmentBytes: SEGMENT_BYTES };
      return {
        command: createTopicCommand({ topic, partitions: PARTITIONS, options }),
        done: ignore,
      };
    }
    if (choice < 0.11) return { command: deleteTopicCommand(topic), done: ignore };
    if (choice < 0.13) {
      const offset = random.float() < 0.3
        ? NEXT_OFFSET
        : Math.floor(random.float() * this.#last / 6);
      return { command: trimCommand({ topic, partition, offset }), done: ignore };
    }
    return this.#produce(topic, partition, random);
  }

  /** A server has applied entries. */
  took(server: string, changes: readonly MessageChange[]): void {
    for (const change of changes) {
      if (change.kind === "drop") this.#dropped.add(nameOf(change.segment));
      else this.#append(server, change.segment, change.position, change.bytes);
    }
  }

  /** Those of these segments that every server has to have. */
  needed(segments: readonly SegmentId[]): SegmentId[] {
    return segments.filter((segment) => !this.#dropped.has(nameOf(segment)));
  }

  /** A server lacks something. It may when that is about to be dropped, or was damaged. */
  lacks(server: string, segments: readonly SegmentId[]): void {
    if (this.flipped.has(server)) return;
    for (const segment of this.needed(segments)) {
      this.#checker.note(`${server} lacks something of segment ${nameOf(segment)}`);
    }
  }

  /** Reads some batches of a server, and looks whether they are what was appended. */
  look(kept: KeptMessages, random: SeededRandom): void {
    const rows = [...kept.rows()];
    const row = rows[Math.floor(random.float() * rows.length)];
    if (row === undefined) return;
    const known = this.#segments.get(nameOf(row.segment));
    const { at = 0 } = known?.parts[Math.floor(random.float() * known.parts.length)] ?? {};
    if (at >= row.bytes) return;
    kept.files.read(row.segment, at, Math.floor(random.float() * 2_000)).then((bytes) => {
      this.read++;
      if (bytes.length > 0 && this.#isRight(row.segment, at, bytes)) return;
      this.#checker.note(`${kept.id} serves wrong bytes of ${nameOf(row.segment)} at ${at}`);
    }, (error) => {
      if (!kept.isAlive() || error instanceof SegmentGoneError) return;
      if (!(error instanceof DamagedSegmentError)) this.#checker.note(`${kept.id}: ${error.stack}`);
      else this.lacks(kept.id, [row.segment]);
    });
  }

  /** Reads all that a server has, and looks whether it is what was appended. Resolves with whether it is all there. */
  async checkAll({ id, files, rows }: KeptMessages): Promise<boolean> {
    for (const { segment, bytes } of [...rows()]) {
      for (let at = 0; at < bytes;) {
        const batches = await files.read(segment, at, 10_000).catch((error) => {
          if (error instanceof DamagedSegmentError || error instanceof SegmentGoneError) return;
          throw error;
        });
        if (batches === undefined || batches.length === 0) return false;
        if (!this.#isRight(segment, at, batches)) {
          this.#checker.note(`${id} has wrong bytes of ${nameOf(segment)} at ${at}`);
        }
        at += batches.length;
      }
    }
    return (await files.check(() => false)).length === 0;
  }

  #produce(topic: Uint8Array, partition: number, random: SeededRandom): Proposal {
    const numbers = Array.from({ length: 1 + Math.floor(random.float() * 4) }, () => ++this.#last);
    const messages = encodeMessages(numbers.map((number) => {
      return messageOf(`${number}`.padEnd(Math.floor(random.float() * MAX_VALUE), "."));
    }));
    const command = produceCommand({
      topic,
      partition,
      count: numbers.length,
      messages,
    });
    const done = (result: Result): void => {
      if (!result.ok) return this.#refuse(numbers);
      const { baseOffset } = decodeProduced(result.body);
      for (const [i, number] of numbers.entries()) {
        const place = this.#places.get(number);
        if (place?.offset === baseOffset + i) continue;
        this.#checker.note(`Message ${number} at ${baseOffset + i} is at ${place?.offset}`);
      }
      this.produced += numbers.length;
    };
    return { command, done };
  }

  #refuse(numbers: readonly number[]): void {
    for (const number of numbers) {
      this.#refused.add(number);
      if (this.#places.has(number)) {
        this.#checker.note(`Message ${number} was refused, and is there`);
      }
    }
  }

  #append(server: string, segment: SegmentId, position: number, bytes: Uint8Array): void {
    const name = nameOf(segment);
    const known = this.#segments.get(name) ?? { parts: [], bytes: 0 };
    this.#segments.set(name, known);
    if (position < known.bytes) {
      if (this.#isRight(segment, position, bytes)) return;
      return this.#checker.note(`${server} has other bytes of ${name} at ${position}`);
    }
    if (position > known.bytes) this.#checker.note(`${server} appends to ${name} at ${position}`);
    known.parts.push({ at: position, bytes: bytes.slice() });
    known.bytes = position + bytes.length;
    this.#place(segment, bytes);
  }

  #place({ topic, partition: number }: SegmentId, bytes: Uint8Array): void {
    const partition = `${topic}/${number}`;
    const { baseOffset = -1, count } = readBatchHead(bytes) ?? {};
    const next = this.#next.get(partition) ?? 0;
    if (baseOffset !== next) {
      this.#checker.note(`${partition} goes on at ${baseOffset}, not at ${next}`);
    }
    const messages = decodeMessages(bytes.subarray(BATCH_HEAD_BYTES));
    if (messages.length !== count) this.#checker.note(`${partition} has a batch of ${count}`);
    for (const [i, { value, offset }] of messages.entries()) {
      const message = parseInt(new TextDecoder().decode(value as Uint8Array));
      if (Number(offset) !== next + i) this.#checker.note(`Message ${message} says ${offset}`);
      if (this.#places.has(message)) this.#checker.note(`Message ${message} is there twice`);
      if (this.#refused.has(message)) this.#checker.note(`Message ${message} was refused`);
      this.#places.set(message, { partition, offset: next + i });
    }
    this.#next.set(partition, next + messages.length);
  }

  #isRight(segment: SegmentId, position: number, bytes: Uint8Array): boolean {
    const { parts } = this.#segments.get(nameOf(segment)) ?? { parts: [] };
    const first = parts.findIndex(({ at }) => at === position);
    let length = 0;
    let last = first;
    for (; last >= 0 && last < parts.length && length < bytes.length; last++) {
      length += (parts[last] as Known["parts"][number]).bytes.length;
    }
    const wanted = parts.slice(first, last).map((part) => part.bytes);
    return first >= 0 && equalBytes(concatBytes(wanted), bytes);
  }
}

function nameOf({ topic, partition, base }: SegmentId): string {
  return `${topic}/${partition}/${base}`;
}
