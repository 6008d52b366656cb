/**
 * What members of groups and servers say to each other (docs/spec/topics.md 6).
 *
 * @module
 */

import type { Partition } from "./names.ts";

/** Makes a member of a group, or changes what one subscribes to. */
export interface JoinGroup {
  readonly group: string;
  /** Empty: a new one. */
  readonly member: string;
  /** What people know it by. */
  readonly client: string;
  /** It is removed when nothing was heard of it for so many milliseconds. */
  readonly sessionTimeoutMs: number;
  /** So many milliseconds it may read on what is another member's now. */
  readonly rebalanceTimeoutMs: number;
  /** 1 to 256, each once. */
  readonly topics: readonly string[];
}

/** A member of a group. */
export interface Membership {
  readonly member: string;
  readonly generation: number;
}

/** Says what a member reads, and asks what it is to read. */
export interface SyncGroup extends Membership {
  readonly group: string;
  /** What it reads, or has read and not committed. */
  readonly held: readonly Partition[];
}

/** What a member is to read. */
export interface Share {
  readonly generation: number;
  /** What it held and is not in here it stops to read, and syncs again. */
  readonly assigned: readonly Partition[];
  /** Whether there is more for it, which another member still reads. */
  readonly more: boolean;
}

/** A member of a group that is described. */
export interface DescribedMember extends Membership {
  readonly client: string;
  /** What it may be reading. */
  readonly owned: readonly Partition[];
}

/** All about a group but its offsets. */
export interface GroupDescription {
  readonly generation: number;
  readonly members: readonly DescribedMember[];
}

/** A group of a list. */
export interface ListedGroup {
  readonly group: string;
  readonly generation: number;
  /** How many it has; 0: only committed offsets. */
  readonly members: number;
}
