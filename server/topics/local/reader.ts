/**
 * One partition that the program around an agent reads.
 *
 * @module
 */

import {
  CODE,
  type Message,
  OFFSET,
  readMessages,
  TopicError,
} from "../../../protocol/topics/mod.ts";
import { isTime, wireTime } from "../../../protocol/topics/program/start.ts";
import type { TopicStart } from "../../../protocol/topics/program/types.ts";
import type { LocalRequests } from "./requests.ts";

/** Where a partition is, and how it is read. */
export interface ReaderOptions {
  readonly topic: string;
  readonly topicId: number;
  readonly partition: number;
  readonly start: TopicStart;
  readonly onOutOfRange: "earliest" | "latest" | "error";
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

/** A server that is behind the leader is waited for so long at a time, in milliseconds. */
const BEHIND_MS = 50;

/** What a server says that is behind, or of what is not there. */
const MISSING: readonly number[] = [
  CODE.OFFSET_OUT_OF_RANGE,
  CODE.TOPIC_NOT_FOUND,
  CODE.PARTITION_NOT_FOUND,
];

/** One partition. */
export class PartitionReader {
  readonly partition: number;
  /** Offset of the next message that is delivered; `undefined` as long as that is not looked up. */
  position: number | undefined;
  /** What of it is done with: all before this offset; `undefined` as long as it is not known where reading begins. */
  done: number | undefined;
  /** Offset after that of the last message that is here. */
  highWaterMark = 0;
  readonly #requests: LocalRequests;
  readonly #options: ReaderOptions;
  #start: TopicStart;
  #messages: readonly Message[] = [];
  #next = 0;
  /** Counts what makes a read that is under way useless: another one, and being told to read elsewhere. */
  #generation = 0;

  /** Has read nothing yet. */
  constructor(requests: LocalRequests, options: ReaderOptions) {
    this.partition = options.partition;
    this.#requests = requests;
    this.#options = options;
    this.#start = options.start;
  }

  /** Whether there are messages to be taken. */
  get hasMessages(): boolean {
    return this.#next < this.#messages.length;
  }

  /** The next message that was read; `undefined` when there is none. */
  take(): Message | undefined {
    const message = this.#messages[this.#next];
    if (message === undefined) return undefined;
    this.#next++;
    this.position = message.offset + 1;
    return message;
  }

  /** Reads on at `where`. */
  seek(where: TopicStart): void {
    this.#generation++;
    this.#messages = [];
    this.#next = 0;
    this.#start = where;
    this.position = this.done = undefined;
  }

  /** Reads what is here from the position on. */
  async fill(signal: AbortSignal): Promise<void> {
    if (this.hasMessages) return;
    // Of several at once the last one counts.
    const generation = ++this.#generation;
    const { topic, maxBytes, timeoutMs } = this.#options;
    const { partition } = this;
    const offset = this.position ?? await this.#offsetOf(this.#start);
    if (generation !== this.#generation) return;
    const request = { topic, partition, offset, maxBytes, minBytes: 1, maxWaitMs: 0, codec: 0 };
    try {
      const fetched = await this.#requests.ask("fetch", request, { timeoutMs, fromHere: true });
      if (generation !== this.#generation) return;
      const messages = readMessages(fetched.messages, true);
      this.highWaterMark = fetched.highWaterMark;
      if (this.position === undefined) {
        this.#begin(messages[0]?.offset ?? (offset < 0 ? fetched.highWaterMark : offset));
      }
      this.#messages = messages;
      this.#next = 0;
    } catch (error) {
      if (!(error instanceof TopicError) || !MISSING.includes(error.code)) throw error;
      await this.#goOn(offset, error, generation, signal);
    }
  }

  /** Resolves when there may be more to be read. */
  wait(signal: AbortSignal): Promise<void> {
    const { topicId, partition } = this.#options;
    return this.#requests.messages.waitFor(topicId, partition, this.position ?? 0, signal);
  }

  /** The leader knows whether the offset is none, or this server is behind. */
  async #goOn(
    offset: number,
    error: TopicError,
    generation: number,
    signal: AbortSignal,
  ): Promise<void> {
    const { topic, topicId, onOutOfRange, timeoutMs } = this.#options;
    const { partition } = this;
    const asked = this.#requests.ask("getOffset", { topic, partition }, { timeoutMs });
    const { start, highWaterMark } = await asked;
    if (offset < 0 || (offset >= start && offset <= highWaterMark)) {
      const end = AbortSignal.any([signal, AbortSignal.timeout(BEHIND_MS)]);
      return await this.#requests.messages.waitFor(topicId, partition, offset, end);
    }
    if (onOutOfRange === "error") throw error;
    if (generation !== this.#generation) return;
    this.#begin(onOutOfRange === "earliest" ? start : highWaterMark);
  }

  /** What a fetch says of a start. */
  async #offsetOf(start: TopicStart): Promise<number> {
    if (typeof start === "number") return start;
    if (!isTime(start)) return OFFSET[start];
    const { topic, timeoutMs } = this.#options;
    const request = { topic, partition: this.partition, time: wireTime(start.time) };
    const { atTime, highWaterMark } = await this.#requests.ask("getOffset", request, { timeoutMs });
    return atTime >= 0 ? atTime : highWaterMark;
  }

  #begin(offset: number): void {
    this.position = this.done = offset;
  }
}
