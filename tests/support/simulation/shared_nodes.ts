/**
 * What is known about nodes, held once for a whole simulation: a thousand nodes know a million others, but there are
 * only a few thousand different facts about them.
 *
 * @module
 */

import type { MemberNode, SharedKnowledge } from "../../../cluster/memberlist/mod.ts";

/** Every fact that some node of the simulation ever kept. */
export class SharedNodes {
  readonly #byName = new Map<string, MemberNode[]>();
  readonly #onFact: (fact: MemberNode) => void;
  readonly #views = new WeakMap<MemberNode, object>();

  /** No facts yet; `onFact` gets each one when the first node learns it. */
  constructor(onFact: (fact: MemberNode) => void = () => {}) {
    this.#onFact = onFact;
  }

  /** The knowledge of a node that knows the nodes in `known` from its start on. */
  knowledge(known: readonly MemberNode[] = []): SharedKnowledge {
    return { known, intern: (node) => this.intern(node), views: this.#views };
  }

  /** The first of all equal nodes. */
  intern(node: MemberNode): MemberNode {
    const held = this.#byName.get(node.name);
    if (held === undefined) this.#byName.set(node.name, [node]);
    else {
      for (let i = held.length - 1; i >= 0; i--) if (areEqual(held[i]!, node)) return held[i]!;
      held.push(node);
    }
    this.#onFact(node);
    return node;
  }
}

function areEqual(a: MemberNode, b: MemberNode): boolean {
  return a.incarnation === b.incarnation && a.state === b.state && a.port === b.port &&
    sameNumbers(a.addr, b.addr) && sameNumbers(a.meta, b.meta) &&
    sameNumbers(a.versions, b.versions);
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
