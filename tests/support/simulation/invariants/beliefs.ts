/**
 * What one process believes of the nodes of its cluster, statement by statement, and what must hold between one and the
 * next (docs/spec/memberlist.md 8).
 *
 * @module
 */

import {
  type MemberNode,
  NodeState,
  type SharedKnowledge,
} from "../../../../cluster/memberlist/mod.ts";
import type { Clock } from "../../../../cluster/runtime.ts";
import { type Invariant, Noted } from "./invariant.ts";
import type { Names } from "./names.ts";

/**
 * How long a node remembers for certain that another is gone, in milliseconds (docs/spec/memberlist.md 8.12, LAN
 * profile).
 */
const REMEMBERED_MS = 30_000;

/** What a rule says about a change of belief. `before` is what the process must still remember. */
interface Rule {
  readonly sentence: string;
  isBroken(before: MemberNode | undefined, now: MemberNode, own: string): boolean;
}

/**
 * Between what a node believed and what it believes then. A node that left may come back from another address with any
 * incarnation: that is another node with its name.
 */
export const BELIEF_RULES: readonly Rule[] = [
  {
    sentence: "Of no node is an older statement believed than before, while it is remembered",
    isBroken: (before, now) =>
      before !== undefined && now.incarnation < before.incarnation && !tookName(before, now),
  },
  {
    sentence: "A node that is gone comes back only with a higher incarnation",
    isBroken: (before, now) =>
      before !== undefined && isGone(before) && !isGone(now) &&
      now.incarnation <= before.incarnation && !tookName(before, now),
  },
  {
    sentence: "A node that is gone stays failed or left, as it was, until it is alive again",
    isBroken: (before, now) =>
      before !== undefined && isGone(before) && now.state !== before.state &&
      now.state !== NodeState.alive,
  },
  {
    sentence: "A node does not believe that it is suspect or dead itself",
    isBroken: (_, now, own) =>
      now.name === own && (now.state === NodeState.suspect || now.state === NodeState.dead),
  },
  {
    sentence: "What a node says of itself while it is alive is newer than what it said before",
    isBroken: (before, now, own) =>
      now.name === own && before !== undefined && now.state === NodeState.alive &&
      now.incarnation <= before.incarnation,
  },
];

/** Every belief of one process. */
export class Beliefs {
  /** One for each of {@linkcode BELIEF_RULES}. */
  readonly invariants: readonly Invariant[];
  readonly #notes: readonly Noted[];
  readonly #own: string;
  readonly #clock: Pick<Clock, "now">;
  readonly #names: Names;
  readonly #held: (MemberNode | undefined)[] = [];
  /** When it learned that those are gone that are. */
  readonly #goneAt = new Map<string, number>();

  /** No beliefs of the process that is called `own`. */
  constructor(own: string, clock: Pick<Clock, "now">, names: Names) {
    this.#own = own;
    this.#clock = clock;
    this.#names = names;
    this.#notes = BELIEF_RULES.map(({ sentence }) => new Noted(sentence));
    this.invariants = this.#notes;
  }

  /** What to give a memberlist, so that each of its beliefs passes through here; `shared` may be what it shares already. */
  watched(shared?: SharedKnowledge): SharedKnowledge {
    for (const node of shared?.known ?? []) this.learn(node);
    return {
      known: shared?.known ?? [],
      intern: (node) => {
        const kept = shared?.intern(node) ?? node;
        this.learn(kept);
        return kept;
      },
      views: shared?.views ?? new WeakMap(),
    };
  }

  /** The process believes this from now on. */
  learn(node: MemberNode): void {
    const number = this.#names.of(node.name);
    const held = this.#held[number];
    const before = this.#remembers(held) ? held : undefined;
    for (let i = 0; i < BELIEF_RULES.length; i++) {
      if (!BELIEF_RULES[i]!.isBroken(before, node, this.#own)) continue;
      this.#notes[i]!.note(`${this.#own}: ${show(before)}, then ${show(node)}`);
    }
    this.#held[number] = node;
    if (isGone(node)) this.#goneAt.set(node.name, this.#clock.now());
    else if (held !== undefined && isGone(held)) this.#goneAt.delete(node.name);
  }

  /** Whether a belief is still held; a node that has been gone for long may be forgotten. */
  #remembers(node: MemberNode | undefined): boolean {
    if (node === undefined || !isGone(node)) return true;
    const goneMs = this.#clock.now() - this.#goneAt.get(node.name)!;
    return goneMs <= REMEMBERED_MS;
  }
}

function isGone({ state }: MemberNode): boolean {
  return state === NodeState.dead || state === NodeState.left;
}

function tookName(before: MemberNode, now: MemberNode): boolean {
  return before.state === NodeState.left && (before.host !== now.host || before.port !== now.port);
}

function show(node: MemberNode | undefined): string {
  if (node === undefined) return "nothing";
  return `${node.name} ${STATES[node.state]} with incarnation ${node.incarnation}`;
}

/** By {@linkcode NodeState}. */
const STATES = ["alive", "suspect", "dead", "left"] as const;
