/**
 * What sessions acknowledge, many of them in one entry.
 *
 * @module
 */

import { type Ack, ackCommand, decodeAcked } from "../../../../cluster/machine/mod.ts";
import type { Clock, Timer } from "../../../../cluster/runtime.ts";
import { textOfId } from "../ids.ts";
import { ACK_DELAY_MS, MAX_MERGED_ACKS } from "../limits.ts";
import type { Done } from "./proposals.ts";

/** The acknowledgements of one leadership. */
export class Acks {
  readonly #clock: Clock;
  readonly #propose: (command: Uint8Array, done: Done) => void;
  /** What waits to be proposed, by session. */
  #waiting = new Map<string, Ack>();
  /** What was proposed and is not applied. */
  readonly #proposed = new Set<ReadonlyMap<string, Ack>>();
  #timer: Timer | undefined;

  /** `propose` calls back later, once. */
  constructor(clock: Clock, propose: (command: Uint8Array, done: Done) => void) {
    this.#clock = clock;
    this.#propose = propose;
  }

  /** A session has got its server requests up to one. */
  add(ack: Ack): void {
    const session = textOfId(ack.session);
    const before = this.#waiting.get(session);
    if (before !== undefined && before.upTo >= ack.upTo) return;
    this.#waiting.set(session, ack);
    if (this.#waiting.size >= MAX_MERGED_ACKS) this.flush();
    else this.#timer ??= this.#clock.setTimer(ACK_DELAY_MS, () => this.flush());
  }

  /** Up to which server request a session has acknowledged what the state may still have; 0 for none. */
  upToOf(session: string): number {
    let upTo = this.#waiting.get(session)?.upTo ?? 0;
    for (const acks of this.#proposed) upTo = Math.max(upTo, acks.get(session)?.upTo ?? 0);
    return upTo;
  }

  /** Proposes what waits. */
  flush(): void {
    this.#rest();
    if (this.#waiting.size === 0) return;
    const acks = this.#waiting;
    this.#waiting = new Map();
    this.#proposed.add(acks);
    const all = [...acks.values()];
    this.#propose(ackCommand(all), (result) => {
      if (!this.#proposed.delete(acks) || result === undefined) return;
      const done = result.ok ? decodeAcked(result.body) : 0;
      for (const ack of all.slice(done)) this.add(ack);
    });
  }

  /** The leadership has ended: clients acknowledge again what comes again. */
  end(): void {
    this.#rest();
    this.#waiting.clear();
    this.#proposed.clear();
  }

  #rest(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
