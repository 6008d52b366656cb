/**
 * Reads the messages of a topic.
 *
 * @module
 */

import { kindOf, requireOptions } from "../../../protocol/arguments.ts";
import { CODE, CODEC, type Fetched, TopicError } from "../../../protocol/topics/mod.ts";
import { type CallOptions, waitFor } from "../../net/deadline.ts";
import { TimeoutError } from "../../net/errors.ts";
import { type Deferred, deferred } from "../../net/portable.ts";
import { Commits, type CommitWorld } from "../../../protocol/topics/program/commits.ts";
import { ReceivedMessage, type TopicMessage } from "../../../protocol/topics/program/messages.ts";
import { checkStart } from "../../../protocol/topics/program/start.ts";
import { unpackMessages } from "../packing.ts";
import type { ConsumerSettings } from "../settings.ts";
import type {
  ConsumerStatistics,
  TopicConsumer,
  TopicStart,
} from "../../../protocol/topics/program/types.ts";
import { closed, type Cluster } from "../wire/cluster.ts";
import { MAX_HELD_BYTES, MIN_FETCH_BYTES } from "../defaults.ts";
import { MAX_CHUNKS, PartitionReader, type PartitionWorld } from "./partition.ts";

/** How long a server that is behind is left alone, in milliseconds. */
const BEHIND_MS = 50;

/** Messages that one `fetch` gives at most. */
const MAX_FETCHED = 10_000;

/** One consumer. */
export class Consumer implements TopicConsumer {
  readonly #cluster: Cluster;
  readonly #settings: ConsumerSettings;
  readonly #onClose: () => void;
  readonly #closing = new AbortController();
  readonly #commits: Commits | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Why offsets could not be committed by themselves the last time. */
  #commitError: Error | undefined;
  /** The partitions, once it is known where they begin. */
  #readers: readonly PartitionReader[] = [];
  #beginning: Promise<void> | undefined;
  /** Which partition is looked at first. */
  #turn = 0;
  #arrival: Deferred<void> | undefined;
  /** Those that have delivered something which is not done with yet. */
  readonly #touched = new Set<PartitionReader>();
  readonly #figures = { messages: 0, fetches: 0, bytes: 0, wireBytes: 0 };

  /** Reads nothing yet; `onClose` is called once. */
  constructor(cluster: Cluster, settings: ConsumerSettings, onClose: () => void) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#onClose = onClose;
    const { group, topic } = settings;
    if (group === undefined) return;
    const ask: CommitWorld["ask"] = (kind, request, options) => cluster.ask(kind, request, options);
    this.#commits = new Commits({ ask, now: () => performance.now() }, group, topic);
  }

  get statistics(): ConsumerStatistics {
    const lags = this.#readers.map(({ highWaterMark, position = highWaterMark }) =>
      Math.max(0, highWaterMark - position)
    );
    const lag = lags.reduce((sum, one) => sum + one, 0);
    return { ...this.#figures, lag, commitError: this.#commitError };
  }

  async fetchOne(options: CallOptions = {}): Promise<TopicMessage | undefined> {
    checkCall("fetchOne", options);
    return await this.#next(options);
  }

  async fetch(options: CallOptions = {}): Promise<TopicMessage[]> {
    checkCall("fetch", options);
    const messages: TopicMessage[] = [];
    let message = await this.#next(options);
    while (message !== undefined) {
      messages.push(message);
      if (messages.length === MAX_FETCHED) break;
      try {
        message = this.#take();
      } catch {
        // What was read is not lost, and the failure comes again.
        break;
      }
    }
    return messages;
  }

  async seek(partition: number, where: TopicStart, options: CallOptions = {}): Promise<void> {
    checkCall("seek", options);
    checkStart("offset", where);
    await this.#seekTo([await this.#reader(partition, options)], where, options);
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
    return await this.#located(await this.#reader(partition, options), options);
  }

  async endOffset(partition: number, options: CallOptions = {}): Promise<number> {
    checkCall("endOffset", options);
    const { topic } = this.#settings;
    const request = { topic, partition };
    return (await this.#cluster.ask("getOffset", request, options)).highWaterMark;
  }

  async commit(options: CallOptions = {}): Promise<void> {
    checkCall("commit", options);
    if (this.#commits === undefined) throw new TypeError("Consumer has no group to commit for");
    for (const reader of this.#readers) reader.done = reader.position;
    this.#touched.clear();
    const call = this.#withTime(options);
    // It may have to wait for the one before.
    await limited(this.#commits.save(this.#done(), call), call);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    clearInterval(this.#timer);
    this.#arrived();
    try {
      if (this.#settings.autoCommitMs > 0) {
        await this.#commits?.save(this.#done(), this.#withTime({}));
      }
    } finally {
      this.#onClose();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<TopicMessage> {
    return {
      next: async () => {
        const value = await this.#next({ timeoutMs: Infinity }).catch((error) => {
          if (this.#closing.signal.aborted) return undefined;
          throw error;
        });
        return value === undefined ? { done: true, value } : { done: false, value };
      },
    };
  }

  /** The next message, as soon as there is one. */
  async #next(options: CallOptions): Promise<TopicMessage | undefined> {
    // Who asks for the next one is done with those before.
    for (const reader of this.#touched) reader.done = reader.position;
    this.#touched.clear();
    const { signal, timeoutMs } = this.#withTime(options);
    const endsAt = performance.now() + timeoutMs;
    try {
      await this.#begun({ ...options, timeoutMs }, TIME_IS_UP);
      for (;;) {
        if (this.#closing.signal.aborted) throw closed();
        const message = this.#take();
        const left = endsAt - performance.now();
        if (message !== undefined || left <= 0) return message;
        this.#arrival ??= deferred<void>();
        const rest = { ...signal && { signal }, timeoutMs: left };
        await limited(this.#arrival.promise, rest, TIME_IS_UP);
      }
    } catch (error) {
      if (error === TIME_IS_UP) return undefined;
      throw error;
    }
  }

  #take(): TopicMessage | undefined {
    const readers = this.#readers;
    for (let i = 0; i < readers.length; i++) {
      const reader = readers[(this.#turn + i) % readers.length] as PartitionReader;
      const message = reader.take();
      if (message === undefined) continue;
      // After what was fetched of one partition another one has its turn.
      this.#turn = (this.#turn + i + (reader.isBetween ? 1 : 0)) % readers.length;
      this.#touched.add(reader);
      this.#figures.messages++;
      return new ReceivedMessage(this.#settings.topic, reader.partition, message);
    }
    return undefined;
  }

  #arrived(): void {
    this.#arrival?.resolve();
    this.#arrival = undefined;
  }

  /** Resolves when it is known which partitions there are, and where they are read. */
  async #begun(options: CallOptions, late?: Error): Promise<void> {
    if (this.#closing.signal.aborted) throw closed();
    this.#beginning ??= this.#begin().catch((error) => {
      this.#beginning = undefined;
      throw error;
    });
    await limited(this.#beginning, this.#withTime(options), late);
  }

  async #begin(): Promise<void> {
    const { topic, start, autoCommitMs } = this.#settings;
    const partitions = this.#settings.partitions ?? await this.#partitions();
    const committed = await this.#commits?.load(partitions, this.#own);
    const world: PartitionWorld = {
      fetch: (partition, offset) => this.#fetch(partition, offset),
      offsets: (partition, time) => {
        return this.#cluster.ask("getOffset", { topic, partition, time }, this.#own);
      },
      rest: () => this.#cluster.rest(BEHIND_MS, this.#closing.signal),
      onOutOfRange: this.#settings.onOutOfRange,
      arrived: () => this.#arrived(),
    };
    this.#readers = partitions.map((partition) =>
      new PartitionReader(partition, committed?.get(partition) ?? start, world)
    );
    const commits = this.#commits;
    if (commits === undefined || autoCommitMs === 0 || this.#closing.signal.aborted) return;
    this.#timer = setInterval(() => {
      if (commits.isBusy) return;
      const saved = commits.save(this.#done(), this.#withTime({}));
      saved.then(() => this.#commitError = undefined, (error) => this.#commitError = error);
    }, autoCommitMs);
  }

  async #partitions(): Promise<number[]> {
    const { topic } = this.#settings;
    const { topics } = await this.#cluster.ask("metadata", { topics: [topic] }, this.#own);
    const found = topics.find(({ name }) => name === topic);
    if (found === undefined) throw new TopicError(CODE.TOPIC_NOT_FOUND, `No topic '${topic}'`);
    return found.partitions.map((_, i) => i);
  }

  async #fetch(partition: number, offset: number): Promise<Fetched> {
    const { topic, minBytes, maxWaitMs, anyServer, timeoutMs } = this.#settings;
    const share = Math.floor(MAX_HELD_BYTES / (MAX_CHUNKS * this.#readers.length));
    const maxBytes = Math.min(this.#settings.maxBytes, Math.max(MIN_FETCH_BYTES, share));
    const rest = { maxBytes, minBytes, maxWaitMs };
    const plain = { topic, partition, offset, ...rest, codec: CODEC.none };
    const { codec } = this.#settings;
    const request = codec === CODEC.none ? plain : { plain, packed: { ...plain, codec } };
    const fetched = await this.#cluster.ask("fetch", request, {
      ...this.#own,
      timeoutMs: timeoutMs + maxWaitMs,
      anywhere: anyServer,
    });
    this.#figures.fetches++;
    const messages = await unpackMessages(fetched);
    this.#figures.bytes += messages.bytes.length;
    this.#figures.wireBytes += fetched.messages.bytes.length;
    return { ...fetched, codec: CODEC.none, messages };
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
    await this.#seekTo(readers, where, options);
  }

  async #seekTo(
    readers: readonly PartitionReader[],
    where: TopicStart,
    options: CallOptions,
  ): Promise<void> {
    for (const reader of readers) reader.seek(where);
    // Who waits has to look there now.
    this.#arrived();
    await Promise.all(readers.map((reader) => this.#located(reader, options)));
  }

  async #located(reader: PartitionReader, options: CallOptions): Promise<number> {
    return await limited(reader.locate(), this.#withTime(options));
  }

  /** What is done with, by partition. */
  #done(): ReadonlyMap<number, number> {
    const entries = this.#readers.flatMap(({ partition, done }) =>
      done === undefined ? [] : [[partition, done] as const]
    );
    return new Map(entries);
  }

  /** Of requests that nobody waits for in particular. */
  get #own(): CallOptions {
    return { timeoutMs: this.#settings.timeoutMs, signal: this.#closing.signal };
  }

  #withTime(options: CallOptions): CallOptions & { readonly timeoutMs: number } {
    return { ...options, timeoutMs: options.timeoutMs ?? this.#settings.timeoutMs };
  }
}

/** Of a wait that ends without a message. */
const TIME_IS_UP = new Error("Time is up");

function checkCall(call: string, options: CallOptions): void {
  requireOptions(call, options, { signal: "signal", timeoutMs: "duration" });
}

/** What `promise` gives, unless that takes too long: then it rejects with `late`. */
function limited<T>(
  promise: Promise<T>,
  { signal, timeoutMs }: CallOptions & { readonly timeoutMs: number },
  late?: Error,
): Promise<T> {
  return waitFor<T>({
    signal,
    timeoutMs,
    timeoutError: () => late ?? new TimeoutError(`Servers did not answer within ${timeoutMs} ms`),
    giveUp() {},
  }, ({ resolve, reject }) => {
    promise.then(resolve, reject);
  });
}
