/**
 * Topics as programs see them.
 *
 * @module
 */

import { requireOptions } from "../../arguments.ts";
import type { TopicDescription, TopicSettings } from "../requests.ts";
import type { CallOptions } from "../../call_options.ts";

/**
 * How long and in which pieces the messages of a topic are kept, and for how long their ids are known.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicRetention } from "@skein/agent/client";
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
 * const aDay: TopicRetention = { retentionMs: 86_400_000, retentionBytes: Infinity };
 * await client.createTopic("events", aDay);
 * ```
 */
export interface TopicRetention {
  /** Messages go so many milliseconds after they were appended; `Infinity`: never. */
  readonly retentionMs?: number;
  /** The oldest messages of a partition go when it has more bytes than that; `Infinity`: never. */
  readonly retentionBytes?: number;
  /** Bytes of a segment: messages go segment by segment. */
  readonly segmentBytes?: number;
  /** Milliseconds after its first message at which a segment ends. */
  readonly segmentMs?: number;
  /** Of messages with one id, one is appended within so many milliseconds; 0: all are. Default 120,000. */
  readonly dedupeMs?: number;
}

/**
 * Options of {@linkcode TopicClient.createTopic}.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type CreateTopicOptions, TopicClient } from "@skein/agent/client";
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
 * const options: CreateTopicOptions = { partitions: 6, retentionMs: 3_600_000 };
 * console.log(await client.createTopic("events", options)); // true
 * ```
 */
export interface CreateTopicOptions extends CallOptions, TopicRetention {
  /** 1 to 1,024. Default 1. */
  readonly partitions?: number;
}

/**
 * All about a topic.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicInfo } from "@skein/agent/client";
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
 * await client.createTopic("events", { partitions: 2 });
 * const { partitions, retention }: TopicInfo = await client.describeTopic("events");
 * console.log(partitions.length, retention.retentionBytes); // 2 Infinity
 * ```
 */
export interface TopicInfo {
  /** Its name. */
  readonly name: string;
  /** A number that no other topic has, has had or will have. */
  readonly id: number;
  /** How long and in which pieces its messages are kept. */
  readonly retention: Required<TopicRetention>;
  /** Its partitions, from 0 on. */
  readonly partitions: readonly {
    /** Offset of the first message that is kept. */
    readonly start: number;
    /** Offset after that of the last message. */
    readonly end: number;
    /** Bytes of the messages that are kept. */
    readonly bytes: number;
  }[];
}

/**
 * The servers, and the topics with their partitions.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicCluster } from "@skein/agent/client";
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
 * const { servers, leader }: TopicCluster = await client.metadata();
 * console.log(servers.find(({ id }) => id === leader)?.address);
 * ```
 */
export interface TopicCluster {
  /** The servers. */
  readonly servers: readonly {
    /** Name of its agent. */
    readonly id: string;
    /** Where it serves topics, `host:port`; `undefined` when it does not. */
    readonly address: string | undefined;
    /** Whether its vote counts. */
    readonly voter: boolean;
  }[];
  /** Id of the server that leads; `undefined` when none is known to. */
  readonly leader: string | undefined;
  /** The topics, by name. */
  readonly topics: readonly {
    /** Its name. */
    readonly name: string;
    /** A number that no other topic has, has had or will have. */
    readonly id: number;
    /** Its partitions, from 0 on, each with the offset of its first message and that after its last one. */
    readonly partitions: readonly { readonly start: number; readonly end: number }[];
  }[];
}

/** Stands for "as it is" in a request. */
const UNCHANGED = -2;
/** Stands for "never". */
const NEVER = -1;

const RETENTION = {
  retentionMs: "number",
  retentionBytes: "number",
  segmentBytes: "number",
  segmentMs: "number",
  dedupeMs: "number",
} as const;

/**
 * Checks options that may have how long messages are kept.
 *
 * @throws {TypeError} when one is unknown or of a wrong type
 */
export function checkRetention(call: string, options: object, more: object = {}): void {
  requireOptions(call, options, { ...RETENTION, ...more, signal: "signal", timeoutMs: "duration" });
}

/** What a request says of it; `undefined` when it says nothing. */
export function wireSettings(retention: TopicRetention): TopicSettings | undefined {
  const names = Object.keys(RETENTION) as (keyof typeof RETENTION)[];
  if (names.every((name) => retention[name] === undefined)) return undefined;
  const settings = names.map((name) => {
    const value = retention[name];
    return [name, value === undefined ? UNCHANGED : value === Infinity ? NEVER : value] as const;
  });
  return Object.fromEntries(settings) as unknown as TopicSettings;
}

/** What a reply says of it. */
export function retentionOf(settings: TopicSettings): Required<TopicRetention> {
  const entries = Object.entries(settings).map(([name, value]) => [
    name,
    value === NEVER ? Infinity : value,
  ]);
  return Object.fromEntries(entries) as Required<TopicRetention>;
}

/** A topic that was described. */
export function infoOf({ topic, topicId, settings, partitions }: TopicDescription): TopicInfo {
  return {
    name: topic,
    id: topicId,
    retention: retentionOf(settings),
    partitions: partitions.map(({ start, highWaterMark, bytes }) => {
      return { start, end: highWaterMark, bytes };
    }),
  };
}
