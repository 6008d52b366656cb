/**
 * What the log is told of connections with sessions, many of them in one entry.
 *
 * @module
 */

import { MAX_PRESENT, type Presence, presenceCommand } from "../../../../cluster/machine/mod.ts";
import type { Clock, Timer } from "../../../../cluster/runtime.ts";
import { textOfId } from "../ids.ts";
import { PRESENCE_DELAY_MS } from "../limits.ts";
import type { Done } from "./proposals.ts";

/** The presences that one server tells. */
export class Presences {
  readonly #clock: Clock;
  readonly #propose: (command: Uint8Array, done: Done) => void;
  /** What waits to be proposed, by session and holder. */
  #waiting = new Map<string, Presence>();
  #timer: Timer | undefined;
  #isProposing = false;
  #isOver = false;

  /** `propose` calls back later, once. */
  constructor(clock: Clock, propose: (command: Uint8Array, done: Done) => void) {
    this.#clock = clock;
    this.#propose = propose;
  }

  /** Tells something, in place of what was told of the same connection and did not become an entry. */
  add(presence: Presence): void {
    if (this.#isOver) return;
    this.#waiting.set(nameOf(presence), presence);
    this.#wake();
  }

  /** Nothing is told any more. */
  end(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#waiting.clear();
  }

  #wake(): void {
    if (this.#isProposing || this.#waiting.size === 0) return;
    this.#timer ??= this.#clock.setTimer(PRESENCE_DELAY_MS, () => {
      this.#timer = undefined;
      this.#flush();
    });
  }

  #flush(): void {
    const told = [...this.#waiting.values()].slice(0, MAX_PRESENT);
    for (const presence of told) this.#waiting.delete(nameOf(presence));
    this.#isProposing = true;
    this.#propose(presenceCommand(told), (result) => {
      this.#isProposing = false;
      if (this.#isOver) return;
      if (result?.ok !== true) this.#putBack(told);
      this.#wake();
    });
  }

  /** A sign of life is given anew while there is one. */
  #putBack(told: readonly Presence[]): void {
    for (const presence of told) {
      const name = nameOf(presence);
      if (presence.what !== "alive" && !this.#waiting.has(name)) this.#waiting.set(name, presence);
    }
  }
}

function nameOf({ session, holder }: Presence): string {
  return `${textOfId(session)} ${holder}`;
}
