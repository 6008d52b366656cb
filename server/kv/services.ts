/**
 * What the connections of a key-value port share.
 *
 * @module
 */

import type { LineFields } from "../logging/log.ts";
import type { SharedBacklog } from "../net/outbox.ts";
import type { PubSub } from "../../cluster/pubsub/mod.ts";
import type { StateService } from "../replica/service.ts";
import type { Attachments } from "../replica/sessions/mod.ts";
import type { Access } from "./access/access.ts";
import type { Places } from "../../cluster/places.ts";

/** Figures of a port since it began. */
export interface Counters {
  /** Connections that were accepted. */
  connections: number;
  /** Requests that were read, good or bad. */
  requests: number;
  /** Answers that were failures. */
  failures: number;
  /** Tokens and passwords that were wrong. */
  authFailures: number;
}

/** What requests are done with. */
export interface Services {
  /** The replicated state. */
  readonly state: StateService;
  /** Who may do what; `undefined`: everybody everything. */
  readonly access: Access | undefined;
  /** The sessions on connections of this agent; `undefined` where it keeps no state. */
  readonly sessions: Attachments | undefined;
  /** How long a session lives without a sign of its client, in milliseconds. */
  readonly sessionTimeoutMs: number;
  /** The channels. */
  readonly pubsub: PubSub;
  /** Lets few listings be gone through at a time: they are more work than other requests. */
  readonly listings: Places;
  /** Bytes of answers that wait at all connections. */
  readonly waiting: SharedBacklog;
  /** Bytes of messages that wait at all connections. */
  readonly pushed: SharedBacklog;
  /** Name of this agent. */
  readonly node: string;
  /** Version of the program. */
  readonly version: string;
  /** How long a request may take, in milliseconds. */
  readonly requestLimitMs: number;
  /** How long a connection may be without a line, in milliseconds; 0: for ever. */
  readonly idleLimitMs: number;
  /** How long a connection that only listens may be without a line before it is asked for one, in milliseconds. */
  readonly pingMs: number;
  /** How long a line may take, in milliseconds. */
  readonly lineLimitMs: number;
  /** Whether a line of the log is written about each request. */
  logsRequests: boolean;
  /** When the port began, by the wall clock, in milliseconds. */
  readonly startedAt: number;
  /** Figures. */
  readonly counters: Counters;
  /** Connections that are open. */
  connections(): number;
  /** Whether the port is closing: connections say so before they end. */
  readonly closing: boolean;
  /** Writes a line about a client's mistake, unless there was one of this kind about its address within the last second. */
  complain(source: string, kind: string, text: string): void;
  /** Writes a line at DEBUG; a text that is given as a function is made when somebody sees it. */
  tell(text: string | (() => string), fields?: LineFields): void;
  /** Logs a fault of the program with its stack, and returns what names it. */
  incident(error: unknown): string;
}
