/**
 * Producers and consumers as programs see them.
 *
 * @module
 */

import type { CallOptions } from "../../call_options.ts";
import type { NewTopicMessage, TopicMessage, TopicPosition } from "./messages.ts";

/**
 * What a producer has done since it was made.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type ProducerStatistics, TopicClient } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * await using producer = client.producer();
 * await Promise.all(["a", "b", "c"].map((value) => producer.send("letters", { value })));
 * const { messages, batches }: ProducerStatistics = producer.statistics;
 * console.log(messages, batches); // 3 1
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
  /** Bytes of the messages in them ... */
  readonly bytes: number;
  /** ... and what they took on their way: less when they were compressed. */
  readonly wireBytes: number;
  /** Bytes of messages that are not settled. */
  readonly bufferedBytes: number;
}

/**
 * Sends messages in batches, those of each partition in the order in which they were sent.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicProducer } from "@skein/agent/client";
 *
 * async function copy(lines: Iterable<string>, producer: TopicProducer): Promise<void> {
 *   for (const value of lines) {
 *     // Who does not wait for each message waits until there is room for more.
 *     await producer.ready();
 *     producer.send("lines", { value }).catch((error) => console.error(value, error.message));
 *   }
 *   await producer.flush();
 * }
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * await using producer = client.producer({ idempotent: true });
 * await copy(["one", "two"], producer);
 * console.log(producer.statistics.messages); // 2
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
   * Appends messages and commits how far a consumer has come, all of it or nothing. One follows the other. Resolves with where each
   * message is. Messages that were sent otherwise are no part of it. What it consists of is taken at once, and may change then. Its
   * time begins with its turn.
   *
   * It is tried again until its time is over, and is done once, whatever is lost. When it rejects nothing was done, unless it is with
   * an `OutcomeUnknownError`, or with the reason of its signal: then it may be done. In any case the consumer is to be closed, and
   * another one goes on from what is committed: with `TRANSACTION_ABORTED` somebody else has committed for the group since the
   * messages were read.
   */
  transact(transaction: TopicTransaction, options?: CallOptions): Promise<TopicPosition[]>;
  /**
   * Resolves when there is room for more messages. Who does not wait for what `send` resolves with waits for this.
   *
   * @throws {TimeoutError} when none came about within `timeoutMs`
   */
  ready(options?: CallOptions): Promise<void>;
  /**
   * Sends what was sent before without waiting for more. Resolves when it is settled, whatever became of it, and so are the
   * transactions before.
   *
   * @throws {TimeoutError} when it is still under way after `timeoutMs`
   */
  flush(options?: CallOptions): Promise<void>;
  /** Takes no more messages. Resolves when all are settled, those of transactions too. Safe to call again. */
  close(): Promise<void>;
}

/**
 * Messages, and how far a consumer has come that has read what they were made from.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicTransaction } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * await using producer = client.producer();
 * const transaction: TopicTransaction = {
 *   messages: [{ topic: "orders", value: "pears" }, { topic: "log", value: "one order" }],
 * };
 * const positions = await producer.transact(transaction);
 * console.log(positions.length); // 2
 * ```
 */
export interface TopicTransaction {
  /** Messages, each with its topic; those of one partition in the order in which they are. Default: none. */
  readonly messages?: readonly TransactedMessage[];
  /** What is committed with them. Default: nothing. */
  readonly offsets?: TopicProgress;
}

/**
 * A message of a transaction.
 *
 * @example
 * ```ts
 * import type { TransactedMessage } from "@skein/agent/client";
 *
 * const message: TransactedMessage = { topic: "orders", key: "7", value: "pears" };
 * console.log(message.topic); // orders
 * ```
 */
export interface TransactedMessage extends NewTopicMessage {
  /** Its topic. */
  readonly topic: string;
}

/**
 * How far a group is to go on, as {@linkcode TopicConsumer.progress} tells it.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicProgress } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * await using producer = client.producer();
 * await producer.send("orders", { value: "pears" });
 * await using consumer = client.consumer("orders", { group: "billing", autoCommitMs: 0 });
 * const order = await consumer.fetchOne();
 * const offsets: TopicProgress = consumer.progress();
 * const bill = { topic: "bills", value: `bill for ${order?.value?.text()}` };
 * await producer.transact({ messages: [bill], offsets });
 * ```
 */
export interface TopicProgress {
  /** The group. */
  readonly group: string;
  /** Who says so, of a group with members. */
  readonly member?: string;
  /** That of the member. */
  readonly generation?: number;
  /** Its offsets, each of the first message that is still to be dealt with. */
  readonly offsets: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly offset: number;
    /** The one that the group has until then; `null`: none. Default: whatever it is. */
    readonly from?: number | null;
  }[];
  /** Called once they are committed. */
  readonly committed?: () => void;
  /**
   * Has them committed by who is the member then, which gets and gives up nothing meanwhile. Default: they are committed by `member`
   * and `generation`.
   */
  readonly inTurn?: <T>(
    commit: (self: { readonly member: string; readonly generation: number }) => Promise<T>,
  ) => Promise<T>;
}

/**
 * What a consumer has done since it was made.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type ConsumerStatistics, TopicClient } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * await using producer = client.producer();
 * await Promise.all(["a", "b"].map((value) => producer.send("letters", { value })));
 * await using consumer = client.consumer("letters");
 * await consumer.fetchOne();
 * const { messages, lag }: ConsumerStatistics = consumer.statistics;
 * console.log(messages, lag); // 1 1
 * ```
 */
export interface ConsumerStatistics {
  /** Messages that were delivered. */
  readonly messages: number;
  /** Fetches that were answered. */
  readonly fetches: number;
  /** Bytes of the messages in them ... */
  readonly bytes: number;
  /** ... and what they took on their way: less when they were compressed. */
  readonly wireBytes: number;
  /** Messages that were there when it was last looked, and not delivered yet. */
  readonly lag: number;
  /** Why offsets could not be committed by themselves the last time; `undefined` when they were. */
  readonly commitError: Error | undefined;
}

/**
 * Where reading begins: an offset, the first message that is kept, what is sent from now on, or the first message whose timestamp is
 * at or after a time, a `Date` or milliseconds since 1970. When there is none of that time yet, it is what is sent from now on.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicStart } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * const start: TopicStart = "latest";
 * await client.createTopic("news");
 * await using consumer = client.consumer("news", { start });
 * console.log(await consumer.position(0)); // 0
 * ```
 */
export type TopicStart = number | "earliest" | "latest" | { readonly time: Date | number };

/**
 * How messages are compressed on their way between a client and a server, as `gzip` does (RFC 1952), or with less around it
 * (RFC 1950).
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicCompression } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * const compression: TopicCompression = "deflate";
 * await using producer = client.producer({ compression });
 * const lines = Array.from({ length: 100 }, (_, i) => JSON.stringify({ line: i, text: "much the same" }));
 * await Promise.all(lines.map((value) => producer.send("lines", { value })));
 * const { bytes, wireBytes } = producer.statistics;
 * console.log(wireBytes < bytes / 3); // true
 * ```
 */
export type TopicCompression = "gzip" | "deflate";

/**
 * Reads messages of a topic, those of each partition in their order and each once. They are fetched ahead of what is read.
 *
 * When the messages of a partition cannot be fetched, reading throws why, and goes on where it was when it is tried again.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicConsumer } from "@skein/agent/client";
 *
 * async function work(consumer: TopicConsumer): Promise<void> {
 *   for await (const { key, value } of consumer) {
 *     console.log(key?.text(), value?.json());
 *     if (key?.text() === "last") break;
 *   }
 * }
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * await using producer = client.producer();
 * producer.send("jobs", { key: "first", value: "1" });
 * await producer.send("jobs", { key: "last", value: "[2]" });
 * await using consumer = client.consumer("jobs");
 * await work(consumer);
 * ```
 */
export interface TopicConsumer extends AsyncIterable<TopicMessage>, AsyncDisposable {
  /** What it has done so far. */
  readonly statistics: ConsumerStatistics;
  /** The partitions that it reads now, by number: none before the first call has begun that, and as a member of a group it may be none later. */
  readonly assignment: readonly number[];
  /** The next message, of any partition; `undefined` when none comes within `timeoutMs`, by default the client's, whatever keeps it. */
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
   * @throws {TopicError} `UNKNOWN_MEMBER`, `INVALID_GENERATION` or `REBALANCE_IN_PROGRESS` when it is a member, and others have what it
   * has read
   */
  commit(options?: CallOptions): Promise<void>;
  /**
   * How far it has come: what {@linkcode TopicProducer.transact} commits for its group, with what has come of the messages.
   *
   * @throws {TypeError} when the consumer has no group, or commits by itself
   * @throws {TopicError} `REBALANCE_IN_PROGRESS` when it is a member and has lost a partition before what that has delivered was
   * committed: what has come of it may be there twice, so begin with another consumer
   */
  progress(): TopicProgress;
  /**
   * Ends reading. With a group it first commits, unless that is left to the program, what was read before the last message, or with
   * {@linkcode TopicConsumer.commit}; then a member leaves its group, and others have its partitions at once. Servers that do not
   * answer are waited for 5 s, in an agent 2 s, and what others have taken over is not committed. Resolves when nothing is left. Safe to call again.
   */
  close(): Promise<void>;
}
