/**
 * Queries to the cluster, as a program asks them.
 *
 * @module
 */

import { QueryRecord as WireRecord, type QueryRequest } from "../../protocol/ipc/mod.ts";
import { decode } from "../../protocol/msgpack/mod.ts";
import { bytesOf, ownPayload, type PayloadBytes } from "../../protocol/payload.ts";
import type { Payload } from "./payload.ts";
import { END, type RecordStream, type StreamOptions } from "../net/record_stream.ts";

/**
 * Options of a query.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type QueryOptions, RpcClient } from "@skein/agent/client";
 *
 * const options: QueryOptions = { tags: { role: "web" }, requestAck: true, timeoutMs: 50 };
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * for await (const record of await client.query("load", null, options)) console.log(record);
 * ```
 */
export interface QueryOptions extends StreamOptions {
  /** Names of the only nodes to ask. Default: all. */
  readonly nodes?: readonly string[];
  /** Patterns (RE2) by tag: only nodes whose tags match all of them are asked. Default: all. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Whether each node that is asked confirms that it was. Default false. */
  readonly requestAck?: boolean;
  /** Through how many other members each answer travels besides, 0 to 255. Default 0. */
  readonly relayFactor?: number;
  /**
   * How long answers are taken, in milliseconds; 0 for the agent's default, negative for no time at all. It does not
   * bound how long the agent may take to accept the query; `acceptTimeoutMs` does. Default 0.
   */
  readonly timeoutMs?: number;
  /** Milliseconds until the agent must have accepted the query. Default: the client's `timeoutMs`. */
  readonly acceptTimeoutMs?: number;
}

/**
 * A node has received the query.
 *
 * @example
 * ```ts
 * import type { QueryAck } from "@skein/agent/client";
 *
 * const show = ({ from }: QueryAck): void => console.log(`${from} has got it`);
 * show({ type: "ack", from: "alpha" });
 * ```
 */
export interface QueryAck {
  /** Tells it from an answer. */
  readonly type: "ack";
  /** Name of the node, as it says. */
  readonly from: string;
}

/**
 * A node has answered.
 *
 * @example
 * ```ts
 * import type { QueryResponse } from "@skein/agent/client";
 *
 * const show = ({ from, payload }: QueryResponse): void => console.log(from, payload);
 * show({ type: "response", from: "alpha", payload: null });
 * ```
 */
export interface QueryResponse {
  /** Tells it from an ack. */
  readonly type: "response";
  /** Name of the node, as it says. */
  readonly from: string;
  /** What it answered; `null` when it answered without a payload. */
  readonly payload: PayloadBytes | null;
}

/**
 * What a query brings.
 *
 * @example
 * ```ts
 * import type { QueryRecord } from "@skein/agent/client";
 *
 * const show = (record: QueryRecord): void =>
 *   console.log(record.from, record.type === "ack" ? "has got it" : record.payload);
 * show({ type: "ack", from: "alpha" });
 * ```
 */
export type QueryRecord = QueryAck | QueryResponse;

/**
 * Acks and answers as they come; ends when the agent says that the query is over.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { type QueryStream, RpcClient } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({ bind: "127.0.0.1:0" });
 * const { port } = agent.listenRpc("127.0.0.1:0").address;
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${port}` });
 * const query: QueryStream = await client.query("load", null, { timeoutMs: 50 });
 * for await (const { type, from } of query) console.log(type, from);
 * ```
 */
export type QueryStream = RecordStream<QueryRecord>;

/** A query as the agent gets it. */
export function queryRequest(
  name: string,
  payload: Payload,
  options: QueryOptions,
): QueryRequest {
  const { nodes = [], tags = {}, timeoutMs = 0 } = options;
  return {
    FilterNodes: [...nodes],
    FilterTags: { ...tags },
    RequestAck: options.requestAck ?? false,
    RelayFactor: options.relayFactor ?? 0,
    Timeout: nanoseconds(timeoutMs),
    Name: name,
    Payload: bytesOf(payload),
  };
}

/** Longest time the protocol can name: 2^63-1 nanoseconds. */
const MAX_TIMEOUT_NS = 2n ** 63n - 1n;

/** Whole nanoseconds, as the protocol has times; a positive time stays positive. */
export function nanoseconds(ms: number): bigint {
  const sign = ms < 0 ? -1n : 1n;
  const size = Math.ceil(Math.abs(ms) * 1e6);
  if (Number.isNaN(size)) throw new RangeError(`Timeout must be a number, got ${ms}`);
  return sign * (size < Number(MAX_TIMEOUT_NS) ? BigInt(size) : MAX_TIMEOUT_NS);
}

/** What a record says; `undefined` for one that says nothing, {@linkcode END} for the last one. */
export function decodeQueryRecord(record: Uint8Array): QueryRecord | typeof END | undefined {
  const { Type: type, From: from, Payload: payload } = decode(WireRecord, record);
  if (type === "done") return END;
  // Agents may send empty records when a query ends (docs/spec/agent.md 4.3).
  if (from === "") return undefined;
  if (type === "ack") return { type, from };
  return type === "response" ? { type, from, payload: ownPayload(payload) } : undefined;
}
