/**
 * The member table: every member that Serf remembers, whatever its status, with the lists of those that
 * failed and those that left (docs/spec/serf.md 6.1).
 *
 * @module
 */

import type { MemberNode } from "../../memberlist/core/node.ts";
import type { Timer } from "../../runtime.ts";
import type { Member, MemberStatus } from "../model/member.ts";
import type { Tags } from "../model/tags.ts";

/** One member of the table. Only {@linkcode MemberTable} changes `node` and `status`. */
export interface MemberRecord {
  /** Unique name. */
  readonly name: string;
  /** What memberlist said at the last join or update; its state and incarnation may be older than memberlist's. */
  node: MemberNode;
  /** Where the member is in its life. */
  status: MemberStatus;
  /** Lamport time of the newest intent about the member. */
  statusTime: bigint;
  /** Clock milliseconds at which the member failed or left; `undefined` while it has not. */
  leftAt: number | undefined;
  /** The pending erasure of a member that is leaving (docs/spec/serf.md 7.5). */
  pruneTimer: Timer | undefined;
}

/** What a table needs of its owner. */
export interface MemberTableHooks {
  /** Called with the name of a member that is no longer alive: it leaves, has failed, or is forgotten. */
  onGone(name: string): void;
  /** The tags of a node, frozen. */
  tagsOf(node: MemberNode): Tags;
}

/** All members by name. */
export class MemberTable {
  readonly #records = new Map<string, MemberRecord>();
  readonly #failed = new Map<string, MemberRecord>();
  readonly #left = new Map<string, MemberRecord>();
  readonly #hooks: MemberTableHooks;
  /** The last view of a node that was made. */
  readonly #views: WeakMap<MemberNode, Member>;
  #version = 0;
  #all: { version: number; members: readonly Member[] } = { version: -1, members: [] };

  /** An empty table. Tables that share nodes may share the views of these, too. */
  constructor(hooks: MemberTableHooks, views: WeakMap<MemberNode, Member> = new WeakMap()) {
    this.#hooks = hooks;
    this.#views = views;
  }

  /** Grows with each change that a view shows. */
  get version(): number {
    return this.#version;
  }

  /** Members of any status. */
  get size(): number {
    return this.#records.size;
  }

  /** Members that failed, in the order in which they did. */
  get failed(): ReadonlyMap<string, MemberRecord> {
    return this.#failed;
  }

  /** Members that left, in the order in which they did. */
  get left(): ReadonlyMap<string, MemberRecord> {
    return this.#left;
  }

  /** The member of that name. */
  get(name: string): MemberRecord | undefined {
    return this.#records.get(name);
  }

  /** Every record. */
  records(): IterableIterator<MemberRecord> {
    return this.#records.values();
  }

  /** Adds a member that is not in the table yet. */
  add(node: MemberNode, status: MemberStatus, statusTime: bigint): MemberRecord {
    const { name } = node;
    const record: MemberRecord = {
      name,
      node,
      status,
      statusTime,
      leftAt: undefined,
      pruneTimer: undefined,
    };
    this.#records.set(name, record);
    this.#version++;
    return record;
  }

  /** Replaces what memberlist knows of a member. */
  setNode(record: MemberRecord, node: MemberNode): void {
    record.node = node;
    this.#version++;
  }

  /** Changes the status and with it the lists that the member is in. */
  setStatus(record: MemberRecord, status: MemberStatus): void {
    this.#failed.delete(record.name);
    this.#left.delete(record.name);
    if (status === "failed") this.#failed.set(record.name, record);
    if (status === "left") this.#left.set(record.name, record);
    record.status = status;
    this.#version++;
    if (status !== "alive") this.#hooks.onGone(record.name);
  }

  /** Forgets a member. */
  erase(record: MemberRecord): void {
    record.pruneTimer?.cancel();
    record.pruneTimer = undefined;
    this.#records.delete(record.name);
    this.#failed.delete(record.name);
    this.#left.delete(record.name);
    this.#version++;
    this.#hooks.onGone(record.name);
  }

  /** The member as the outside sees it; the same object until it changes. */
  view({ node, status }: MemberRecord): Member {
    const known = this.#views.get(node);
    if (known?.status === status) return known;
    const made = freeze(node, known?.tags ?? this.#hooks.tagsOf(node), status);
    this.#views.set(node, made);
    return made;
  }

  /** Views of all members; the same array until {@linkcode version} grows. */
  all(): readonly Member[] {
    if (this.#all.version !== this.#version) {
      const members = Array.from(this.#records.values(), (record) => this.view(record));
      this.#all = { version: this.#version, members };
    }
    return this.#all.members;
  }
}

/** A frozen member. */
export function freeze(node: MemberNode, tags: Tags, status: MemberStatus): Member {
  const [protocolMin, protocolMax, protocolCur, delegateMin, delegateMax, delegateCur] =
    node.versions;
  return Object.freeze({
    name: node.name,
    addr: node.addr,
    port: node.port,
    tags,
    status,
    protocolMin,
    protocolMax,
    protocolCur,
    delegateMin,
    delegateMax,
    delegateCur,
  });
}
