/**
 * What a consumer needs of who makes it: servers, time, and the errors that its program knows.
 *
 * @module
 */

import type { CallOptions } from "../../../call_options.ts";
import type { Fetch, Fetched, Replies, Requests } from "../../requests.ts";
import type { MemberKind } from "./membership_world.ts";
import type { Timing } from "./timing.ts";

/** What a consumer asks. */
export type ConsumerKind = MemberKind | "metadata" | "getOffset" | "fetchOffsets";

/** Messages, and how many bytes they took on their way. */
export interface Arrived extends Fetched {
  readonly wireBytes: number;
}

/** The servers, and the time. */
export interface ConsumerWorld extends Timing {
  /** What people know the members of groups by. */
  readonly client: string;
  /** How long closing waits for servers, in milliseconds. */
  readonly closeLimitMs: number;
  /** Asks the server that leads, with as many tries as the time allows. */
  ask<K extends ConsumerKind>(
    kind: K,
    request: Requests[K],
    options: CallOptions,
  ): Promise<Replies[K]>;
  /** Fetches messages, as they were before they were compressed, if they were. */
  fetch(request: Fetch, options: CallOptions): Promise<Arrived>;
  /** Why a consumer that is closed does nothing. */
  closed(): Error;
  /** Why something that took so many milliseconds did not come about. */
  late(timeoutMs: number): Error;
}
