/**
 * Topics in memory, as plain as can be: what a server is to do, without a log, a disk or other servers.
 *
 * @module
 */

import {
  CODE,
  CODEC,
  type DuplicateMessage,
  FrameWriter,
  ID_HEADER,
  type Message,
  OFFSET,
  type ProducerBatch,
  readMessages,
  type Replies,
  type Request,
  TopicError,
  type TopicSettings,
  writeMessage,
} from "../../../protocol/topics/mod.ts";
import { PlainGroups } from "./groups/plain_groups.ts";

/** Batches of a producer that are known when they come again. */
const KNOWN_BATCHES = 5;

/** What a partition has. */
export interface ModelPartition {
  /** Messages from offset 0 on. */
  readonly messages: Message[];
  start: number;
  readonly producers: Map<number, ModelSent[]>;
}

interface ModelSent {
  readonly sequence: number;
  readonly count: number;
  /** None as long as it is being dealt with. */
  reply: Replies["produce"] | undefined;
}

interface ModelTopic {
  readonly id: number;
  readonly partitions: readonly ModelPartition[];
  settings: TopicSettings;
  /** Where messages with ids are. They are known for ever. */
  readonly ids: Map<string, { readonly partition: number; readonly offset: number }>;
}

/** The reply to a request. */
export type Answer = Replies[keyof Replies];

/** The topics. */
export class PlainTopics {
  readonly topics = new Map<string, ModelTopic>();
  /** The groups, with their members and what they have committed. */
  readonly groups = new PlainGroups((name) => this.topics.get(name)?.partitions.length ?? 0);
  /** What the metadata tells. */
  servers: Replies["metadata"]["servers"] = [];
  leader = "";
  /** What it says that it can do besides; it knows no compression itself. */
  features = 0;
  /** Whether a produce makes a topic that is missing. */
  createsTopics = true;
  #lastId = 0;
  #lastProducer = 0;
  readonly #waiting = new Set<() => void>();

  /** Makes a topic. */
  create(name: string, partitions: number): ModelTopic {
    const topic: ModelTopic = {
      id: ++this.#lastId,
      partitions: Array.from({ length: partitions }, () => {
        return { messages: [], start: 0, producers: new Map() };
      }),
      ids: new Map(),
      settings: {
        retentionMs: 604_800_000,
        retentionBytes: -1,
        segmentBytes: 64,
        segmentMs: 1,
        dedupeMs: 120_000,
      },
    };
    this.topics.set(name, topic);
    return topic;
  }

  /** The values of a partition as texts, from offset 0 on. */
  values(topic: string, partition: number): string[] {
    const decoder = new TextDecoder();
    return this.partition(topic, partition).messages
      .map(({ value }) => decoder.decode(value ?? new Uint8Array()));
  }

  /** A partition; throws a `TopicError` when it is not there. */
  partition(topic: string, partition: number): ModelPartition {
    const found = this.#topic(topic).partitions[partition];
    if (found === undefined) throw new TopicError(CODE.PARTITION_NOT_FOUND, "no partition");
    return found;
  }

  /** The reply; throws a `TopicError` when the request is refused. Only a fetch that waits gives a promise. */
  answer(request: Request): Answer | Promise<Answer> {
    switch (request.kind) {
      case "produce":
        return this.#produce(request.body);
      case "fetch":
        return this.#fetch(request.body, request.version === 2);
      case "getOffset": {
        const { topic, partition, time } = request.body;
        const { start, messages } = this.partition(topic, partition);
        const atTime = time === undefined ? -1 : messages.findIndex(({ timestamp }, i) => {
          return i >= start && timestamp >= time;
        });
        const { length } = messages;
        return { topic, partition, start, end: length, highWaterMark: length, atTime };
      }
      case "createTopic": {
        const { topic, partitions } = request.body;
        const there = this.topics.get(topic);
        if (there !== undefined && there.partitions.length !== partitions) {
          throw new TopicError(CODE.TOPIC_EXISTS, "topic exists");
        }
        if (there === undefined) this.create(topic, partitions);
        return { topic, created: there === undefined };
      }
      case "deleteTopic": {
        const { topic } = request.body;
        this.#topic(topic);
        return { topic, deleted: this.topics.delete(topic) };
      }
      case "listTopics":
        return {
          topics: [...this.topics].map(([name, { partitions }]) => {
            return { name, partitions: partitions.length };
          }).sort((a, b) => a.name < b.name ? -1 : 1),
        };
      case "healthCheck":
        return { status: "healthy", uptimeSeconds: 1 };
      case "commitOffsets":
        return this.groups.commit(request.body);
      case "fetchOffsets": {
        const { group, partitions } = request.body;
        const { committed } = this.groups.group(group);
        if (partitions.length === 0) return { offsets: [...committed.values()] };
        return {
          offsets: partitions.map(({ topic, partition }) =>
            committed.get(`${topic} ${partition}`) ?? { topic, partition, offset: -1, metadata: "" }
          ),
        };
      }
      case "initProducer":
        return { producerId: ++this.#lastProducer, epoch: 0 };
      case "hello":
        return { serverId: "model", clusterId: "c", features: this.features };
      case "metadata": {
        const wanted = request.body.topics;
        const topics = [...this.topics].filter(([name]) =>
          wanted.length === 0 || wanted.includes(name)
        );
        return {
          servers: this.servers,
          leader: this.leader,
          topics: topics.map(([name, { id, partitions }]) => ({
            name,
            topicId: id,
            partitions: partitions.map(({ start, messages }) => {
              return { start, highWaterMark: messages.length };
            }),
          })),
        };
      }
      case "describeTopic": {
        const { topic } = request.body;
        const { id, settings, partitions } = this.#topic(topic);
        return {
          topic,
          topicId: id,
          replicationFactor: 0,
          settings,
          partitions: partitions.map(({ start, messages }) => {
            return { start, highWaterMark: messages.length, bytes: messages.length };
          }),
        };
      }
      case "alterTopic": {
        const { topic, settings } = request.body;
        const there = this.#topic(topic);
        const changes = Object.entries(settings).filter(([, value]) => value !== -2);
        there.settings = { ...there.settings, ...Object.fromEntries(changes) };
        return { settings: there.settings };
      }
      case "transact":
        return this.#transact(request.body);
      case "deleteRecords": {
        const { topic, partition, offset } = request.body;
        const there = this.partition(topic, partition);
        there.start = offset === OFFSET.latest ? there.messages.length : offset;
        return { start: there.start };
      }
      case "joinGroup":
        return this.groups.join(request.body);
      case "syncGroup":
        return this.groups.sync(request.body);
      case "heartbeat":
        return this.groups.beat(request.body);
      case "leaveGroup":
        return this.groups.leave(request.body);
      case "describeGroup":
        return this.groups.describe(request.body);
      case "listGroups":
        return {
          groups: [...this.groups.groups].map(([group, { generation, members }]) => {
            return { group, generation, members: members.size };
          }),
        };
    }
  }

  #topic(name: string): ModelTopic {
    const topic = this.topics.get(name);
    if (topic === undefined) throw new TopicError(CODE.TOPIC_NOT_FOUND, "no topic");
    return topic;
  }

  /** All of it or nothing: what has been here before is told again, what is in the way of a part is found before. */
  #transact(
    { producerId: id, epoch, parts, group, offsets }: Extract<
      Request,
      { kind: "transact" }
    >["body"],
  ): Replies["transact"] {
    const said = (baseSequence: number) => id === 0 ? undefined : { id, epoch, baseSequence };
    const isAgain = id !== 0 && parts.some(({ topic, partition, baseSequence }) => {
      const sent = this.topics.get(topic)?.partitions[partition]?.producers.get(id) ?? [];
      return sent.some(({ sequence }) => sequence === baseSequence);
    });
    const { committed: kept } = this.groups.group(group);
    if (!isAgain) {
      for (const { topic, partition } of parts) {
        if (this.topics.has(topic) || !this.createsTopics) this.partition(topic, partition);
      }
      for (const { topic, partition, expected } of offsets) {
        this.partition(topic, partition);
        const found = kept.get(`${topic} ${partition}`)?.offset ?? -1;
        if (expected === -2 || expected === found) continue;
        throw new TopicError(CODE.TRANSACTION_ABORTED, `offset ${found}, expected ${expected}`);
      }
    }
    const done = parts.map(({ topic, partition, baseSequence, messages }) => {
      const rest = { acks: -1, timeoutMs: 0, codec: 0 };
      return this.#produce({ topic, partition, producer: said(baseSequence), messages, ...rest });
    });
    if (isAgain) return { parts: done };
    for (const { expected: _, ...one } of offsets) kept.set(`${one.topic} ${one.partition}`, one);
    return { parts: done };
  }

  #produce(
    { topic, partition, producer, messages: set }: Extract<Request, { kind: "produce" }>["body"],
  ): Replies["produce"] {
    if (!this.topics.has(topic) && this.createsTopics) this.create(topic, 1);
    const { messages, producers } = this.partition(topic, partition);
    const sent = this.#known(producers, producer, set.count);
    if (sent?.reply !== undefined) return { ...sent.reply, highWaterMark: messages.length };
    const baseOffset = messages.length;
    const duplicates: DuplicateMessage[] = [];
    const { ids } = this.#topic(topic);
    readMessages({ ...set, bytes: set.bytes.slice() }, true).forEach((message, i) => {
      const id = message.headers.find(([name]) => name === ID_HEADER)?.[1].toHex();
      const known = id === undefined ? undefined : ids.get(id);
      if (known !== undefined) return duplicates.push({ message: i, ...known });
      const offset = messages.length;
      if (id !== undefined) ids.set(id, { partition, offset });
      messages.push({ ...message, offset });
    });
    for (const wake of [...this.#waiting]) wake();
    const { length: highWaterMark } = messages;
    const reply = { baseOffset, count: highWaterMark - baseOffset, highWaterMark, duplicates };
    if (sent !== undefined) sent.reply = reply;
    return reply;
  }

  /** A batch that came before, with its reply; notes one that is new. */
  #known(
    producers: ModelPartition["producers"],
    producer: ProducerBatch | undefined,
    count: number,
  ): ModelSent | undefined {
    if (producer === undefined) return undefined;
    const { id, baseSequence } = producer;
    const batches = producers.get(id) ?? [];
    producers.set(id, batches);
    const same = batches.find(({ sequence }) => sequence === baseSequence);
    if (same !== undefined) return same;
    const last = batches.at(-1);
    const expected = last === undefined ? 0 : last.sequence + last.count;
    if (baseSequence !== expected) {
      const text = `sequence ${baseSequence}, expected ${expected}`;
      throw new TopicError(CODE.OUT_OF_ORDER_SEQUENCE, text);
    }
    const sent = { sequence: baseSequence, count, reply: undefined };
    batches.push(sent);
    if (batches.length > KNOWN_BATCHES) batches.shift();
    return sent;
  }

  async #fetch(
    { topic, partition, offset, maxBytes, maxWaitMs }: Extract<Request, { kind: "fetch" }>["body"],
    nulls: boolean,
  ): Promise<Replies["fetch"]> {
    const there = this.partition(topic, partition);
    const from = offset === OFFSET.latest
      ? there.messages.length
      : offset === OFFSET.earliest
      ? there.start
      : offset;
    if (from < there.start || from > there.messages.length) {
      throw new TopicError(CODE.OFFSET_OUT_OF_RANGE, `offset ${from}`);
    }
    if (from === there.messages.length && maxWaitMs > 0) await this.#change(maxWaitMs);
    const writer = new FrameWriter();
    let count = 0;
    for (const message of there.messages.slice(from)) {
      const before = writer.length;
      writeMessage(writer, message, nulls);
      if (writer.length > maxBytes && count > 0) {
        writer.reset(before);
        break;
      }
      count++;
    }
    const messages = { count, bytes: writer.finish() };
    return { highWaterMark: there.messages.length, codec: CODEC.none, messages };
  }

  /** Resolves with the next produce, or after so many milliseconds. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#waiting.add(wake);
    });
  }

  /** Ends all waiting. */
  close(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
