/**
 * Sends messages in batches, and tells of each what became of it.
 *
 * @module
 */

import { requireArgument, requireOptions } from "../../../protocol/arguments.ts";
import {
  CODE,
  CODEC,
  type EncodedMessages,
  FrameWriter,
  isTopicName,
  MAX_MESSAGE_BYTES,
  MAX_NAME_BYTES,
  messageBytes,
  type Produced,
  TopicError,
  writeMessage,
} from "../../../protocol/topics/mod.ts";
import { type CallOptions, type Settle, waitFor } from "../../net/deadline.ts";
import { TimeoutError } from "../../net/errors.ts";
import { type Deferred, deferred } from "../../net/portable.ts";
import { QueueFullError } from "../../sessions/errors.ts";
import {
  hasId,
  type NewTopicMessage,
  type TopicPosition,
  wireMessage,
} from "../../../protocol/topics/program/messages.ts";
import { packMessages } from "../packing.ts";
import type { ProducerSettings } from "../settings.ts";
import { Transactions } from "../../../protocol/topics/program/transactions.ts";
import type {
  ProducerStatistics,
  TopicProducer,
  TopicTransaction,
} from "../../../protocol/topics/program/types.ts";
import { closed, type Cluster } from "../wire/cluster.ts";
import { Tries } from "../wire/retry.ts";
import type { Batch } from "./batch.ts";
import { type Identity, Lane, type LaneWorld } from "./lane.ts";
import { Route, type Routed } from "./route.ts";

/** A message that waits for room. */
interface Waiting {
  readonly route: Route;
  readonly message: Routed;
}

/** One producer. */
export class Producer implements TopicProducer {
  readonly #cluster: Cluster;
  readonly #settings: ProducerSettings;
  readonly #onClose: () => void;
  readonly #routes = new Map<string, Route>();
  /** Those for which there was no room, in order. */
  readonly #waiting = new Set<Waiting>();
  #waitingBytes = 0;
  #bufferedBytes = 0;
  /** Settled when there is room; there when somebody waits for that. */
  #room: Deferred<void> | undefined;
  #identity: Promise<Identity> | undefined;
  /** Messages are compressed one batch after the other. */
  #packing: Promise<unknown> = Promise.resolve();
  #isClosed = false;
  readonly #transactions: Transactions;
  readonly #figures = { messages: 0, failures: 0, batches: 0, retries: 0, bytes: 0, wireBytes: 0 };

  /** Sends over `cluster`; `onClose` is called once. */
  constructor(cluster: Cluster, settings: ProducerSettings, onClose: () => void) {
    this.#cluster = cluster;
    this.#settings = settings;
    this.#onClose = onClose;
    const { timeoutMs } = settings;
    this.#transactions = new Transactions({
      ask: (kind, request, options) => {
        const again = { changes: kind === "transact", repeatable: true };
        return cluster.ask(kind, request, { timeoutMs, ...options, ...again });
      },
      partitions: (topic) => this.#partitionsOf(topic),
    });
  }

  get statistics(): ProducerStatistics {
    return { ...this.#figures, bufferedBytes: this.#bufferedBytes + this.#waitingBytes };
  }

  async send(
    topic: string,
    message: NewTopicMessage,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<TopicPosition> {
    requireOptions("send", options, { signal: "signal" });
    const { signal } = options;
    if (signal === undefined) {
      return await new Promise((resolve, reject) => {
        this.#take(topic, message, { resolve, reject });
      });
    }
    const deadline = {
      signal,
      timeoutMs: Infinity,
      timeoutError: () => new Error("Unreachable"),
      // It is on its way.
      giveUp() {},
    };
    return await waitFor<TopicPosition>(deadline, (settle) => this.#take(topic, message, settle));
  }

  async transact(
    transaction: TopicTransaction,
    options: CallOptions = {},
  ): Promise<TopicPosition[]> {
    if (this.#isClosed || this.#cluster.closing.aborted) throw closed();
    return await this.#transactions.run(transaction, options);
  }

  async ready(options: CallOptions = {}): Promise<void> {
    requireOptions("ready", options, { signal: "signal", timeoutMs: "duration" });
    while (this.#isFull) {
      const room = this.#untilRoom();
      await waitFor<void>({
        signal: options.signal,
        timeoutMs: options.timeoutMs ?? Infinity,
        timeoutError: () => new TimeoutError(`No room for messages within ${options.timeoutMs} ms`),
        giveUp() {},
      }, ({ resolve, reject }) => {
        room.then(resolve, reject);
      });
    }
  }

  async flush(options: CallOptions = {}): Promise<void> {
    requireOptions("flush", options, { signal: "signal", timeoutMs: "duration" });
    await waitFor<void>({
      signal: options.signal,
      timeoutMs: options.timeoutMs ?? Infinity,
      timeoutError: () => new TimeoutError(`Messages are under way after ${options.timeoutMs} ms`),
      giveUp() {},
    }, ({ resolve, reject }) => {
      this.#flush().then(resolve, reject);
    });
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#onClose();
    }
    await this.#flush();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #isFull(): boolean {
    return this.#waiting.size > 0 || this.#bufferedBytes >= this.#settings.bufferBytes;
  }

  async #flush(): Promise<void> {
    const transactions = this.#transactions.settled();
    while (this.#waiting.size > 0) {
      await this.#flushRoutes();
      if (this.#waiting.size > 0) await this.#untilRoom();
    }
    await this.#flushRoutes();
    await transactions;
  }

  async #flushRoutes(): Promise<void> {
    await Promise.all([...this.#routes.values()].map((route) => route.flush()));
  }

  #take(topic: string, given: NewTopicMessage, settle: Settle<TopicPosition>): void {
    const route = this.#routes.get(topic) ?? this.#route(topic);
    const message = wireMessage(given);
    const size = messageBytes(message);
    if (size > MAX_MESSAGE_BYTES) {
      const text = `Message takes ${size} of ${MAX_MESSAGE_BYTES} bytes`;
      throw new TopicError(CODE.MESSAGE_TOO_LARGE, text);
    }
    if (this.#isClosed || this.#cluster.closing.aborted) throw closed();
    const { key } = message;
    const rest = { size, hasId: hasId(message), settle, partition: given.partition, key };
    if (!this.#waits(size)) {
      const write = (writer: FrameWriter): void => writeMessage(writer, message, true);
      return this.#add(route, { ...rest, write });
    }
    if (this.#waitingBytes + size > this.#settings.bufferBytes) {
      const text = `Messages of ${this.#waitingBytes} bytes wait for room already`;
      throw new QueueFullError(`${text}: wait until the producer is ready`);
    }
    // What it says now is what it says.
    const own = new FrameWriter(size);
    writeMessage(own, message, true);
    const write = (writer: FrameWriter): void => writer.raw(own.view());
    this.#waiting.add({ route, message: { ...rest, write } });
    this.#waitingBytes += size;
  }

  /** Whether there is no room for so many bytes yet. */
  #waits(size: number): boolean {
    if (this.#waiting.size > 0) return true;
    return this.#bufferedBytes > 0 && this.#bufferedBytes + size > this.#settings.bufferBytes;
  }

  #freed(size: number): void {
    this.#bufferedBytes -= size;
    for (const waiting of this.#waiting) {
      const { route, message } = waiting;
      const { bufferBytes } = this.#settings;
      if (this.#bufferedBytes > 0 && this.#bufferedBytes + message.size > bufferBytes) break;
      this.#waiting.delete(waiting);
      this.#waitingBytes -= message.size;
      this.#add(route, message);
    }
    if (this.#isFull) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #untilRoom(): Promise<void> {
    this.#room ??= deferred<void>();
    return this.#room.promise;
  }

  #add(route: Route, message: Routed): void {
    this.#bufferedBytes += message.size;
    route.add(message);
  }

  #route(topic: string): Route {
    requireArgument("name of a topic", topic, "text");
    if (!isTopicName(topic)) {
      const expected = `expected 1 to ${MAX_NAME_BYTES} letters, digits, '.', '_' and '-'`;
      throw new TypeError(`Invalid name of a topic: ${expected}, got '${topic}'`);
    }
    const route = new Route({
      partitions: () => this.#partitionsOf(topic),
      lane: (partition) => this.#lane(topic, partition),
      failed: ({ size, settle }, error) => {
        settle.reject(error);
        this.#figures.failures++;
        this.#freed(size);
      },
    });
    this.#routes.set(topic, route);
    return route;
  }

  async #partitionsOf(topic: string): Promise<number> {
    const { timeoutMs } = this.#settings;
    const { topics } = await this.#cluster.ask("metadata", { topics: [topic] }, { timeoutMs });
    // A server that creates topics as they are needed gives them one.
    return Math.max(1, topics.find(({ name }) => name === topic)?.partitions.length ?? 1);
  }

  #lane(topic: string, partition: number): Lane {
    const { idempotent, timeoutMs } = this.#settings;
    const isOver = (): boolean => this.#cluster.closing.aborted;
    const world: LaneWorld = {
      options: this.#settings,
      idempotent,
      get isOver() {
        return isOver();
      },
      identify: (renewed) => this.#identify(renewed),
      send: (batch, identity) => this.#send(topic, partition, batch, identity),
      leads: () => this.#cluster.leads,
      tries: () => new Tries(this.#settings, timeoutMs),
      rest: (ms) => this.#cluster.rest(ms),
      settled: (batch, error) => this.#settled(topic, batch, error),
    };
    return new Lane(partition, world);
  }

  /** The identity that all partitions share at first, or one that nobody has had. */
  async #identify(renewed: boolean): Promise<Identity> {
    if (renewed) return await this.#newIdentity();
    this.#identity ??= this.#newIdentity();
    try {
      return await this.#identity;
    } catch (error) {
      this.#identity = undefined;
      throw error;
    }
  }

  async #newIdentity(): Promise<Identity> {
    const { timeoutMs } = this.#settings;
    const nobody = { transactionalId: "" };
    // One that nobody uses does no harm.
    const { producerId, epoch } = await this.#cluster.ask("initProducer", nobody, { timeoutMs });
    return { id: producerId, epoch };
  }

  async #send(
    topic: string,
    partition: number,
    batch: Batch,
    identity: Identity | undefined,
  ): Promise<Produced> {
    this.#figures.batches++;
    this.#figures.bytes += batch.bytes;
    if (batch.wasSent) this.#figures.retries++;
    batch.wasSent = true;
    const { codec } = this.#settings;
    const messages = codec === CODEC.none ? undefined : await this.#packed(codec, batch.messages);
    const timeoutMs = Math.max(1, Math.ceil(batch.tries.left()));
    const plain = {
      topic,
      partition,
      acks: -1,
      timeoutMs,
      producer: identity && { ...identity, baseSequence: batch.sequence ?? 0 },
      codec: CODEC.none,
      messages: batch.messages,
    };
    this.#figures.wireBytes += (messages ?? plain.messages).bytes.length;
    const request = messages === undefined
      ? plain
      : { plain, packed: { ...plain, codec, messages } };
    // One connection, so that they come in order.
    const options = { timeoutMs, affinity: partition };
    if (!this.#settings.async) return await this.#cluster.attempt("produce", request, options);
    await this.#cluster.post("produce", request, options);
    return { baseOffset: -1, count: batch.count, highWaterMark: 0, duplicates: [] };
  }

  /** Messages as they are compressed, if that makes them shorter; in the order in which this is called, as they are sent in it. */
  async #packed(
    codec: number,
    messages: EncodedMessages,
  ): Promise<EncodedMessages | undefined> {
    const packing = this.#packing.then(() => packMessages(codec, messages));
    this.#packing = packing.catch(() => {}); // It is told who asked for it.
    const packed = await packing;
    return packed.bytes.length < messages.bytes.length ? packed : undefined;
  }

  #settled(topic: string, { count, bytes }: Batch, error: unknown): void {
    this.#figures[error === undefined ? "messages" : "failures"] += count;
    this.#freed(bytes);
    if (!(error instanceof TopicError)) return;
    const { PARTITION_NOT_FOUND, TOPIC_NOT_FOUND } = CODE;
    if (error.code === PARTITION_NOT_FOUND || error.code === TOPIC_NOT_FOUND) {
      this.#routes.get(topic)?.forget();
    }
  }
}
