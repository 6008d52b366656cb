/**
 * What one process tells its application, and what must hold of that (docs/spec/serf.md 6, 9, 11).
 *
 * @module
 */

import type { MemberEvent, SerfEvent } from "../../../../cluster/serf/mod.ts";
import { type Invariant, Noted } from "./invariant.ts";
import type { Names } from "./names.ts";

/** What was told of a member last. */
const Told = { nothing: 0, joined: 1, failed: 2, left: 3 } as const;
type Told = (typeof Told)[keyof typeof Told];

/** What may be told of a member next, and what was told of it then. */
const NEXT: Record<MemberEvent["type"], { readonly after: readonly Told[]; readonly told?: Told }> =
  {
    "member-join": { after: [Told.nothing, Told.failed, Told.left], told: Told.joined },
    "member-failed": { after: [Told.joined], told: Told.failed },
    // A member that failed is made to leave, or its intent came late.
    "member-leave": { after: [Told.joined, Told.failed], told: Told.left },
    "member-update": { after: [Told.joined] },
    "member-reap": { after: [Told.joined, Told.failed, Told.left], told: Told.nothing },
  };

/** In words, by {@linkcode Told}. */
const WORDS = ["nothing", "member-join", "member-failed", "member-leave"] as const;

/** The sentences, for tests. */
export const TELLING_SENTENCES = {
  events: "No user event is told twice to one process",
  queries: "No query is told twice to one process",
  members:
    "Of a member is told that it joins, then that it is gone; none that left fails before it joins again",
} as const;

/** Everything that one process told. */
export class Tellings {
  /** One for each of {@linkcode TELLING_SENTENCES}. */
  readonly invariants: readonly Invariant[];
  readonly #events = new Noted(TELLING_SENTENCES.events);
  readonly #queries = new Noted(TELLING_SENTENCES.queries);
  readonly #members = new Noted(TELLING_SENTENCES.members);
  readonly #names: Names;
  readonly #heard = new Set<string>();
  readonly #told: Told[] = [];

  /** Nothing was told. */
  constructor(names: Names) {
    this.#names = names;
    this.invariants = [this.#events, this.#queries, this.#members];
  }

  /** The process tells this. */
  tell(event: SerfEvent): void {
    if (event.type === "user") {
      this.#once(
        this.#events,
        `${event.name} of time ${event.ltime} with [${event.payload ?? ""}]`,
      );
    } else if (event.type === "query") {
      this.#once(this.#queries, `${event.name} ${event.id} of time ${event.ltime}`);
    } else for (const { name } of event.members) this.#member(event.type, name);
  }

  #once(invariant: Noted, what: string): void {
    if (this.#heard.has(what)) invariant.note(what);
    this.#heard.add(what);
  }

  #member(type: MemberEvent["type"], name: string): void {
    const number = this.#names.of(name);
    const before = this.#told[number] ?? Told.nothing;
    const { after, told } = NEXT[type];
    if (!after.includes(before)) this.#members.note(`${type} of ${name} after ${WORDS[before]}`);
    if (told !== undefined) this.#told[number] = told;
  }
}
