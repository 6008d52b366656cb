/**
 * The groups of consumers at one server: whose members are waited for while it leads, and nobody's while it does not.
 *
 * @module
 */

import type { GroupChange } from "../../../cluster/machine/mod.ts";
import type { Clock } from "../../../cluster/runtime.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import type { Leadership } from "../leading/leadership.ts";
import { MemberExpiry } from "./member_expiry.ts";

/** Watches over when a server leads. */
export class Groups {
  readonly #clock: Clock;
  readonly #replica: () => Leadership | undefined;
  #expiry: MemberExpiry | undefined;
  #term: number | undefined;
  /** What entries have changed, and of whom they tell, that was not looked at. */
  readonly #changed = new Set<string>();
  readonly #heard = new Set<number>();

  /** `replica` is the one that runs now. */
  constructor(clock: Clock, replica: () => Leadership | undefined) {
    this.#clock = clock;
    this.#replica = replica;
  }

  /** A member has given a sign of life at this server. */
  heard(member: number): void {
    this.#expiry?.heard(member);
  }

  /** Entries have done this; to be told when they are applied, before their results are. */
  changed(changes: readonly GroupChange[]): void {
    if (this.#expiry === undefined) return;
    for (const change of changes) {
      if (change.kind === "changed") this.#changed.add(decodeUtf8(change.group));
      else this.#heard.add(change.member);
    }
  }

  /** The role may be another one, or entries were applied. */
  look(): void {
    this.#followRole();
    for (const group of this.#changed) this.#expiry?.look(group);
    for (const member of this.#heard) this.#expiry?.heard(member);
    this.#changed.clear();
    this.#heard.clear();
  }

  /** This server ends. */
  close(): void {
    this.#expiry?.close();
    this.#expiry = undefined;
  }

  #followRole(): void {
    const replica = this.#replica();
    const term = replica?.readyTerm;
    if (term === this.#term) return;
    this.close();
    this.#term = term;
    if (replica === undefined || term === undefined) return;
    this.#expiry = new MemberExpiry(this.#clock, replica);
  }
}
