/**
 * One partition of a consumer: what was fetched of it and not delivered, and the fetch ahead.
 *
 * @module
 */

import {
  CODE,
  type Fetched,
  type Message,
  type PartitionOffsets,
  PayloadError,
  readMessages,
  TopicError,
} from "../../mod.ts";
import { isTime, wireTime } from "../start.ts";
import type { TopicStart } from "../types.ts";

/** Messages of one fetch. */
interface Chunk {
  readonly messages: readonly Message[];
  next: number;
}

/** What a partition needs of its consumer. */
export interface PartitionWorld {
  /** Name of its topic. */
  readonly topic: string;
  /** Asks for messages from an offset on. */
  fetch(partition: number, offset: number): Promise<Fetched>;
  /** Asks where the partition begins and ends, and which message is the first of a time. */
  offsets(partition: number, time?: bigint): Promise<PartitionOffsets>;
  /** Waits until a server that is behind may be so no more. */
  rest(): Promise<void>;
  /** Looks whether the topic is still the same one; if it is not, this partition has been told to read elsewhere, or is read no more. */
  look(): Promise<void>;
  /** Where it goes on when the messages at its offset are gone. */
  readonly onOutOfRange: "earliest" | "latest" | "error";
  /** There is something to be read, or a failure. */
  arrived(): void;
}

/** Fetches that are kept: the one that is read, and the next one. */
export const MAX_CHUNKS = 2;

/** What a server says that has no messages at an offset, or that does not know of them yet. */
const MISSING: readonly number[] = [
  CODE.OFFSET_OUT_OF_RANGE,
  CODE.PARTITION_NOT_FOUND,
  CODE.TOPIC_NOT_FOUND,
];

/** One partition. */
export class PartitionReader {
  readonly partition: number;
  /** Whether its messages are delivered. */
  isOpen = true;
  /** Offset of the next message that will be delivered; `undefined` as long as that has to be asked for. */
  position: number | undefined;
  /** What of it is done with: all before this offset; `undefined` as long as it is not known where reading begins. */
  done: number | undefined;
  /** Offset after that of the last message that is there, as far as is known. */
  highWaterMark = 0;
  readonly #world: PartitionWorld;
  #start: TopicStart;
  #chunks: Chunk[] = [];
  /** Offset that is fetched next. */
  #next = 0;
  #filling: Promise<void> | undefined;
  /** Counts how often it was told to read elsewhere: what was fetched before is of no use. */
  #generation = 0;
  #failure: { readonly error: unknown } | undefined;

  /** Begins at `start` once there is something to be read. */
  constructor(partition: number, start: TopicStart, world: PartitionWorld) {
    this.partition = partition;
    this.#world = world;
    this.#start = start;
  }

  /** Whether the last message that it gave was also the last one of its fetch. */
  get isBetween(): boolean {
    const next = this.#chunks[0]?.next ?? 0;
    return next === 0;
  }

  /** The next message, if it is there; sees to it that more comes. Throws what kept it from coming. */
  take(): Message | undefined {
    const chunk = this.#chunks[0];
    const failure = this.#failure;
    if (chunk === undefined && failure !== undefined) {
      this.#failure = undefined;
      throw failure.error;
    }
    this.#fill();
    if (chunk === undefined) return undefined;
    const message = chunk.messages[chunk.next++] as Message;
    if (chunk.next === chunk.messages.length) this.#chunks.shift();
    this.position = message.offset + 1;
    return message;
  }

  /** Reads on at `where`. */
  seek(where: TopicStart): void {
    this.end();
    this.#start = where;
    this.position = this.done = undefined;
    if (typeof where === "number") this.#begin(where);
  }

  /** Reads on in a topic of the same name that has none of the messages of before. */
  restart(): void {
    const { onOutOfRange, topic } = this.#world;
    this.highWaterMark = 0;
    this.seek(onOutOfRange === "error" ? "earliest" : onOutOfRange);
    if (onOutOfRange !== "error") return;
    const text = `Topic '${topic}' was deleted and made anew`;
    this.#failure = { error: new TopicError(CODE.OFFSET_OUT_OF_RANGE, text) };
  }

  /** What was fetched is of no use, and neither is what is being fetched. */
  end(): void {
    this.#generation++;
    this.#chunks = [];
    this.#failure = undefined;
    this.#filling = undefined;
  }

  /** Resolves when nothing is being fetched. */
  async idle(): Promise<void> {
    await this.#filling;
  }

  /** The position; asks for it when that is not known yet. */
  async locate(): Promise<number> {
    while (this.position === undefined) {
      const generation = this.#generation;
      const start = await this.#resolved(this.#start);
      if (generation === this.#generation && this.position === undefined) this.#begin(start);
    }
    return this.position;
  }

  #begin(offset: number): void {
    this.position = this.done = this.#next = offset;
  }

  #fill(): void {
    if (this.#filling !== undefined || this.#failure || this.#chunks.length >= MAX_CHUNKS) return;
    const generation = this.#generation;
    const isStale = (): boolean => generation !== this.#generation;
    this.#filling = this.#fetch(isStale).catch((error) => {
      if (!isStale()) this.#failure = { error };
    }).finally(() => {
      if (isStale()) return;
      this.#filling = undefined;
      this.#world.arrived();
    });
  }

  async #fetch(isStale: () => boolean): Promise<void> {
    await this.locate();
    if (isStale()) return;
    let fetched: Fetched;
    try {
      fetched = await this.#world.fetch(this.partition, this.#next);
    } catch (error) {
      if (!(error instanceof TopicError) || !MISSING.includes(error.code)) throw error;
      return await this.#goOn(error, isStale);
    }
    if (isStale()) return;
    if (fetched.highWaterMark < this.highWaterMark) {
      // The server is behind, or this is another topic of the same name.
      await this.#world.look();
      if (isStale()) return;
    }
    this.highWaterMark = fetched.highWaterMark;
    const messages = messagesFrom(fetched, this.#next);
    const last = messages.at(-1);
    if (last === undefined) return;
    this.#next = last.offset + 1;
    this.#chunks.push({ messages, next: 0 });
  }

  /** Finds out where to go on when a server says that there is nothing at this offset. */
  async #goOn(error: unknown, isStale: () => boolean): Promise<void> {
    const { onOutOfRange } = this.#world;
    await this.#world.look();
    if (isStale()) return;
    const { start, highWaterMark } = await this.#world.offsets(this.partition);
    if (isStale()) return;
    this.highWaterMark = highWaterMark;
    // There is: the server that was asked is only behind.
    if (this.#next >= start && this.#next <= highWaterMark) return await this.#world.rest();
    if (onOutOfRange === "error") throw error;
    this.#next = onOutOfRange === "earliest" ? start : highWaterMark;
    if (this.#chunks.length === 0) this.position = this.#next;
  }

  async #resolved(start: TopicStart): Promise<number> {
    if (typeof start === "number") return start;
    const time = isTime(start) ? wireTime(start.time) : undefined;
    const offsets = await this.#world.offsets(this.partition, time);
    this.highWaterMark = offsets.highWaterMark;
    if (offsets.atTime >= 0) return offsets.atTime;
    return start === "earliest" ? offsets.start : offsets.highWaterMark;
  }
}

/** The messages that were fetched; throws a `TopicError` when they are none, or do not follow each other from `offset` on. */
function messagesFrom({ messages: encoded }: Fetched, offset: number): Message[] {
  try {
    const messages = readMessages(encoded, true);
    let next = offset;
    for (const { offset } of messages) {
      if (offset < next) throw new PayloadError(`Expected offset ${next} or more, got ${offset}`);
      next = offset + 1;
    }
    return messages;
  } catch (cause) {
    if (!(cause instanceof PayloadError)) throw cause;
    const text = `Server gave no such messages: ${cause.message}`;
    throw new TopicError(CODE.CORRUPT_MESSAGE, text, { cause });
  }
}
