/**
 * The client of topics: connections to servers, producers and consumers, and a method for each thing that can be done with topics.
 *
 * @module
 */

import { requireArgument, requireOptions } from "../../protocol/arguments.ts";
import { joinHostPort } from "../../protocol/host_port.ts";
import { ROLE } from "../../protocol/topics/codes.ts";
import type { CallOptions } from "../net/deadline.ts";
import type { Core } from "./core.ts";
import {
  clientSettings,
  type TopicConnectOptions,
  type TopicConsumerOptions,
  type TopicProducerOptions,
} from "./options.ts";
import type { TopicStatistics } from "./statistics.ts";
import {
  groupInfoOf,
  groupsOf,
  type TopicGroup,
  type TopicGroupInfo,
} from "../../protocol/topics/program/groups.ts";
import {
  checkRetention,
  type CreateTopicOptions,
  infoOf,
  retentionOf,
  type TopicCluster,
  type TopicInfo,
  type TopicRetention,
  wireSettings,
} from "../../protocol/topics/program/topics.ts";
import { wireTime } from "../../protocol/topics/program/start.ts";
import type { TopicConsumer, TopicProducer } from "../../protocol/topics/program/types.ts";

/**
 * Connections to the servers that keep topics. It finds the one that leads, and goes on with the next one when that changes.
 *
 * Calls may overlap in any number. They reject with a `TopicError` when the servers refuse, with `TimeoutError`,
 * `ConnectError`, `ConnectionClosedError` or the signal's reason when there is no answer. A call that changes something rejects
 * with an `OutcomeUnknownError` when its answer was lost: it may have been done.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient } from "@skein/agent/client";
 * import assert from "node:assert/strict";
 *
 * // Usually the agent is another process; this one makes the example complete.
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using client = await TopicClient.connect({ address: agent.state?.addresses.topicsAddr ?? "" });
 * await client.createTopic("orders", { partitions: 3 });
 * await using producer = client.producer({ idempotent: true });
 * const sent = await producer.send("orders", { key: "7", value: "paid" });
 *
 * await using consumer = client.consumer("orders", { group: "billing" });
 * for await (const { partition, offset, value } of consumer) {
 *   assert.deepEqual({ partition, offset }, sent);
 *   assert.equal(value?.text(), "paid");
 *   break;
 * }
 * await consumer.commit();
 * ```
 */
export class TopicClient implements AsyncDisposable {
  readonly #core: Core;

  private constructor(core: Core) {
    this.#core = core;
  }

  /**
   * Connects to one of the servers.
   *
   * @throws {ConnectError} when none can be reached
   * @throws {TopicError} when a server knows no such token
   */
  static async connect(options: TopicConnectOptions = {}): Promise<TopicClient> {
    const settings = clientSettings(options);
    const { Core } = await import("./core.ts");
    const core = new Core(settings);
    try {
      await core.cluster.reach(options.signal);
      return new TopicClient(core);
    } catch (error) {
      await core.close();
      throw error;
    }
  }

  /** What it has done so far. */
  get statistics(): TopicStatistics {
    return this.#core.statistics;
  }

  /** A producer, for any topics. */
  producer(options: TopicProducerOptions = {}): TopicProducer {
    return this.#core.producer(options);
  }

  /** A consumer of a topic. */
  consumer(topic: string, options: TopicConsumerOptions = {}): TopicConsumer {
    return this.#core.consumer(topic, options);
  }

  /**
   * Creates a topic. Resolves with whether it is new: one that has as many partitions may be there already, and is then only given
   * the retention that the options say.
   *
   * @throws {TopicError} `TOPIC_EXISTS` when it is there with another number of partitions
   */
  async createTopic(topic: string, options: CreateTopicOptions = {}): Promise<boolean> {
    checkRetention("createTopic", options, { partitions: "number" });
    const { partitions = 1, signal, timeoutMs, ...retention } = options;
    const call = { ...signal && { signal }, ...timeoutMs !== undefined && { timeoutMs } };
    const request = { ...named(topic), partitions, replicationFactor: 0 };
    const { created } = await this.#core.cluster.ask("createTopic", request, { ...call, ...AGAIN });
    if (wireSettings(retention)) await this.alterTopic(topic, { ...retention, ...call });
    return created;
  }

  /** Deletes a topic with all its messages. One that is created with the same name begins anew. */
  async deleteTopic(topic: string, options: CallOptions = {}): Promise<void> {
    checkCall("deleteTopic", options);
    await this.#core.cluster.ask("deleteTopic", named(topic), { ...options, changes: true });
  }

  /** The topics by name, each with the number of its partitions. */
  async listTopics(
    options: CallOptions = {},
  ): Promise<{ readonly name: string; readonly partitions: number }[]> {
    checkCall("listTopics", options);
    const { topics } = await this.#core.cluster.ask("listTopics", {}, options);
    return [...topics];
  }

  /** All about a topic. */
  async describeTopic(topic: string, options: CallOptions = {}): Promise<TopicInfo> {
    checkCall("describeTopic", options);
    return infoOf(await this.#core.cluster.ask("describeTopic", named(topic), options));
  }

  /** Changes how long and in which pieces the messages of a topic are kept. Resolves with what holds then. */
  async alterTopic(
    topic: string,
    changes: TopicRetention & CallOptions,
  ): Promise<Required<TopicRetention>> {
    checkRetention("alterTopic", changes);
    const { signal, timeoutMs, ...retention } = changes;
    const call = { ...signal && { signal }, ...timeoutMs !== undefined && { timeoutMs } };
    const settings = wireSettings(retention);
    if (settings === undefined) return (await this.describeTopic(topic, call)).retention;
    const request = { ...named(topic), settings };
    const altered = await this.#core.cluster.ask("alterTopic", request, { ...call, ...AGAIN });
    return retentionOf(altered.settings);
  }

  /** Deletes the messages of a partition before an offset, by default all. Resolves with the offset of the first one that is kept. */
  async deleteRecords(
    topic: string,
    partition: number,
    before: number | "latest" = "latest",
    options: CallOptions = {},
  ): Promise<number> {
    checkCall("deleteRecords", options);
    const offset = before === "latest" ? -1 : before;
    const request = { ...named(topic), partition, offset };
    const repeatable = before !== "latest";
    const call = { ...options, changes: true, repeatable };
    return (await this.#core.cluster.ask("deleteRecords", request, call)).start;
  }

  /** Where the messages of a partition begin and end: `end` is the offset that the next one will have. */
  async offsets(
    topic: string,
    partition: number,
    options: CallOptions = {},
  ): Promise<{ readonly start: number; readonly end: number }> {
    checkCall("offsets", options);
    const request = { ...named(topic), partition };
    const { start, highWaterMark } = await this.#core.cluster.ask("getOffset", request, options);
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
    options: CallOptions = {},
  ): Promise<number | undefined> {
    checkCall("offsetAt", options);
    const request = { ...named(topic), partition, time: wireTime(time) };
    const { atTime } = await this.#core.cluster.ask("getOffset", request, options);
    return atTime >= 0 ? atTime : undefined;
  }

  /** The offsets that a group has committed, of all topics. */
  async committedOffsets(
    group: string,
    options: CallOptions = {},
  ): Promise<{ readonly topic: string; readonly partition: number; readonly offset: number }[]> {
    checkCall("committedOffsets", options);
    requireArgument("name of a group", group, "text");
    const request = { group, partitions: [] };
    const { offsets } = await this.#core.cluster.ask("fetchOffsets", request, options);
    return offsets.map(({ topic, partition, offset }) => ({ topic, partition, offset }));
  }

  /** The groups that have members or committed offsets, by name. */
  async listGroups(options: CallOptions = {}): Promise<TopicGroup[]> {
    checkCall("listGroups", options);
    return groupsOf((await this.#core.cluster.ask("listGroups", {}, options)).groups);
  }

  /** The members of a group, and what each of them reads. Rejects with `UNKNOWN_GROUP` when it has neither members nor offsets. */
  async describeGroup(group: string, options: CallOptions = {}): Promise<TopicGroupInfo> {
    checkCall("describeGroup", options);
    requireArgument("name of a group", group, "text");
    return groupInfoOf(group, await this.#core.cluster.ask("describeGroup", { group }, options));
  }

  /** The servers, the one that leads, and these topics; without names all that there are. */
  async metadata(topics: readonly string[] = [], options: CallOptions = {}): Promise<TopicCluster> {
    checkCall("metadata", options);
    requireArgument("names of topics", topics, "list");
    const metadata = await this.#core.cluster.ask("metadata", { topics }, options);
    return {
      servers: metadata.servers.map(({ id, host, port, role }) => ({
        id,
        address: port > 0 ? joinHostPort(host, port) : undefined,
        voter: role === ROLE.voter,
      })),
      leader: metadata.leader || undefined,
      topics: metadata.topics.map(({ name, topicId, partitions }) => ({
        name,
        id: topicId,
        partitions: partitions.map(({ start, highWaterMark }) => ({ start, end: highWaterMark })),
      })),
    };
  }

  /** How the server that leads does. */
  async health(
    options: CallOptions = {},
  ): Promise<{ readonly healthy: boolean; readonly uptimeSeconds: number }> {
    checkCall("health", options);
    const request = { ...options, anywhere: true };
    const { status, uptimeSeconds } = await this.#core.cluster.ask("healthCheck", {}, request);
    return { healthy: status === "healthy", uptimeSeconds };
  }

  /**
   * Closes all connections, producers and consumers. What is under way rejects: who does not want that closes producers first, and
   * consumers with a group, which commit and leave it by that. Safe to call again.
   */
  close(): Promise<void> {
    return this.#core.close();
  }

  /** {@linkcode TopicClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Changes that are the same when they are done twice. */
const AGAIN = { changes: true, repeatable: true } as const;

function named(topic: string): { readonly topic: string } {
  requireArgument("name of a topic", topic, "text");
  return { topic };
}

function checkCall(call: string, options: CallOptions): void {
  requireOptions(call, options, { signal: "signal", timeoutMs: "duration" });
}
