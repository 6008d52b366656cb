/**
 * Sends the messages of the program around an agent.
 *
 * @module
 */

import { requireArgument, requireOptions } from "../../../protocol/arguments.ts";
import type { CallOptions } from "../../../protocol/call_options.ts";
import {
  CODE,
  FrameWriter,
  isTopicName,
  MAX_MESSAGE_BYTES,
  messageBytes,
  TopicError,
  writeMessage,
} from "../../../protocol/topics/mod.ts";
import {
  hasId,
  type NewTopicMessage,
  type TopicPosition,
  wireMessage,
} from "../../../protocol/topics/program/messages.ts";
import { partitionOfKey } from "../../../protocol/topics/program/routing.ts";
import { Transactions } from "../../../protocol/topics/program/transactions.ts";
import type {
  ProducerStatistics,
  TopicProducer,
  TopicTransaction,
} from "../../../protocol/topics/program/types.ts";
import { askAgain } from "./again.ts";
import { Lane, type LaneWorld, type Pending } from "./lane.ts";
import type { AgentProducerOptions } from "./options.ts";
import { type LocalRequests, TIMEOUT_MS } from "./requests.ts";
import { limited } from "./waiting.ts";

const BUFFER_BYTES = 32 * 1024 * 1024;

/** The ways of one topic. */
interface Route {
  /** How many partitions there are, once that is known. */
  count: number | undefined;
  /** Messages that wait for that. */
  readonly waiting: { readonly key: Uint8Array | null; readonly pending: Pending }[];
  loading: Promise<void> | undefined;
  readonly lanes: Map<number, Lane>;
  /** Where messages without a key go, one after the other. */
  turn: number;
}

/** One producer. */
export class LocalProducer implements TopicProducer {
  readonly #requests: LocalRequests;
  readonly #closing: AbortSignal;
  readonly #onClose: (producer: LocalProducer) => void;
  readonly #options: Required<AgentProducerOptions>;
  readonly #routes = new Map<string, Route>();
  readonly #figures = { messages: 0, failures: 0, batches: 0, retries: 0, bytes: 0 };
  #bufferedBytes = 0;
  /** Settled when there is room; there when somebody waits for that. */
  #room: PromiseWithResolvers<void> | undefined;
  #isClosed = false;
  readonly #transactions: Transactions;

  /** Sends by `requests` until `closing` fires; `onClose` is called once. */
  constructor(
    requests: LocalRequests,
    options: AgentProducerOptions,
    closing: AbortSignal,
    onClose: (producer: LocalProducer) => void,
  ) {
    requireOptions("producer", options, {
      idempotent: "switch",
      bufferBytes: "number",
      timeoutMs: "duration",
    });
    this.#requests = requests;
    this.#closing = closing;
    this.#onClose = onClose;
    const { idempotent = false, bufferBytes = BUFFER_BYTES, timeoutMs = TIMEOUT_MS } = options;
    this.#options = { idempotent, bufferBytes, timeoutMs };
    this.#transactions = new Transactions({
      ask(kind, request, { timeoutMs: limitMs = timeoutMs, signal }) {
        const over = signal === undefined ? closing : AbortSignal.any([closing, signal]);
        return askAgain(requests, kind, request, { timeoutMs: limitMs, signal: over });
      },
      partitions: (topic) => this.#partitionsOf(topic),
    });
  }

  get statistics(): ProducerStatistics {
    const { bytes } = this.#figures;
    return { ...this.#figures, wireBytes: bytes, bufferedBytes: this.#bufferedBytes };
  }

  async send(
    topic: string,
    message: NewTopicMessage,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<TopicPosition> {
    requireOptions("send", options, { signal: "signal" });
    const { signal } = options;
    signal?.throwIfAborted();
    const sent = this.#take(topic, message);
    return signal === undefined ? await sent : await limited(sent, Infinity, signal);
  }

  async transact(
    transaction: TopicTransaction,
    options: CallOptions = {},
  ): Promise<TopicPosition[]> {
    if (this.#isClosed || this.#closing.aborted) {
      throw new TopicError(CODE.OVERLOADED, "The producer is closed");
    }
    return await this.#transactions.run(transaction, options);
  }

  async ready(options: CallOptions = {}): Promise<void> {
    checkCall("ready", options);
    while (this.#bufferedBytes >= this.#options.bufferBytes) {
      this.#room ??= Promise.withResolvers();
      await limited(this.#room.promise, options.timeoutMs ?? Infinity, options.signal);
    }
  }

  async flush(options: CallOptions = {}): Promise<void> {
    checkCall("flush", options);
    await limited(this.#flush(), options.timeoutMs ?? Infinity, options.signal);
  }

  async close(): Promise<void> {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#onClose(this);
    }
    await this.#flush();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #flush(): Promise<void> {
    const routes = [...this.#routes.values()].map(async ({ loading, lanes }) => {
      await loading;
      await Promise.all([...lanes.values()].map((lane) => lane.flush()));
    });
    await Promise.all([...routes, this.#transactions.settled()]);
  }

  #take(topic: string, given: NewTopicMessage): Promise<TopicPosition> {
    requireArgument("name of a topic", topic, "text");
    if (!isTopicName(topic)) throw new TypeError(`'${topic}' is no name of a topic`);
    const message = wireMessage(given);
    const size = messageBytes(message);
    if (size > MAX_MESSAGE_BYTES) {
      const text = `Message takes ${size} of ${MAX_MESSAGE_BYTES} bytes`;
      throw new TopicError(CODE.MESSAGE_TOO_LARGE, text);
    }
    if (this.#isClosed || this.#closing.aborted) {
      throw new TopicError(CODE.OVERLOADED, "The producer is closed");
    }
    if (this.#bufferedBytes + size > 2 * this.#options.bufferBytes) {
      const text = `Messages of ${this.#bufferedBytes} bytes are under way already`;
      throw new TopicError(CODE.OVERLOADED, `${text}: wait until the producer is ready`);
    }
    this.#bufferedBytes += size;
    const writer = new FrameWriter(size);
    writeMessage(writer, message, true);
    const { promise, resolve, reject } = Promise.withResolvers<TopicPosition>();
    const pending: Pending = {
      bytes: writer.view(),
      hasId: hasId(message),
      resolve: (position) => {
        this.#figures.messages++;
        this.#freed(size);
        resolve(position);
      },
      reject: (error) => {
        this.#figures.failures++;
        this.#freed(size);
        this.#forget(topic, error);
        reject(error);
      },
    };
    const route = this.#routeOf(topic);
    if (given.partition !== undefined) this.#laneOf(topic, route, given.partition).add(pending);
    else this.#dispatch(topic, route, message.key, pending);
    return promise;
  }

  #freed(size: number): void {
    this.#bufferedBytes -= size;
    if (this.#bufferedBytes >= this.#options.bufferBytes) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** Does not believe any more how many partitions there are. */
  #forget(topic: string, error: unknown): void {
    if (!(error instanceof TopicError)) return;
    const { PARTITION_NOT_FOUND, TOPIC_NOT_FOUND } = CODE;
    const route = this.#routes.get(topic);
    if (route === undefined) return;
    if (error.code === PARTITION_NOT_FOUND || error.code === TOPIC_NOT_FOUND) {
      route.count = undefined;
    }
  }

  #routeOf(topic: string): Route {
    const known = this.#routes.get(topic);
    if (known !== undefined) return known;
    const route: Route = {
      count: undefined,
      waiting: [],
      loading: undefined,
      lanes: new Map(),
      turn: 0,
    };
    this.#routes.set(topic, route);
    return route;
  }

  #dispatch(topic: string, route: Route, key: Uint8Array | null, pending: Pending): void {
    const { count } = route;
    if (count === undefined) {
      route.waiting.push({ key, pending });
      route.loading ??= this.#load(topic, route);
      return;
    }
    const partition = key === null ? route.turn++ % count : partitionOfKey(key, count);
    this.#laneOf(topic, route, partition).add(pending);
  }

  async #load(topic: string, route: Route): Promise<void> {
    let failure: unknown;
    try {
      route.count = await this.#partitionsOf(topic);
    } catch (error) {
      failure = error;
    }
    route.loading = undefined;
    for (const { key, pending } of route.waiting.splice(0)) {
      if (route.count === undefined) pending.reject(failure);
      else this.#dispatch(topic, route, key, pending);
    }
  }

  async #partitionsOf(topic: string): Promise<number> {
    const { timeoutMs } = this.#options;
    try {
      const { partitions } = await this.#requests.ask("describeTopic", { topic }, { timeoutMs });
      return partitions.length;
    } catch (error) {
      // One that is made as it is needed has one partition.
      if (error instanceof TopicError && error.code === CODE.TOPIC_NOT_FOUND) return 1;
      throw error;
    }
  }

  #laneOf(topic: string, { lanes }: Route, partition: number): Lane {
    const known = lanes.get(partition);
    if (known !== undefined) return known;
    const { idempotent, timeoutMs } = this.#options;
    const world: LaneWorld = {
      idempotent,
      timeoutMs,
      closing: this.#closing,
      identify: async (timeoutMs) => {
        const nobody = { transactionalId: "" };
        const asked = this.#requests.ask("initProducer", nobody, { timeoutMs });
        const { producerId: id, epoch } = await asked;
        return { id, epoch };
      },
      produce: (partition, producer, messages, limitMs, isAgain) => {
        this.#figures.batches++;
        this.#figures.bytes += messages.bytes.length;
        if (isAgain) this.#figures.retries++;
        const rest = { acks: -1, timeoutMs: limitMs, codec: 0 };
        const request = { topic, partition, producer, messages, ...rest };
        return this.#requests.ask("produce", request, { timeoutMs: limitMs });
      },
    };
    const lane = new Lane(partition, world);
    lanes.set(partition, lane);
    return lane;
  }
}

function checkCall(call: string, options: CallOptions): void {
  requireOptions(call, options, { signal: "signal", timeoutMs: "duration" });
}
