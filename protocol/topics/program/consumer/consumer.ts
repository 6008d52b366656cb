/**
 * Reads the messages of a topic.
 *
 * @module
 */

import { kindOf, requireOptions } from "../../../arguments.ts";
import type { CallOptions } from "../../../call_options.ts";
import { CODE } from "../../codes.ts";
import { TopicError } from "../../errors.ts";
import { ReceivedMessage, type TopicMessage } from "../messages.ts";
import { checkStart } from "../start.ts";
import type { ConsumerStatistics, TopicConsumer, TopicProgress, TopicStart } from "../types.ts";
import { MAX_FETCHED } from "./defaults.ts";
import type { PartitionReader } from "./partition.ts";
import type { ConsumerSettings } from "./settings.ts";
import { Source } from "./source.ts";
import { limited, type LimitedCall } from "./timing.ts";
import type { ConsumerWorld } from "./world.ts";

/** One consumer, of whatever asks the servers. */
export class Consumer implements TopicConsumer {
  readonly #world: ConsumerWorld;
  readonly #settings: ConsumerSettings;
  readonly #onClose: () => void;
  readonly #source: Source;
  #hasBegun = false;
  #messages = 0;
  #closing: Promise<void> | undefined;

  /** Reads nothing yet; `onClose` is called once. */
  constructor(world: ConsumerWorld, settings: ConsumerSettings, onClose: () => void) {
    this.#world = world;
    this.#settings = settings;
    this.#onClose = onClose;
    this.#source = new Source(world, settings);
  }

  get statistics(): ConsumerStatistics {
    const { figures, partitions, commitError } = this.#source;
    return { messages: this.#messages, ...figures, lag: partitions.lag, commitError };
  }

  get assignment(): readonly number[] {
    return this.#readers.map(({ partition }) => partition);
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
    const request = { topic: this.#settings.topic, partition, time: undefined };
    const { highWaterMark } = await this.#world.ask("getOffset", request, this.#withTime(options));
    return highWaterMark;
  }

  async commit(options: CallOptions = {}): Promise<void> {
    checkCall("commit", options);
    const call = this.#withTime(options);
    await this.#limited(this.#source.commit(call), call);
  }

  progress(): TopicProgress {
    return this.#source.progress();
  }

  close(): Promise<void> {
    return this.#closing ??= this.#source.close().finally(this.#onClose);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  [Symbol.asyncIterator](): AsyncIterator<TopicMessage> {
    return {
      next: async () => {
        const value = await this.#next({ timeoutMs: Infinity }).catch((error) => {
          if (this.#source.isClosed) return undefined;
          throw error;
        });
        return value === undefined ? { done: true, value } : { done: false, value };
      },
    };
  }

  get #readers(): readonly PartitionReader[] {
    return this.#source.partitions.readers;
  }

  /** The next message, as soon as there is one. */
  async #next(options: CallOptions): Promise<TopicMessage | undefined> {
    // Who asks for the next one is done with those before.
    this.#source.partitions.settle();
    const { signal, timeoutMs } = this.#withTime(options);
    const endsAt = this.#world.now() + timeoutMs;
    try {
      await this.#begun({ ...options, timeoutMs }, TIME_IS_UP);
      for (;;) {
        if (this.#source.isClosed) throw this.#world.closed();
        const message = this.#take();
        const left = endsAt - this.#world.now();
        if (message !== undefined || left <= 0) return message;
        const rest = { ...signal && { signal }, timeoutMs: left };
        await this.#limited(this.#source.arrival.heard(), rest, TIME_IS_UP);
      }
    } catch (error) {
      if (error === TIME_IS_UP) return undefined;
      throw error;
    }
  }

  #take(): TopicMessage | undefined {
    const taken = this.#source.take();
    if (taken === undefined) return undefined;
    this.#messages++;
    return new ReceivedMessage(this.#settings.topic, taken.partition, taken.message);
  }

  /** Resolves when it is known which partitions there are, and where they are read. */
  async #begun(options: CallOptions, late?: Error): Promise<void> {
    if (this.#source.isClosed) throw this.#world.closed();
    if (this.#hasBegun) return;
    await this.#limited(this.#source.begin(), this.#withTime(options), late);
    this.#hasBegun = true;
  }

  async #reader(partition: number, options: CallOptions): Promise<PartitionReader> {
    const find = () => this.#readers.find((one) => one.partition === partition);
    await this.#hasReaders(options);
    const reader = find();
    if (reader !== undefined) return reader;
    if (!this.#source.isMember) {
      throw new TypeError(`Consumer has no partition ${kindOf(partition)}`);
    }
    const text = `Consumer does not hold partition ${kindOf(partition)} of its group now`;
    throw new TopicError(CODE.REBALANCE_IN_PROGRESS, text);
  }

  async #seekAll(
    partition: number | undefined,
    where: TopicStart,
    options: CallOptions,
  ): Promise<void> {
    if (partition !== undefined) {
      return await this.#seekTo([await this.#reader(partition, options)], where, options);
    }
    await this.#hasReaders(options);
    await this.#seekTo(this.#readers, where, options);
  }

  /** Who is told of partitions, by which it begins, may seek there at once. */
  async #hasReaders(options: CallOptions): Promise<void> {
    if (this.#readers.length === 0) await this.#begun(options);
    if (this.#source.isClosed) throw this.#world.closed();
  }

  async #seekTo(
    readers: readonly PartitionReader[],
    where: TopicStart,
    options: CallOptions,
  ): Promise<void> {
    for (const reader of readers) reader.seek(where);
    // Who waits has to look there now.
    this.#source.arrival.ring();
    await Promise.all(readers.map((reader) => this.#located(reader, options)));
  }

  async #located(reader: PartitionReader, options: CallOptions): Promise<number> {
    return await this.#limited(reader.locate(), this.#withTime(options));
  }

  #withTime(options: CallOptions): LimitedCall {
    return { ...options, timeoutMs: options.timeoutMs ?? this.#settings.timeoutMs };
  }

  #limited<T>(promise: Promise<T>, call: LimitedCall, late?: Error): Promise<T> {
    return limited(this.#world, promise, call, () => late ?? this.#world.late(call.timeoutMs));
  }
}

/** Of a wait that ends without a message. */
const TIME_IS_UP = new Error("Time is up");

function checkCall(call: string, options: CallOptions): void {
  requireOptions(call, options, { signal: "signal", timeoutMs: "duration" });
}
