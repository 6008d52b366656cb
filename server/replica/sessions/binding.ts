/**
 * A session on a connection.
 *
 * @module
 */

import type { Delivery, Receiver } from "./delivery.ts";

/** Why a connection has its session no more. */
export type Parting =
  /** The client has connected anew, and the session is there now. */
  | "replaced"
  /** The session has ended. */
  | "expired"
  /** It has ended as the client wished. */
  | "closed"
  /** This server does not lead any more. */
  | "deposed";

/** A connection that a session can be on. */
export interface SessionLink extends Receiver {
  /** Whether it is there still. */
  readonly isOpen: boolean;
  /** The session is not on it any more. */
  part(why: Parting): void;
}

/** A session that is on a connection, as long as it is. */
export interface Binding {
  /** Id of the session. */
  readonly id: Uint8Array;
  /** The same as text. */
  readonly session: string;
  readonly link: SessionLink;
  /** Whether the state is to know that it is connected, since it may be given jobs. */
  works: boolean;
  /** Whether it does know, since the session has begun with that. */
  isKnown: boolean;
  /** Its server requests; none before the client is told that it has the session. */
  delivery: Delivery | undefined;
}
