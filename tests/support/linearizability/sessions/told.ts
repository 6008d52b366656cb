/**
 * What a process of clients with sessions is given, and what it tells.
 *
 * @module
 */

import type { Operation } from "../history.ts";

/** A session that a process is to have. */
export interface Assignment {
  readonly number: number;
  /** The id of the session, when another process has begun it. */
  readonly resume?: string;
}

/** One line. */
export type Told =
  /** It wants to know the time. */
  | { readonly clock: true }
  /** A session has this id. */
  | { readonly session: number; readonly id: string }
  /** Something is about to be sent. */
  | { readonly begun: Operation }
  /** It is answered, or given up. */
  | { readonly ended: Operation };
