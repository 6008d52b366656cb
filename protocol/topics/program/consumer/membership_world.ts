/**
 * What a member of a group needs, and what it is told.
 *
 * @module
 */

import type { CallOptions } from "../../../call_options.ts";
import type { Replies, Requests } from "../../requests.ts";
import type { Timing } from "./timing.ts";

/** What a member asks. */
export type MemberKind = "joinGroup" | "syncGroup" | "heartbeat" | "leaveGroup" | "commitOffsets";

/** What a membership needs. */
export interface MembershipWorld extends Timing {
  /** Asks the server that leads. */
  ask<K extends MemberKind>(
    kind: K,
    request: Requests[K],
    options: CallOptions,
  ): Promise<Replies[K]>;
  /** Begins to read partitions; what rejects is tried again. */
  assigned(partitions: readonly number[]): Promise<void>;
  /** Ends reading partitions, and commits what is done with: nobody else has them before it resolves. */
  revoked(partitions: readonly number[]): Promise<void>;
  /** Ends reading partitions which others may have: nothing of them can be committed. */
  lost(partitions: readonly number[]): Promise<void>;
  /** Something failed that does not pass by itself; it is tried again after a while all the same. */
  failed(error: unknown): void;
  /** It is current again. */
  resumed(): void;
}

/** Of which group, and how. */
export interface MembershipOptions {
  readonly group: string;
  readonly topic: string;
  /** What people know it by. */
  readonly client: string;
  /** Servers remove it after so many milliseconds of silence. */
  readonly sessionTimeoutMs: number;
  /** And when it has not handed over what is not its for so many milliseconds. */
  readonly rebalanceTimeoutMs: number;
  /** Milliseconds that a request may take. */
  readonly timeoutMs: number;
}
