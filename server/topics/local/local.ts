/**
 * Topics for the program that an agent runs in.
 *
 * @module
 */

import { requireArgument, requireOptions } from "../../../protocol/arguments.ts";
import { CODE, TopicError } from "../../../protocol/topics/mod.ts";
import {
  checkRetention,
  infoOf,
  retentionOf,
  type TopicInfo,
  type TopicRetention,
  wireSettings,
} from "../../../protocol/topics/program/topics.ts";
import {
  groupInfoOf,
  groupsOf,
  type TopicGroup,
  type TopicGroupInfo,
} from "../../../protocol/topics/program/groups.ts";
import { wireTime } from "../../../protocol/topics/program/start.ts";
import type { TopicConsumer, TopicProducer } from "../../../protocol/topics/program/types.ts";
import { within } from "../../net/deadline.ts";
import { DRAIN_LIMIT_MS } from "../limits.ts";
import { localConsumer } from "./consumer.ts";
import type { AgentConsumerOptions, AgentProducerOptions } from "./options.ts";
import { LocalProducer } from "./producer.ts";
import { type LocalParts, LocalRequests } from "./requests.ts";

export { TopicError } from "../../../protocol/topics/errors.ts";
export type {
  NewTopicMessage,
  TopicMessage,
  TopicPosition,
} from "../../../protocol/topics/program/messages.ts";
export type { ConsumerOptions } from "../../../protocol/topics/program/consumer/settings.ts";
export type { TopicGroup, TopicGroupInfo } from "../../../protocol/topics/program/groups.ts";
export type { TopicInfo, TopicRetention } from "../../../protocol/topics/program/topics.ts";
export type {
  ConsumerStatistics,
  ProducerStatistics,
  TopicConsumer,
  TopicProducer,
  TopicProgress,
  TopicStart,
  TopicTransaction,
  TransactedMessage,
} from "../../../protocol/topics/program/types.ts";
export type { AgentConsumerOptions, AgentProducerOptions } from "./options.ts";

/**
 * The topics of an agent that is a server, without a connection. Any server does, whoever leads. Each method rejects with a
 * `TopicError`, or with an `OutcomeUnknownError` when it changes something and may have done so.
 *
 * Producers and consumers are those of `TopicClient`, but that what they cannot do is a `TopicError`, too. A consumer reads what this
 * server has, which may be a moment behind what the leader has acknowledged.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({ dev: true, bind: "127.0.0.1:0", peerAddr: "127.0.0.1:0", kvAddr: "none", sessionAddr: "none", topicsAddr: "none" });
 * const { topics } = agent;
 * await topics.createTopic("orders", { partitions: 3 });
 * await using producer = topics.producer({ idempotent: true });
 * const { partition, offset } = await producer.send("orders", { key: "7", value: "paid" });
 * await using consumer = topics.consumer("orders", { group: "billing" });
 * const message = await consumer.fetchOne();
 * console.log(message?.partition === partition, message?.offset === offset, message?.value?.text()); // true true paid
 * ```
 */
export class AgentTopics {
  readonly #requests: LocalRequests;
  readonly #closing = new AbortController();
  readonly #users = new Set<LocalProducer | TopicConsumer>();

  /** The topics behind `parts`. */
  constructor(parts: LocalParts) {
    this.#requests = new LocalRequests(parts);
  }

  /**
   * Creates a topic. Resolves with whether it is new: one that has as many partitions may be there already, and is then only given
   * the retention that the options say. Rejects with `TOPIC_EXISTS` when it is there with another number of partitions.
   */
  async createTopic(topic: string, options: AgentTopicOptions = {}): Promise<boolean> {
    checkRetention("createTopic", options, { partitions: "number" });
    const { partitions = 1, timeoutMs, ...retention } = options;
    const request = { ...named(topic), partitions, replicationFactor: 0 };
    const { created } = await this.#requests.ask("createTopic", request, { timeoutMs });
    if (wireSettings(retention)) {
      await this.alterTopic(topic, { ...retention, ...timeoutMs !== undefined && { timeoutMs } });
    }
    return created;
  }

  /** Deletes a topic with all its messages. One that is created with the same name begins anew. */
  async deleteTopic(topic: string, options: AgentTopicCallOptions = {}): Promise<void> {
    checkCall("deleteTopic", options);
    await this.#requests.ask("deleteTopic", named(topic), options);
  }

  /** The topics by name, each with the number of its partitions. */
  async listTopics(
    options: AgentTopicCallOptions = {},
  ): Promise<{ readonly name: string; readonly partitions: number }[]> {
    checkCall("listTopics", options);
    return [...(await this.#requests.ask("listTopics", {}, options)).topics];
  }

  /** All about a topic. */
  async describeTopic(topic: string, options: AgentTopicCallOptions = {}): Promise<TopicInfo> {
    checkCall("describeTopic", options);
    return infoOf(await this.#requests.ask("describeTopic", named(topic), options));
  }

  /** Changes how long and in which pieces the messages of a topic are kept. Resolves with what holds then. */
  async alterTopic(
    topic: string,
    changes: TopicRetention & AgentTopicCallOptions,
  ): Promise<Required<TopicRetention>> {
    checkRetention("alterTopic", changes);
    const { timeoutMs, ...retention } = changes;
    const settings = wireSettings(retention);
    const about = named(topic);
    if (settings === undefined) {
      const { settings: now } = await this.#requests.ask("describeTopic", about, { timeoutMs });
      return retentionOf(now);
    }
    const request = { ...about, settings };
    return retentionOf((await this.#requests.ask("alterTopic", request, { timeoutMs })).settings);
  }

  /**
   * Deletes the messages of a partition before an offset, by default all. Resolves with the offset of the first one that is left.
   */
  async deleteRecords(
    topic: string,
    partition: number,
    before: number | "latest" = "latest",
    options: AgentTopicCallOptions = {},
  ): Promise<number> {
    checkCall("deleteRecords", options);
    const offset = before === "latest" ? -1 : before;
    const request = { ...named(topic), partition, offset };
    return (await this.#requests.ask("deleteRecords", request, options)).start;
  }

  /** Where the messages of a partition begin and end: `end` is the offset that the next one will have. */
  async offsets(
    topic: string,
    partition: number,
    options: AgentTopicCallOptions = {},
  ): Promise<{ readonly start: number; readonly end: number }> {
    checkCall("offsets", options);
    const request = { ...named(topic), partition };
    const { start, highWaterMark } = await this.#requests.ask("getOffset", request, options);
    return { start, end: highWaterMark };
  }

  /**
   * The offset of the first message of a partition whose timestamp is at or after a time, a `Date` or milliseconds since 1970;
   * `undefined` when there is none. Timestamps are what producers say: later messages may have earlier ones.
   */
  async offsetAt(
    topic: string,
    partition: number,
    time: Date | number,
    options: AgentTopicCallOptions = {},
  ): Promise<number | undefined> {
    checkCall("offsetAt", options);
    const request = { ...named(topic), partition, time: wireTime(time) };
    const { atTime } = await this.#requests.ask("getOffset", request, options);
    return atTime >= 0 ? atTime : undefined;
  }

  /** The offsets that a group has committed, of all topics. */
  async committedOffsets(
    group: string,
    options: AgentTopicCallOptions = {},
  ): Promise<{ readonly topic: string; readonly partition: number; readonly offset: number }[]> {
    checkCall("committedOffsets", options);
    requireArgument("name of a group", group, "text");
    const { offsets } = await this.#requests.ask(
      "fetchOffsets",
      { group, partitions: [] },
      options,
    );
    return offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  }

  /** The groups that have members or committed offsets, by name. */
  async listGroups(options: AgentTopicCallOptions = {}): Promise<TopicGroup[]> {
    checkCall("listGroups", options);
    return groupsOf((await this.#requests.ask("listGroups", {}, options)).groups);
  }

  /** The members of a group, and what each of them reads. Rejects with `UNKNOWN_GROUP` when it has neither members nor offsets. */
  async describeGroup(group: string, options: AgentTopicCallOptions = {}): Promise<TopicGroupInfo> {
    checkCall("describeGroup", options);
    requireArgument("name of a group", group, "text");
    return groupInfoOf(group, await this.#requests.ask("describeGroup", { group }, options));
  }

  /** A producer, for any topics. It ends with the agent. */
  producer(options: AgentProducerOptions = {}): TopicProducer {
    this.#checkOpen();
    const producer = new LocalProducer(this.#requests, options, this.#closing.signal, (one) => {
      this.#users.delete(one);
    });
    this.#users.add(producer);
    return producer;
  }

  /** A consumer of a topic. It ends with the agent. */
  consumer(topic: string, options: AgentConsumerOptions = {}): TopicConsumer {
    this.#checkOpen();
    const consumer: TopicConsumer = localConsumer(this.#requests, topic, options, () => {
      this.#users.delete(consumer);
    });
    this.#users.add(consumer);
    return consumer;
  }

  /**
   * Ends all producers and consumers, and begins no more. Resolves when nothing of them is under way, or when that takes longer than
   * the port gives clients: without a majority of the servers nobody answers.
   */
  async close(): Promise<void> {
    this.#closing.abort();
    // They end by what they are told.
    await within(DRAIN_LIMIT_MS, Promise.allSettled([...this.#users].map((user) => user.close())));
  }

  #checkOpen(): void {
    if (this.#closing.signal.aborted) throw new TopicError(CODE.OVERLOADED, "The agent ends");
  }
}

/**
 * What all requests about topics may say.
 *
 * @example
 * ```ts
 * import { Agent, type AgentTopicCallOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({ dev: true, bind: "127.0.0.1:0", peerAddr: "127.0.0.1:0", kvAddr: "none", sessionAddr: "none", topicsAddr: "none" });
 * const options: AgentTopicCallOptions = { timeoutMs: 1_000 };
 * console.log(await agent.topics.listTopics(options)); // []
 * ```
 */
export interface AgentTopicCallOptions {
  /** How long it may take, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
}

/**
 * How a topic is created.
 *
 * @example
 * ```ts
 * import { Agent, type AgentTopicOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({ dev: true, bind: "127.0.0.1:0", peerAddr: "127.0.0.1:0", kvAddr: "none", sessionAddr: "none", topicsAddr: "none" });
 * const options: AgentTopicOptions = { partitions: 6, retentionMs: 3_600_000 };
 * console.log(await agent.topics.createTopic("clicks", options)); // true
 * ```
 */
export interface AgentTopicOptions extends AgentTopicCallOptions, TopicRetention {
  /** 1 to 1,024. Default 1. */
  readonly partitions?: number;
}

function named(topic: string): { readonly topic: string } {
  requireArgument("name of a topic", topic, "text");
  return { topic };
}

function checkCall(call: string, options: AgentTopicCallOptions): void {
  requireOptions(call, options, { timeoutMs: "duration" });
}
