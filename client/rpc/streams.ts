/**
 * The streams that a client opens.
 *
 * @module
 */

import type { StreamEvent } from "./event.ts";
import type { RecordStream } from "../net/record_stream.ts";

/**
 * Events as they happen.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type EventStream, RpcClient } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * await using events: EventStream = await client.stream("user");
 * console.log(events.dropped);
 * ```
 */
export type EventStream = RecordStream<StreamEvent>;
/**
 * Log lines, first those that the agent has kept.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type LogStream, RpcClient } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * const log: LogStream = await client.monitor("debug");
 * for await (const line of log) {
 *   console.log(line);
 *   break;
 * }
 * ```
 */
export type LogStream = RecordStream<string>;
