/**
 * One node as memberlist knows it (`spec/memberlist.md` section 8.1).
 *
 * @module
 */

/** The states of a node; the numbers are those of the push/pull wire format (section 6.3). */
export const NodeState = { alive: 0, suspect: 1, dead: 2, left: 3 } as const;

/** One of the numbers of {@linkcode NodeState}. */
export type NodeState = (typeof NodeState)[keyof typeof NodeState];

/** The six version numbers of a node in wire order: pmin, pmax, pcur, dmin, dmax, dcur (section 1.2). */
export type Versions = readonly [number, number, number, number, number, number];

/** A node of the cluster. A snapshot: it does not change after it was handed out. */
export interface MemberNode {
  /** Unique name. */
  readonly name: string;
  /** IP address bytes exactly as advertised: 4 or 16, never normalised (section 8.1). */
  readonly addr: Uint8Array;
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
