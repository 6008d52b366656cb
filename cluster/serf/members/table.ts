/**
 * The member table: every member that Serf remembers, whatever its status, with the lists of those that
 * failed and those that left (serf.md 6).
 *
 * @module
 */

import type { Timer } from "../../runtime.ts";
import type { Versions } from "../../memberlist/node.ts";
import type { Member, MemberStatus } from "./member.ts";

/** What memberlist knows of a member; replaced as a whole at each join and update. */
export interface MemberFacts {
  /** IP address bytes, 4 or 16. */
  readonly addr: Uint8Array;
  /** Gossip port. */
  readonly port: number;
  /** Decoded node meta. */
  readonly tags: Readonly<Record<string, string>>;
  /** pmin, pmax, pcur, dmin, dmax, dcur. */
  readonly versions: Versions;
}

/** One member of the table. Only {@linkcode MemberTable} changes `facts` and `status`. */
export interface MemberRecord {
  /** Unique name. */
  readonly name: string;
  /** What memberlist says. */
  facts: MemberFacts;
  /** Where the member is in its life. */
  status: MemberStatus;
  /** Lamport time of the newest intent about the member. */
  statusTime: bigint;
  /** Clock milliseconds at which the member failed or left; `undefined` while it has not. */
  leftAt: number | undefined;
  /** The pending erasure of a member that is leaving (serf.md 7, "Prune"). */
  pruneTimer: Timer | undefined;
}

/** All members by name. */
export class MemberTable {
  readonly #records = new Map<string, MemberRecord>();
  readonly #failed = new Map<string, MemberRecord>();
  readonly #left = new Map<string, MemberRecord>();
  readonly #snapshots = new WeakMap<MemberRecord, Member>();
  readonly #onGone: (name: string) => void;
  #version = 0;
  #all: { version: number; members: readonly Member[] } = { version: -1, members: [] };

  /**
   * An empty table.
   *
   * @param onGone called with the name of a member that is no longer alive: it leaves, has failed, or is forgotten
   */
  constructor(onGone: (name: string) => void = () => {}) {
    this.#onGone = onGone;
  }

  /** Grows with each change that a snapshot shows. */
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
  add(name: string, facts: MemberFacts, status: MemberStatus, statusTime: bigint): MemberRecord {
    const record: MemberRecord = {
      name,
      facts,
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
  setFacts(record: MemberRecord, facts: MemberFacts): void {
    record.facts = facts;
    this.#changed(record);
  }

  /** Changes the status and with it the lists that the member is in. */
  setStatus(record: MemberRecord, status: MemberStatus): void {
    this.#failed.delete(record.name);
    this.#left.delete(record.name);
    if (status === "failed") this.#failed.set(record.name, record);
    if (status === "left") this.#left.set(record.name, record);
    record.status = status;
    this.#changed(record);
    if (status !== "alive") this.#onGone(record.name);
  }

  /** Forgets a member. */
  erase(record: MemberRecord): void {
    record.pruneTimer?.cancel();
    record.pruneTimer = undefined;
    this.#records.delete(record.name);
    this.#failed.delete(record.name);
    this.#left.delete(record.name);
    this.#changed(record);
    this.#onGone(record.name);
  }

  /** The member as the outside sees it; the same object until it changes. */
  snapshot(record: MemberRecord): Member {
    const known = this.#snapshots.get(record);
    if (known !== undefined) return known;
    const made = freeze(record.name, record.facts, record.status);
    this.#snapshots.set(record, made);
    return made;
  }

  /** Snapshots of all members; the same array until {@linkcode version} grows. */
  all(): readonly Member[] {
    if (this.#all.version !== this.#version) {
      const members = Array.from(this.#records.values(), (record) => this.snapshot(record));
      this.#all = { version: this.#version, members };
    }
    return this.#all.members;
  }

  #changed(record: MemberRecord): void {
    this.#snapshots.delete(record);
    this.#version++;
  }
}

/** A frozen member. */
export function freeze(name: string, facts: MemberFacts, status: MemberStatus): Member {
  const [protocolMin, protocolMax, protocolCur, delegateMin, delegateMax, delegateCur] =
    facts.versions;
  return Object.freeze({
    name,
    addr: facts.addr,
    port: facts.port,
    tags: facts.tags,
    status,
    protocolMin,
    protocolMax,
    protocolCur,
    delegateMin,
    delegateMax,
    delegateCur,
  });
}
