/**
 * What clients, producers and consumers are to do, with all defaults.
 *
 * @module
 */

import type { TlsOptions } from "../net/dial.ts";
import type { ClusterOptions } from "./wire/cluster.ts";
import type { TriesOptions } from "./wire/retry.ts";

/** How a client connects. */
export interface ClientSettings extends ClusterOptions {
  readonly name: string;
  readonly token: string;
  readonly tls: TlsOptions | undefined;
  readonly dialTimeoutMs: number;
  readonly connections: number;
  readonly idleMs: number;
}

/** When a batch is sent, and how many at once. */
export interface LaneSettings {
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly lingerMs: number;
  readonly maxInFlight: number;
}

/** What a producer is to do. */
export interface ProducerSettings extends LaneSettings, TriesOptions {
  /** Bytes of messages that are not settled, at most; as many again may wait for room. */
  readonly bufferBytes: number;
  readonly idempotent: boolean;
  /** Whether servers are to acknowledge nothing. */
  readonly async: boolean;
  /** How messages are compressed, one of `CODEC`. */
  readonly codec: number;
  /** Milliseconds that a batch may take, with all tries. */
  readonly timeoutMs: number;
}
