/**
 * Queries to the cluster, as a program asks them.
 *
 * @module
 */

import { QueryRecord as WireRecord, type QueryRequest } from "../protocol/ipc.ts";
import { decode } from "../protocol/msgpack/mod.ts";
import { bytesOf, ownBytes, type Payload } from "./payload.ts";
import { END, type RecordStream, type StreamOptions } from "./record_stream.ts";

/** Options of a query. */
export interface QueryOptions extends StreamOptions {
  /** Names of the only nodes to ask. Default: all. */
  readonly filterNodes?: readonly string[];
  /** Patterns (RE2) by tag: only nodes whose tags match all of them are asked. Default: all. */
  readonly filterTags?: Readonly<Record<string, string>>;
  /** Whether each node that is asked confirms that it was. Default false. */
  readonly requestAck?: boolean;
  /** Through how many other members each answer travels besides, 0 to 255. Default 0. */
  readonly relayFactor?: number;
  /**
   * How long answers are taken, in milliseconds; 0 for the agent's default, negative for no time at all. It does not bound
   * how long the agent may take to accept the query; `acceptTimeoutMs` does. Default 0.
   */
  readonly timeoutMs?: number;
  /** Milliseconds until the agent must have accepted the query. Default: the client's `timeoutMs`. */
  readonly acceptTimeoutMs?: number;
}

/** A node has received the query. */
export interface QueryAck {
  /** Tells it from an answer. */
  readonly type: "ack";
  /** Name of the node, as it says. */
  readonly from: string;
}

/** A node has answered. */
export interface QueryResponse {
  /** Tells it from an ack. */
  readonly type: "response";
  /** Name of the node, as it says. */
  readonly from: string;
  /** What it answered; `null` when it answered without a payload. */
  readonly payload: Uint8Array | null;
}

/** What a query brings. */
export type QueryRecord = QueryAck | QueryResponse;

/** Acks and answers as they come; ends when the agent says that the query is over. */
export type QueryStream = RecordStream<QueryRecord>;

/** A query as the agent gets it. */
export function queryRequest(
  name: string,
  payload: Payload,
  options: QueryOptions,
): QueryRequest {
  const { filterNodes = [], filterTags = {}, timeoutMs = 0 } = options;
  return {
    FilterNodes: [...filterNodes],
    FilterTags: { ...filterTags },
    RequestAck: options.requestAck ?? false,
    RelayFactor: options.relayFactor ?? 0,
    Timeout: nanoseconds(timeoutMs),
    Name: name,
    Payload: bytesOf(payload),
  };
}

/** Longest time the protocol can name: 2^63-1 nanoseconds. */
const MAX_TIMEOUT_NS = 2n ** 63n - 1n;

/** Whole nanoseconds; a positive time stays positive. */
function nanoseconds(ms: number): bigint {
  const sign = ms < 0 ? -1n : 1n;
  const size = Math.ceil(Math.abs(ms) * 1e6);
  if (Number.isNaN(size)) throw new RangeError(`Query timeout must be a number, got ${ms}`);
  return sign * (size < Number(MAX_TIMEOUT_NS) ? BigInt(size) : MAX_TIMEOUT_NS);
}

/** What a record says; `undefined` for one that says nothing, {@linkcode END} for the last one. */
export function decodeQueryRecord(record: Uint8Array): QueryRecord | typeof END | undefined {
  const { Type: type, From: from, Payload: payload } = decode(WireRecord, record);
  if (type === "done") return END;
  // Agents may send empty records when a query ends (agent.md 4.3).
  if (from === "") return undefined;
  if (type === "ack") return { type, from };
  return type === "response" ? { type, from, payload: ownBytes(payload) } : undefined;
}
