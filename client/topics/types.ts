/**
 * Producers and consumers as programs see them.
 *
 * @module
 */

import type { CallOptions } from "../net/deadline.ts";
import type { NewTopicMessage, TopicMessage, TopicPosition } from "./messages.ts";

/**
 * What a producer has done since it was made.
 *
 * @example
 * ```ts
 * import type { ProducerStatistics } from "@skein/agent/client";
 *
 * const perBatch = ({ messages, batches }: ProducerStatistics): number => messages / batches;
 * console.log(perBatch.name);
 * ```
 */
export interface ProducerStatistics {
  /** Messages that are where they were sent. */
  readonly messages: number;
  /** Messages that failed. */
  readonly failures: number;
  /** Batches that were sent, also again. */
  readonly batches: number;
  /** Batches that were sent again. */
  readonly retries: number;
  /** Bytes of the messages in them. */
  readonly bytes: number;
  /** Bytes of messages that are not settled. */
  readonly bufferedBytes: number;
}

/**
 * Sends messages in batches, those of each partition in the order in which they were sent.
 *
 * @example
 * ```ts
 * import { TopicClient, type TopicProducer } from "@skein/agent/client";
 *
 * async function copy(lines: AsyncIterable<string>, producer: TopicProducer): Promise<void> {
 *   for await (const value of lines) {
 *     await producer.ready();
 *     producer.send("lines", { value }).catch((error) => console.error(value, error.message));
 *   }
 *   await producer.flush();
 * }
 * console.log(copy.name, TopicClient.name);
 * ```
 */
export interface TopicProducer extends AsyncDisposable {
  /** What it has done so far. */
  readonly statistics: ProducerStatistics;
  /**
   * Sends a message. Resolves with where it is once a majority of the servers has it on disk. What it consists of is taken at
   * once, and may change then. A `signal` gives up waiting, not the message.
   *
   * Rejects with a `TopicError` when the servers refuse it, or it is too large; with a `TimeoutError` or a `ConnectionClosedError`
   * when it was not sent in time, or before the client was closed; with an `OutcomeUnknownError` when its answer was lost: then it is
   * there once or not at all. With a `QueueFullError` when too many wait for room.
   */
  send(
    topic: string,
    message: NewTopicMessage,
    options?: { readonly signal?: AbortSignal },
  ): Promise<TopicPosition>;
  /**
   * Resolves when there is room for more messages. Who does not wait for what `send` resolves with waits for this.
   *
   * @throws {TimeoutError} when none came about within `timeoutMs`
   */
  ready(options?: CallOptions): Promise<void>;
  /**
   * Sends what was sent before without waiting for more. Resolves when it is settled, whatever became of it.
   *
   * @throws {TimeoutError} when it is still under way after `timeoutMs`
   */
  flush(options?: CallOptions): Promise<void>;
  /** Takes no more messages. Resolves when all are settled. Safe to call again. */
  close(): Promise<void>;
}

/**
 * What a consumer has done since it was made.
 *
 * @example
 * ```ts
 * import type { ConsumerStatistics } from "@skein/agent/client";
 *
 * const isBehind = ({ lag }: ConsumerStatistics): boolean => lag > 1_000;
 * console.log(isBehind.name);
 * ```
 */
export interface ConsumerStatistics {
  /** Messages that were delivered. */
  readonly messages: number;
  /** Fetches that were answered. */
  readonly fetches: number;
  /** Bytes of the messages in them. */
  readonly bytes: number;
  /** Messages that were there when it was last looked, and not delivered yet. */
  readonly lag: number;
  /** Why offsets could not be committed by themselves the last time; `undefined` when they were. */
  readonly commitError: Error | undefined;
}

/**
 * Where reading begins: an offset, the first message that is kept, or what is sent from now on.
 *
 * @example
 * ```ts
 * import type { TopicStart } from "@skein/agent/client";
 *
 * const start: TopicStart = "earliest";
 * console.log(start);
 * ```
 */
export type TopicStart = number | "earliest" | "latest";

/**
 * Reads messages of a topic, those of each partition in their order and each once. They are fetched ahead of what is read.
 *
 * When the messages of a partition cannot be fetched, reading throws why, and goes on where it was when it is tried again.
 *
 * @example
 * ```ts
 * import type { TopicConsumer } from "@skein/agent/client";
 *
 * async function work(consumer: TopicConsumer): Promise<void> {
 *   for await (const { key, value } of consumer) console.log(key?.text(), value?.json());
 * }
 * console.log(work.name);
 * ```
 */
export interface TopicConsumer extends AsyncIterable<TopicMessage>, AsyncDisposable {
  /** What it has done so far. */
  readonly statistics: ConsumerStatistics;
  /** The next message, of any partition; `undefined` when none comes within `timeoutMs`, by default the client's. */
  fetchOne(options?: CallOptions): Promise<TopicMessage | undefined>;
  /** The messages that are there, at least one unless none comes within `timeoutMs`. */
  fetch(options?: CallOptions): Promise<TopicMessage[]>;
  /** Goes on with `where` in one partition. */
  seek(partition: number, where: TopicStart, options?: CallOptions): Promise<void>;
  /** Goes on with the first messages that are kept, of one partition or all. */
  seekToBeginning(partition?: number, options?: CallOptions): Promise<void>;
  /** Goes on with what is sent from now on, to one partition or all. */
  seekToEnd(partition?: number, options?: CallOptions): Promise<void>;
  /** The offset after that of the last message of a partition that was delivered. */
  position(partition: number, options?: CallOptions): Promise<number>;
  /** The offset after that of the last message of a partition that is there now. */
  endOffset(partition: number, options?: CallOptions): Promise<number>;
  /**
   * Commits for the group that all delivered messages are done with.
   *
   * @throws {TypeError} when the consumer has no group
   */
  commit(options?: CallOptions): Promise<void>;
  /**
   * Ends reading. With a group it first commits, unless that is left to the program, what was read before the last message, or with
   * {@linkcode TopicConsumer.commit}. Resolves when nothing is left. Safe to call again.
   */
  close(): Promise<void>;
}
