/**
 * What a program gives to a client of topics, its producers and its consumers.
 *
 * @module
 */

import {
  kindOf,
  type OptionKinds,
  requireArgument,
  requireOptions,
} from "../../protocol/arguments.ts";
import { DEFAULT_PORT, MAX_FRAME_BYTES } from "../../protocol/topics/limits.ts";
import { codecOf } from "../../protocol/topics/zlib/compression.ts";
import type { TlsOptions } from "../net/dial.ts";
import {
  DEFAULT_AUTO_COMMIT_MS,
  DEFAULT_BATCH_BYTES,
  DEFAULT_BATCH_MESSAGES,
  DEFAULT_BUFFER_BYTES,
  DEFAULT_DIAL_TIMEOUT_MS,
  DEFAULT_FETCH_BYTES,
  DEFAULT_IDLE_MS,
  DEFAULT_LINGER_MS,
  DEFAULT_MAX_DELAY_MS,
  DEFAULT_MAX_WAIT_MS,
  DEFAULT_MIN_DELAY_MS,
  DEFAULT_TIMEOUT_MS,
  MAX_BATCH_BYTES,
  MAX_CONNECTIONS,
  MAX_IN_FLIGHT,
  MIN_MAX_WAIT_MS,
} from "./defaults.ts";
import type { ClientSettings, ConsumerSettings, ProducerSettings } from "./settings.ts";
import { checkStart } from "../../protocol/topics/program/start.ts";
import type { TopicCompression, TopicStart } from "../../protocol/topics/program/types.ts";

/**
 * How often something is tried that failed for a reason that passes.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { TopicClient, type TopicRetryOptions } from "@skein/agent/client";
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
 * const retry: TopicRetryOptions = { maxDelayMs: 500 };
 * await using other = await TopicClient.connect({ address: agent.state!.addresses.topicsAddr!, retry });
 * console.log((await other.health()).healthy); // true
 * ```
 */
export interface TopicRetryOptions {
  /** Tries after the first one. Default: as many as the time allows. */
  readonly retries?: number;
  /** Milliseconds before the second try, a quarter more or less; each try doubles them. Default 100. */
  readonly minDelayMs?: number;
  /** Milliseconds between two tries, at most. Default 1,000. */
  readonly maxDelayMs?: number;
}

/**
 * Where servers are, and how they are asked.
 *
 * @example
 * ```ts
 * import type { TopicConnectOptions } from "@skein/agent/client";
 *
 * const options: TopicConnectOptions = { address: "10.0.0.1:9092,10.0.0.2:9092", retry: { maxDelayMs: 500 } };
 * console.log(options.address);
 * ```
 */
export interface TopicConnectOptions {
  /**
   * Addresses of servers, `host:port` with commas between; the others and the one that leads are found by them. Default
   * "127.0.0.1:9092".
   */
  readonly address?: string;
  /** What servers are told who connects. Default: nothing. */
  readonly name?: string;
  /** Token that servers are shown, on each connection. Default: none. */
  readonly token?: string;
  /** Whether and how connections are encrypted. Default false. */
  readonly tls?: boolean | TlsOptions;
  /** Milliseconds that a request may take, with all its tries. Default 30,000. */
  readonly timeoutMs?: number;
  /** Milliseconds that a connection may take to come about. Default 10,000. */
  readonly dialTimeoutMs?: number;
  /** Connections to each server, 1 to 5. Default 1, which any number of requests share. */
  readonly connections?: number;
  /** Milliseconds after which a connection that nobody needs is closed; less than servers wait. Default 240,000. */
  readonly idleMs?: number;
  /** How often requests are tried. */
  readonly retry?: TopicRetryOptions;
  /** Gives the first connection up. */
  readonly signal?: AbortSignal;
}

/**
 * When a producer sends, and what it does about failures.
 *
 * @example
 * ```ts
 * import type { TopicProducerOptions } from "@skein/agent/client";
 *
 * const options: TopicProducerOptions = { idempotent: true, lingerMs: 2 };
 * console.log(options.idempotent);
 * ```
 */
export interface TopicProducerOptions {
  /**
   * Whether servers know batches that come again, so that they are sent again also when it is not known whether they arrived, and
   * each message is there once all the same. Default false.
   */
  readonly idempotent?: boolean;
  /** Whether servers acknowledge nothing: messages are sent, and whether they arrived is not known. Default false. */
  readonly async?: boolean;
  /** Messages of a batch, at most. Default 100. */
  readonly maxMessages?: number;
  /** Bytes of a batch, but for a message that takes more by itself. Default 65,536; at most 8 MiB. */
  readonly maxBytes?: number;
  /** Milliseconds that the first message of a batch waits for more; 0: what is sent in one turn of the loop goes together. Default 10. */
  readonly lingerMs?: number;
  /** Batches of a partition that are under way at once. Default 5, which is also the most. */
  readonly maxInFlight?: number;
  /** Bytes of messages that are not settled: more of them wait, and beyond twice as many are refused. Default 33,554,432. */
  readonly bufferBytes?: number;
  /** Milliseconds that a batch may take, with all its tries. Default: the client's. */
  readonly timeoutMs?: number;
  /**
   * How messages are compressed on their way: less volume for more work. Servers keep them as they are. Default: not at all, nor
   * at servers that cannot do it.
   */
  readonly compression?: TopicCompression;
}

/**
 * What a consumer reads, and from where.
 *
 * @example
 * ```ts
 * import type { TopicConsumerOptions } from "@skein/agent/client";
 *
 * const options: TopicConsumerOptions = { group: "billing", start: "latest", autoCommitMs: 0 };
 * console.log(options.group);
 * ```
 */
export interface TopicConsumerOptions {
  /** Which partitions. Default: all that there are when it begins. */
  readonly partitions?: readonly number[];
  /** Where it begins, unless its group has committed an offset. Default "earliest". */
  readonly start?: TopicStart;
  /** Where it goes on when the messages at its offset are gone, or were never there. Default "earliest". */
  readonly onOutOfRange?: "earliest" | "latest" | "error";
  /** Name under which offsets are committed. Default: none are. */
  readonly group?: string;
  /** Milliseconds between two commits of what is done with; 0: only with `commit`. Default 5,000. */
  readonly autoCommitMs?: number;
  /**
   * Bytes of a fetch, but for a message that takes more by itself. Two fetches of each partition are kept: of more than 32
   * partitions they are smaller, so that all take 64 MiB. Default 1,048,576.
   */
  readonly maxBytes?: number;
  /** Bytes that a server waits for. Default 1. */
  readonly minBytes?: number;
  /** Milliseconds that a server waits for them, at least 10. Default 500. */
  readonly maxWaitMs?: number;
  /** Whether any server may answer, from what it has: it may be behind. Default false: the one that leads. */
  readonly anyServer?: boolean;
  /** Milliseconds that a request may take, with all its tries. Default: the client's. */
  readonly timeoutMs?: number;
  /** How messages are compressed on their way, where that makes them shorter. Default: not at all. */
  readonly compression?: TopicCompression;
}

const MAX_U32 = 0xffff_ffff;
const MAX_MS = 0x7fff_ffff;

const CONNECT: OptionKinds = {
  address: "text",
  name: "text",
  token: "secret",
  tls: "any",
  timeoutMs: "duration",
  dialTimeoutMs: "duration",
  connections: "number",
  idleMs: "duration",
  retry: "any",
  signal: "signal",
};

/**
 * Checks the options of a client and makes settings of them.
 *
 * @throws {TypeError} when one is unknown or of a wrong type
 * @throws {RangeError} when one is out of its bounds
 */
export function clientSettings(options: TopicConnectOptions): ClientSettings {
  requireArgument("options of connect", options, "object");
  const { tls = false, retry = {} } = options;
  requireOptions("connect", options, CONNECT);
  requireOptions("retry", retry, {
    retries: "number",
    minDelayMs: "duration",
    maxDelayMs: "duration",
  });
  if (typeof tls !== "boolean") requireOptions("tls", tls, { caCerts: "list", serverName: "text" });
  const { address = `127.0.0.1:${DEFAULT_PORT}`, name = "", token = "" } = options;
  return {
    addresses: address.split(",").map((one) => one.trim()),
    name,
    token,
    tls: tls === true ? {} : tls || undefined,
    timeoutMs: within("timeoutMs", options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 0, Infinity),
    dialTimeoutMs: within(
      "dialTimeoutMs",
      options.dialTimeoutMs ?? DEFAULT_DIAL_TIMEOUT_MS,
      0,
      Infinity,
    ),
    connections: whole("connections", options.connections ?? 1, 1, MAX_CONNECTIONS),
    idleMs: within("idleMs", options.idleMs ?? DEFAULT_IDLE_MS, 1, MAX_MS),
    retries: within("retries", retry.retries ?? Infinity, 0, Infinity),
    minDelayMs: within("minDelayMs", retry.minDelayMs ?? DEFAULT_MIN_DELAY_MS, 1, MAX_MS),
    maxDelayMs: within("maxDelayMs", retry.maxDelayMs ?? DEFAULT_MAX_DELAY_MS, 1, MAX_MS),
  };
}

/** The same for a producer of a client. */
export function producerSettings(
  options: TopicProducerOptions,
  client: ClientSettings,
): ProducerSettings {
  requireOptions("producer", options, {
    idempotent: "switch",
    async: "switch",
    maxMessages: "number",
    maxBytes: "number",
    lingerMs: "duration",
    maxInFlight: "number",
    bufferBytes: "number",
    timeoutMs: "duration",
    compression: "text",
  });
  const { idempotent = false, async = false } = options;
  if (idempotent && async) {
    throw new TypeError("Invalid options of producer: expected idempotent or async, got both");
  }
  const { maxMessages = DEFAULT_BATCH_MESSAGES, maxBytes = DEFAULT_BATCH_BYTES } = options;
  return {
    idempotent,
    async,
    codec: checkedCodec("producer", options.compression),
    maxMessages: whole("maxMessages", maxMessages, 1, MAX_U32),
    maxBytes: whole("maxBytes", maxBytes, 1, MAX_BATCH_BYTES),
    lingerMs: within("lingerMs", options.lingerMs ?? DEFAULT_LINGER_MS, 0, MAX_MS),
    maxInFlight: whole("maxInFlight", options.maxInFlight ?? MAX_IN_FLIGHT, 1, MAX_IN_FLIGHT),
    bufferBytes: within("bufferBytes", options.bufferBytes ?? DEFAULT_BUFFER_BYTES, 1, Infinity),
    timeoutMs: within("timeoutMs", options.timeoutMs ?? client.timeoutMs, 1, MAX_MS),
    retries: client.retries,
    minDelayMs: client.minDelayMs,
    maxDelayMs: client.maxDelayMs,
  };
}

/** The same for a consumer. */
export function consumerSettings(
  topic: string,
  options: TopicConsumerOptions,
  client: ClientSettings,
): ConsumerSettings {
  requireArgument("name of a topic", topic, "text");
  requireArgument("options of consumer", options, "object");
  const { partitions, start = "earliest", onOutOfRange = "earliest" } = options;
  requireOptions("consumer", options, {
    group: "text",
    partitions: "any",
    start: "any",
    onOutOfRange: "any",
    autoCommitMs: "duration",
    maxBytes: "number",
    minBytes: "number",
    maxWaitMs: "duration",
    anyServer: "switch",
    timeoutMs: "duration",
    compression: "text",
  });
  checkStart("start", start);
  if (!["earliest", "latest", "error"].includes(onOutOfRange)) {
    const expected = `expected "earliest", "latest" or "error", got ${kindOf(onOutOfRange)}`;
    throw new TypeError(`Invalid option 'onOutOfRange' of consumer: ${expected}`);
  }
  const { group, autoCommitMs = DEFAULT_AUTO_COMMIT_MS, anyServer = false } = options;
  return {
    topic,
    partitions: partitions && checkedPartitions(partitions),
    start,
    onOutOfRange,
    group,
    autoCommitMs: group === undefined ? 0 : within("autoCommitMs", autoCommitMs, 0, MAX_MS),
    maxBytes: whole("maxBytes", options.maxBytes ?? DEFAULT_FETCH_BYTES, 1, MAX_FRAME_BYTES),
    minBytes: whole("minBytes", options.minBytes ?? 1, 0, MAX_U32),
    maxWaitMs: whole(
      "maxWaitMs",
      options.maxWaitMs ?? DEFAULT_MAX_WAIT_MS,
      MIN_MAX_WAIT_MS,
      MAX_MS,
    ),
    anyServer,
    codec: checkedCodec("consumer", options.compression),
    timeoutMs: within("timeoutMs", options.timeoutMs ?? client.timeoutMs, 1, Infinity),
  };
}

function checkedPartitions(partitions: readonly number[]): readonly number[] {
  if (!Array.isArray(partitions) || partitions.length === 0) {
    throw new TypeError("Invalid option 'partitions' of consumer: expected at least one");
  }
  for (const partition of partitions) whole("partitions", partition, 0, MAX_U32);
  return [...new Set(partitions)];
}

function checkedCodec(of: string, compression: TopicCompression | undefined): number {
  if (compression === undefined || ["gzip", "deflate"].includes(compression)) {
    return codecOf(compression);
  }
  const expected = `expected "gzip" or "deflate", got ${kindOf(compression)}`;
  throw new TypeError(`Invalid option 'compression' of ${of}: ${expected}`);
}

function whole(name: string, value: number, least: number, most: number): number {
  if (Number.isSafeInteger(value)) return within(name, value, least, most);
  throw new RangeError(`Option '${name}' is ${value}, expected a whole number`);
}

function within(name: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  throw new RangeError(`Option '${name}' is ${value}, expected ${least} to ${most}`);
}
