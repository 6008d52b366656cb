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
import { DEFAULT_PORT } from "../../protocol/topics/limits.ts";
import type { ConsumerOptions } from "../../protocol/topics/program/consumer/settings.ts";
import { whole, within } from "../../protocol/topics/program/numbers.ts";
import { codecOf } from "../../protocol/topics/zlib/compression.ts";
import type { TlsOptions } from "../net/dial.ts";
import {
  DEFAULT_BATCH_BYTES,
  DEFAULT_BATCH_MESSAGES,
  DEFAULT_BUFFER_BYTES,
  DEFAULT_DIAL_TIMEOUT_MS,
  DEFAULT_IDLE_MS,
  DEFAULT_LINGER_MS,
  DEFAULT_MAX_DELAY_MS,
  DEFAULT_MIN_DELAY_MS,
  DEFAULT_TIMEOUT_MS,
  MAX_BATCH_BYTES,
  MAX_CONNECTIONS,
  MAX_IN_FLIGHT,
} from "./defaults.ts";
import type { ClientSettings, ProducerSettings } from "./settings.ts";
import type { TopicCompression } from "../../protocol/topics/program/types.ts";

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
 * What a consumer reads, from where, and how servers are asked for it.
 *
 * @example
 * ```ts
 * import type { TopicConsumerOptions } from "@skein/agent/client";
 *
 * const options: TopicConsumerOptions = { group: "billing", start: "latest", autoCommitMs: 0 };
 * console.log(options.group);
 * ```
 */
export interface TopicConsumerOptions extends ConsumerOptions {
  /** Bytes that a server waits for. Default 1. */
  readonly minBytes?: number;
  /** Milliseconds that a server waits for them, at least 10. Default 500. */
  readonly maxWaitMs?: number;
  /** Whether any server may answer, from what it has: it may be behind. Default false: the one that leads. */
  readonly anyServer?: boolean;
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

/** The kinds of the options of a consumer that only a client knows. */
export const CONSUMER: OptionKinds = {
  minBytes: "number",
  maxWaitMs: "duration",
  anyServer: "switch",
  compression: "text",
};

/** The number of a way to compress, one of `CODEC`; `of` says whose option it is. */
export function checkedCodec(of: string, compression: TopicCompression | undefined): number {
  if (compression === undefined || ["gzip", "deflate"].includes(compression)) {
    return codecOf(compression);
  }
  const expected = `expected "gzip" or "deflate", got ${kindOf(compression)}`;
  throw new TypeError(`Invalid option 'compression' of ${of}: ${expected}`);
}
