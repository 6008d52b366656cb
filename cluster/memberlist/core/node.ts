/**
 * One node as memberlist knows it (docs/spec/memberlist.md 8.1).
 *
 * @module
 */

import type { Address } from "../../runtime.ts";

/**
 * Where to send something, and to whom.
 *
 * @example
 * ```ts
 * import type { Destination } from "@skein/agent/cluster";
 *
 * const beta: Destination = { host: "10.0.0.6", port: 7946, name: "beta" };
 * console.log(beta.name);
 * ```
 */
export interface Destination extends Address {
  /** Name of the node that is expected there; needed when `requireNodeNames` is set. */
  readonly name?: string;
}

/**
 * The states of a node; the numbers are those of the push/pull wire format (docs/spec/memberlist.md 6.3).
 *
 * @example
 * ```ts
 * import { type MemberNode, NodeState } from "@skein/agent/cluster";
 *
 * const isAlive = ({ state }: MemberNode): boolean => state === NodeState.alive;
 * ```
 */
export const NodeState = { alive: 0, suspect: 1, dead: 2, left: 3 } as const;

/** One of the numbers of {@linkcode NodeState}. */
export type NodeState = (typeof NodeState)[keyof typeof NodeState];

/**
 * The six version numbers of a node in wire order (docs/spec/memberlist.md 1.2): the memberlist protocol it
 * understands at least and at most and the one it speaks, then the same of its application ("delegate").
 *
 * @example
 * ```ts
 * import type { Versions } from "@skein/agent/cluster";
 *
 * const versions: Versions = [1, 5, 2, 2, 5, 5];
 * console.log(versions.length);
 * ```
 */
export type Versions = readonly [
  pmin: number,
  pmax: number,
  pcur: number,
  dmin: number,
  dmax: number,
  dcur: number,
];

/**
 * A node of the cluster. It does not change after it was handed out; what changes is another object.
 *
 * @example
 * ```ts
 * import type { MemberNode } from "@skein/agent/cluster";
 *
 * const show = ({ name, host, port }: MemberNode): string => `${name} ${host}:${port}`;
 * ```
 */
export interface MemberNode extends Destination {
  /** Unique name. */
  readonly name: string;
  /** IP address bytes exactly as advertised: 4 or 16, never normalised (docs/spec/memberlist.md 8.1). */
  readonly addr: Uint8Array;
  /** `addr` in text, as the transport takes it. */
  readonly host: string;
  /** Port for packets and streams. */
  readonly port: number;
  /** Application data, at most 512 bytes. */
  readonly meta: Uint8Array;
  /** Counter that orders statements about this node; 32 bits. */
  readonly incarnation: number;
  /** Alive, suspect, dead or left. */
  readonly state: NodeState;
  /** Protocol versions. All 0 when the node never told. */
  readonly versions: Versions;
}

/**
 * Knowledge that thousands of members in one process hold once, instead of once each.
 *
 * @example
 * ```ts
 * import type { MemberNode, SharedKnowledge } from "@skein/agent/cluster";
 *
 * const held = new Map<string, MemberNode>();
 * const shared: SharedKnowledge = {
 *   known: [],
 *   views: new WeakMap(),
 *   intern(node) {
 *     const key = `${node.name} ${node.incarnation} ${node.state}`;
 *     const equal = held.get(key) ?? node;
 *     held.set(key, equal);
 *     return equal;
 *   },
 * };
 * console.log(shared.known.length);
 * ```
 */
export interface SharedKnowledge {
  /** Nodes that a member knows from its start on, as if it had learned of them long ago: it tells nobody. */
  readonly known: readonly MemberNode[];
  /** The object to keep in place of `node`: an equal one, if there is one already. */
  intern(node: MemberNode): MemberNode;
  /** What Serf last showed of each node. */
  readonly views: WeakMap<MemberNode, object>;
}

/** Whether the node takes part in the cluster as far as is known: it is alive or only suspected. */
export function isLive(node: MemberNode): boolean {
  return node.state === NodeState.alive || node.state === NodeState.suspect;
}

/** The highest memberlist protocol that the node understands (docs/spec/memberlist.md 1.2). */
export function maxProtocol(node: MemberNode): number {
  return node.versions[1];
}
