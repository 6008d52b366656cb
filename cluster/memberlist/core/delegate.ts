/**
 * What an application on top of memberlist is asked and told (docs/spec/memberlist.md 11).
 *
 * @module
 */

import type { MemberNode } from "./node.ts";

/**
 * The hooks of an application. Every one is called synchronously and must not block.
 *
 * @example
 * ```ts
 * import type { Delegate } from "@skein/agent/cluster";
 *
 * const quiet: Delegate = {
 *   nodeMeta: () => new TextEncoder().encode("role=web"),
 *   notifyMessage() {},
 *   getBroadcasts: () => [],
 *   localState: () => new Uint8Array(0),
 *   mergeRemoteState() {},
 *   notifyJoin: ({ name }) => console.log(`${name} is there`),
 *   notifyLeave: ({ name }) => console.log(`${name} is gone`),
 *   notifyUpdate() {},
 *   notifyConflict() {},
 *   ackPayload: () => null,
 *   notifyPingComplete() {},
 * };
 * console.log(quiet.nodeMeta(512).length);
 * ```
 */
export interface Delegate {
  /** The meta blob of the own node, at most `limit` bytes. Asked at start and by `updateNode`. */
  nodeMeta(limit: number): Uint8Array;
  /** A user message arrived by packet or stream. `message` is without memberlist's type byte. */
  notifyMessage(message: Uint8Array): void;
  /** User messages to gossip; the sum of `length + overhead` over them must not exceed `limit`. */
  getBroadcasts(overhead: number, limit: number): Uint8Array[];
  /** The application's half of a push/pull. */
  localState(join: boolean): Uint8Array;
  /**
   * The peer's half of a push/pull; not called when the peer sent none. `chosen` tells whether somebody asked this node
   * to join the peer, so that it is more than a stranger. What takes long may be done in pieces; the exchange of states
   * is over when that is.
   */
  mergeRemoteState(state: Uint8Array, join: boolean, chosen?: boolean): void | Promise<void>;
  /** A node became alive (new, or again after dead or left). */
  notifyJoin(node: MemberNode): void;
  /** A node became dead or left. */
  notifyLeave(node: MemberNode): void;
  /** A node that took part is forgotten, as it never answered and others need its place. */
  notifyForget?(node: MemberNode): void;
  /** The meta of an alive node changed. */
  notifyUpdate(node: MemberNode): void;
  /** An alive message named a known node with another address; it was ignored. */
  notifyConflict(existing: MemberNode, other: MemberNode): void;
  /** Payload for the ack to a direct ping, or `null`. */
  ackPayload(): Uint8Array | null;
  /** A direct probe was answered in time; `rttMs` is the round trip in milliseconds. */
  notifyPingComplete(node: MemberNode, rttMs: number, payload: Uint8Array): void;
  /** Nodes that a join wants to merge; a returned text vetoes the merge and is its reason. */
  notifyMerge?(nodes: MemberNode[]): string | undefined;
  /** A node that an alive message names; a returned text vetoes the message. */
  notifyAlive?(node: MemberNode): string | undefined;
}
