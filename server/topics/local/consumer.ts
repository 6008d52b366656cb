/**
 * Reads messages for the program around an agent.
 *
 * @module
 */

import { kindOf, requireArgument, requireOptions } from "../../../protocol/arguments.ts";
import type { CallOptions } from "../../../protocol/call_options.ts";
import { CODE, TopicError } from "../../../protocol/topics/mod.ts";
import { Commits, type CommitWorld } from "../../../protocol/topics/program/commits.ts";
import { ReceivedMessage, type TopicMessage } from "../../../protocol/topics/program/messages.ts";
import { checkStart } from "../../../protocol/topics/program/start.ts";
import type {
  ConsumerStatistics,
  TopicConsumer,
  TopicStart,
} from "../../../protocol/topics/program/types.ts";
import type { AgentConsumerOptions } from "./options.ts";
import { PartitionReader } from "./reader.ts";
import { type LocalRequests, TIMEOUT_MS } from "./requests.ts";
import { limited } from "./waiting.ts";

/** Messages that one `fetch` gives at most. */
const MAX_FETCHED = 10_000;

const MAX_BYTES = 1024 * 1024;
const AUTO_COMMIT_MS = 5_000;

/** Messages are looked for anew after so long, at the latest: the topic may be another one, in milliseconds. */
const LOOK_MS = 1_000;

/** One consumer. */
export class LocalConsumer implements TopicConsumer {
  readonly #requests: LocalRequests;
  readonly #topic: string;
  readonly #options: AgentConsumerOptions;
  readonly #timeoutMs: number;
  readonly #onClose: (consumer: LocalConsumer) => void;
  readonly #closing = new AbortController();
  #readers: readonly PartitionReader[] = [];
  #beginning: Promise<void> | undefined;
  #filling: Promise<void> | undefined;
  /** Ends the wait for messages, when there is one. */
  #waiting: AbortController | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** Which partition is looked at first. */
  #turn = 0;
  readonly #touched = new Set<PartitionReader>();
  readonly #commits: Commits | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  #commitError: Error | undefined;
  readonly #figures = { messages: 0, fetches: 0, bytes: 0 };

  /** Reads nothing yet; `onClose` is called once. */
  constructor(
    requests: LocalRequests,
    topic: string,
    options: AgentConsumerOptions,
    onClose: (consumer: LocalConsumer) => void,
  ) {
    requireArgument("name of a topic", topic, "text");
    requireOptions("consumer", options, {
      group: "text",
      partitions: "any",
      start: "any",
      onOutOfRange: "text",
      autoCommitMs: "duration",
      maxBytes: "number",
      timeoutMs: "duration",
    });
    if (options.start !== undefined) checkStart("start", options.start);
    this.#requests = requests;
    this.#topic = topic;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    this.#onClose = onClose;
    if (options.group === undefined) return;
    const ask: CommitWorld["ask"] = (kind, request, { timeoutMs = this.#timeoutMs }) =>
      requests.ask(kind, request, { timeoutMs });
    this.#commits = new Commits({ ask, now: () => performance.now() }, options.group, topic);
  }

  get statistics(): ConsumerStatistics {
    const lags = this.#readers.map(({ highWaterMark, position = highWaterMark }) =>
      Math.max(0, highWaterMark - position)
    );
    const lag = lags.reduce((sum, one) => sum + one, 0);
    const { bytes } = this.#figures;
    return { ...this.#figures, wireBytes: bytes, lag, commitError: this.#commitError };
  }

  async fetchOne(options: CallOptions = {}): Promise<TopicMessage | undefined> {
    checkCall("fetchOne", options);
    return await this.#one(options);
  }

  async fetch(options: CallOptions = {}): Promise<TopicMessage[]> {
    checkCall("fetch", options);
    const messages: TopicMessage[] = [];
    let message = await this.#one(options);
    while (message !== undefined) {
      messages.push(message);
      message = messages.length < MAX_FETCHED ? this.#take() : undefined;
    }
    return messages;
  }

  async seek(partition: number, where: TopicStart, options: CallOptions = {}): Promise<void> {
    checkCall("seek", options);
    checkStart("offset", where);
    await this.#seek([await this.#reader(partition, options)], where, options);
  }

  async seekToBeginning(partition?: number, options: CallOptions = {}): Promise<void> {
    checkCall("seekToBeginning", options);
    await this.#seekAll(partition, "earliest", options);
  }

  async seekToEnd(partition?: number, options: CallOptions = {}): Promise<void> {
    checkCall("seekToEnd", options);
    await this.#seekAll(partition, "latest", options);
  }

  async position(partition: number, options: CallOptions = {}): Promise<number> {
    checkCall("position", options);
    return await this.#locate(await this.#reader(partition, options), options);
  }

  async endOffset(partition: number, options: CallOptions = {}): Promise<number> {
    checkCall("endOffset", options);
    const asked = this.#requests.ask("getOffset", { topic: this.#topic, partition });
    return (await this.#within(asked, options)).highWaterMark;
  }

  async commit(options: CallOptions = {}): Promise<void> {
    checkCall("commit", options);
    if (this.#commits === undefined) {
      throw new TypeError("Consumer has no group to commit for");
    }
    for (const reader of this.#readers) reader.done = reader.position;
    this.#touched.clear();
    await this.#within(this.#save(), options);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearInterval(this.#timer);
    await this.#filling;
    try {
      if ((this.#options.autoCommitMs ?? AUTO_COMMIT_MS) > 0) await this.#save();
    } finally {
      this.#onClose(this);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<TopicMessage> {
    return {
      next: async () => {
        const value = await this.#one({ timeoutMs: Infinity }).catch((error) => {
          if (this.#closing.signal.aborted) return undefined;
          throw error;
        });
        return value === undefined ? { done: true, value } : { done: false, value };
      },
    };
  }

  /** The next message, as soon as there is one. */
  async #one(
    { timeoutMs = this.#timeoutMs, signal }: CallOptions,
  ): Promise<TopicMessage | undefined> {
    // Who asks for the next one is done with those before.
    for (const reader of this.#touched) reader.done = reader.position;
    this.#touched.clear();
    const endsAt = performance.now() + timeoutMs;
    try {
      await this.#begun({ timeoutMs, ...signal && { signal } }, TIME_IS_UP);
      for (;;) {
        this.#checkOpen();
        const message = this.#take();
        if (message !== undefined) return message;
        if (this.#failure !== undefined) {
          const { error } = this.#failure;
          this.#failure = undefined;
          throw error;
        }
        const left = endsAt - performance.now();
        if (left <= 0) return undefined;
        this.#filling ??= this.#fill();
        await limited(this.#filling, left, signal, TIME_IS_UP);
      }
    } catch (error) {
      if (error === TIME_IS_UP) return undefined;
      throw error;
    }
  }

  #take(): TopicMessage | undefined {
    const { length } = this.#readers;
    for (let i = 0; i < length; i++) {
      const reader = this.#readers[this.#turn % length] as PartitionReader;
      const message = reader.take();
      if (message !== undefined) {
        this.#figures.messages++;
        this.#touched.add(reader);
        return new ReceivedMessage(this.#topic, reader.partition, message);
      }
      this.#turn++;
    }
    return undefined;
  }

  /** Reads what is here of all partitions, or waits for more; never rejects. */
  async #fill(): Promise<void> {
    const { signal } = this.#closing;
    try {
      for (const reader of this.#readers) {
        await reader.fill(signal);
        this.#figures.fetches++;
      }
      if (!this.#readers.some(({ hasMessages }) => hasMessages)) await this.#wait(signal);
    } catch (error) {
      this.#failure = { error };
    }
    this.#filling = undefined;
  }

  async #wait(closing: AbortSignal): Promise<void> {
    const over = this.#waiting = new AbortController();
    const signal = AbortSignal.any([closing, over.signal]);
    const timer = setTimeout(() => over.abort(), LOOK_MS);
    try {
      await Promise.race(this.#readers.map((reader) => reader.wait(signal)));
    } finally {
      clearTimeout(timer);
      over.abort();
    }
  }

  async #begun(options: CallOptions, late?: Error): Promise<void> {
    this.#checkOpen();
    this.#beginning ??= this.#begin().catch((error) => {
      this.#beginning = undefined;
      throw error;
    });
    await this.#within(this.#beginning, options, late);
  }

  async #begin(): Promise<void> {
    const topic = this.#topic;
    const timeoutMs = this.#timeoutMs;
    const { start = "earliest", onOutOfRange = "earliest", maxBytes = MAX_BYTES } = this.#options;
    const { autoCommitMs = AUTO_COMMIT_MS } = this.#options;
    const found = await this.#requests.ask("describeTopic", { topic }, { timeoutMs });
    const partitions = this.#options.partitions ?? found.partitions.map((_, i) => i);
    const committed = await this.#commits?.load(partitions, { timeoutMs });
    const { topicId } = found;
    const rest = { topic, topicId, onOutOfRange, maxBytes, timeoutMs };
    this.#readers = partitions.map((partition) => {
      const begin = committed?.get(partition) ?? start;
      return new PartitionReader(this.#requests, { ...rest, partition, start: begin });
    });
    const commits = this.#commits;
    if (commits === undefined || autoCommitMs === 0 || this.#closing.signal.aborted) return;
    this.#timer = setInterval(() => {
      if (commits.isBusy) return;
      this.#save().then(() => this.#commitError = undefined, (error) => this.#commitError = error);
    }, autoCommitMs);
  }

  async #reader(partition: number, options: CallOptions): Promise<PartitionReader> {
    await this.#begun(options);
    const reader = this.#readers.find((one) => one.partition === partition);
    if (reader !== undefined) return reader;
    throw new TypeError(`Consumer has no partition ${kindOf(partition)}`);
  }

  async #seekAll(
    partition: number | undefined,
    where: TopicStart,
    options: CallOptions,
  ): Promise<void> {
    await this.#begun(options);
    const readers = partition === undefined
      ? this.#readers
      : [await this.#reader(partition, options)];
    await this.#seek(readers, where, options);
  }

  async #seek(
    readers: readonly PartitionReader[],
    where: TopicStart,
    options: CallOptions,
  ): Promise<void> {
    for (const reader of readers) reader.seek(where);
    this.#waiting?.abort();
    for (const reader of readers) await this.#locate(reader, options);
  }

  async #locate(reader: PartitionReader, options: CallOptions): Promise<number> {
    // A read that is under way may be of another place.
    await this.#within(this.#filling ?? Promise.resolve(), options);
    while (reader.position === undefined) {
      this.#checkOpen();
      await this.#within(reader.fill(this.#closing.signal), options);
    }
    return reader.position;
  }

  /** Commits what is done with, once what was to be committed before is. */
  async #save(): Promise<void> {
    const done = this.#readers.flatMap(({ partition, done }) =>
      done === undefined ? [] : [[partition, done] as const]
    );
    await this.#commits?.save(new Map(done), { timeoutMs: this.#timeoutMs });
  }

  #checkOpen(): void {
    if (!this.#closing.signal.aborted) return;
    throw new TopicError(CODE.OVERLOADED, "The consumer is closed");
  }

  async #within<T>(
    promise: Promise<T>,
    { timeoutMs, signal }: CallOptions,
    late?: Error,
  ): Promise<T> {
    return await limited(promise, timeoutMs ?? this.#timeoutMs, signal, late);
  }
}

/** Of a wait that ends without a message. */
const TIME_IS_UP = new Error("Time is up");

function checkCall(call: string, options: CallOptions): void {
  requireOptions(call, options, { signal: "signal", timeoutMs: "duration" });
}
