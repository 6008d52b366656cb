/**
 * Every node that is remembered, by name and as the ring that probing goes round (docs/spec/memberlist.md 8.1, 9.1).
 *
 * @module
 */

import { type Random, shuffle } from "../../runtime.ts";
import type { MemberNode } from "./node.ts";
import type { Suspicion } from "./suspicion.ts";

/** A remembered node. */
export interface NodeRecord {
  /** What is known about it; replaced as a whole by {@linkcode NodeTable.replace} when something changes. */
  readonly node: MemberNode;
  /** When its state last changed, in clock milliseconds. */
  changedAt: number;
  /** The running suspicion, if it is suspected. */
  suspicion: Suspicion | undefined;
  /** Whether it ever answered this node, so that it is no invention. */
  answered: boolean;
}

/** The nodes. */
export class NodeTable {
  readonly #random: Random;
  readonly #intern: (node: MemberNode) => MemberNode;
  readonly #byName = new Map<string, NodeRecord>();
  #ring: NodeRecord[] = [];
  #cursor = 0;
  #hand = 0;

  /** An empty table. `intern` gives the object to keep in place of a node: an equal one, if there is one already. */
  constructor(random: Random, intern: (node: MemberNode) => MemberNode = (node) => node) {
    this.#random = random;
    this.#intern = intern;
  }

  /** How many nodes are remembered, dead and left ones included: N of the protocol's formulas. */
  get size(): number {
    return this.#ring.length;
  }

  /** The records in ring order. Not to be changed, and only good until the table changes. */
  get records(): readonly NodeRecord[] {
    return this.#ring;
  }

  /** The record of a node. */
  get(name: string): NodeRecord | undefined {
    return this.#byName.get(name);
  }

  /** Adds a node under a new name, at a random place of the ring. */
  add(node: MemberNode, changedAt: number): NodeRecord {
    const record = { node: this.#intern(node), changedAt, suspicion: undefined, answered: false };
    const last = this.#ring.length;
    const place = Math.floor(this.#random.float() * (last + 1));
    this.#ring.push(record);
    this.#ring[last] = this.#ring[place] as NodeRecord;
    this.#ring[place] = record;
    this.#byName.set(node.name, record);
    return record;
  }

  /** Puts `node` in the place of what was known of the node of that name. */
  replace(record: NodeRecord, node: MemberNode): void {
    (record as { node: MemberNode }).node = this.#intern(node);
  }

  /** The next record of this round, or `undefined` when the round is over. */
  next(): NodeRecord | undefined {
    return this.#ring[this.#cursor++];
  }

  /** Forgets one record that `isSpare` picks, a random one of them, and returns it. */
  forgetOne(isSpare: (record: NodeRecord) => boolean): NodeRecord | undefined {
    const ring = this.#ring;
    for (let looked = 0; looked < ring.length; looked++) {
      this.#hand = (this.#hand + 1) % ring.length;
      const record = ring[this.#hand] as NodeRecord;
      if (!isSpare(record)) continue;
      ring[this.#hand] = ring.at(-1) as NodeRecord;
      ring.pop();
      this.#byName.delete(record.node.name);
      return record;
    }
    return undefined;
  }

  /** Forgets what `isGone` picks, shuffles the rest and begins a new round. */
  startRound(isGone: (record: NodeRecord) => boolean): void {
    for (const record of this.#ring) {
      if (isGone(record)) this.#byName.delete(record.node.name);
    }
    this.#ring = shuffle(this.#random, [...this.#byName.values()]);
    this.#cursor = 0;
  }
}

/** Ends the suspicion of a node, if there is one. */
export function endSuspicion(record: NodeRecord): void {
  record.suspicion?.cancel();
  record.suspicion = undefined;
}
