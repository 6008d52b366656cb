/**
 * What the connections of a session port share.
 *
 * @module
 */

import type { Places } from "../../cluster/places.ts";
import type { ClusterInfo } from "../../protocol/sessions/mod.ts";
import type { Access } from "../kv/access/access.ts";
import type { SharedBacklog } from "../net/outbox.ts";
import type { StateService } from "../replica/service.ts";
import type { Sessions } from "../replica/sessions/mod.ts";

/** The servers of the cluster, as this one knows them. */
export interface Cluster {
  /** Who leads, by the id that clients know. */
  readonly leaderId: string | undefined;
  /** Whether this server does: it may not have come so far that it has sessions. */
  readonly isLeader: boolean;
  /** All of them, with where they serve sessions. */
  info(): ClusterInfo;
}

/** What messages are dealt with by. */
export interface Services {
  /** The replicated state, for questions. */
  readonly state: StateService;
  /** The sessions, while this server leads. */
  readonly sessions: Sessions;
  readonly cluster: Cluster;
  /** Who may do what; `undefined`: everybody everything. */
  readonly access: Access | undefined;
  /** Lets few listings be gone through at a time. */
  readonly listings: Places;
  /** Bytes that wait at all connections. */
  readonly waiting: SharedBacklog;
  /** How long a question may take, in milliseconds. */
  readonly requestLimitMs: number;
  /** Whether the port is closing: clients are told before their connections end. */
  readonly closing: boolean;
  /** Writes a line about a client's mistake, unless there was one of this kind about its address within the last second. */
  complain(source: string, kind: string, text: string): void;
  /** Logs a fault of the program with its stack, and returns what names it. */
  incident(error: unknown): string;
}
