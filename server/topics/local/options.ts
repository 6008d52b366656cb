/**
 * What a program may say to the topics of its agent.
 *
 * @module
 */

import type { ConsumerOptions } from "../../../protocol/topics/program/consumer/settings.ts";

/**
 * When a producer of an agent sends, and what it does about failures.
 *
 * @example
 * ```ts
 * import { Agent, type AgentProducerOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({ dev: true, bind: "127.0.0.1:0", peerAddr: "127.0.0.1:0", kvAddr: "none", sessionAddr: "none", topicsAddr: "none" });
 * const options: AgentProducerOptions = { idempotent: true };
 * await using producer = agent.topics.producer(options);
 * console.log(await producer.send("lines", { value: "one" })); // { partition: 0, offset: 0 }
 * ```
 */
export interface AgentProducerOptions {
  /** See `TopicProducerOptions.idempotent`. Default false. */
  readonly idempotent?: boolean;
  /** Bytes of messages that are not settled: beyond them `ready` waits, and beyond twice as many `send` refuses. Default 33,554,432. */
  readonly bufferBytes?: number;
  /** Milliseconds that a batch may take, with all its tries. Default 30,000. */
  readonly timeoutMs?: number;
}

/**
 * What a consumer of an agent reads, and from where.
 *
 * @example
 * ```ts
 * import { Agent, type AgentConsumerOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({ dev: true, bind: "127.0.0.1:0", peerAddr: "127.0.0.1:0", kvAddr: "none", sessionAddr: "none", topicsAddr: "none" });
 * await agent.topics.createTopic("lines");
 * const options: AgentConsumerOptions = { start: "latest" };
 * await using consumer = agent.topics.consumer("lines", options);
 * console.log(await consumer.position(0)); // 0
 * ```
 */
export type AgentConsumerOptions = ConsumerOptions;
