/**
 * The network between simulated servers: it delays, loses, repeats and reorders, and has directions that are blocked.
 *
 * @module
 */

import type { Message } from "../../../cluster/raft/mod.ts";
import type { Random } from "../../../cluster/runtime.ts";
import type { EventQueue } from "./event_queue.ts";

/** How bad a network is. */
export interface NetworkFaults {
  /** Part of the messages that are lost. */
  loss: number;
  /** Part of the messages that come twice. */
  duplication: number;
  /** Longest usual delay, in milliseconds; one in twenty takes ten times as long, and so overtakes nothing. */
  delayMs: number;
}

/** The network. */
export class SimulatedNetwork {
  /** How bad it is. */
  readonly faults: NetworkFaults;
  readonly #queue: EventQueue;
  readonly #random: Random;
  readonly #deliver: (from: string, to: string, message: Message) => void;
  readonly #blocked = new Set<string>();

  constructor(
    queue: EventQueue,
    random: Random,
    faults: NetworkFaults,
    deliver: (from: string, to: string, message: Message) => void,
  ) {
    this.#queue = queue;
    this.#random = random;
    this.faults = faults;
    this.#deliver = deliver;
  }

  /** Sends a message. */
  send(from: string, to: string, message: Message): void {
    const { loss, duplication } = this.faults;
    if (this.#random.float() < loss) return;
    this.#later(from, to, message);
    if (this.#random.float() < duplication) this.#later(from, to, message);
  }

  /** Lets nothing through from one to the other. */
  block(from: string, to: string): void {
    this.#blocked.add(`${from} ${to}`);
  }

  /** Lets everything through. */
  heal(): void {
    this.#blocked.clear();
  }

  #later(from: string, to: string, message: Message): void {
    const late = this.#random.float() < 0.05 ? 10 : 1;
    this.#queue.after(this.#random.float() * this.faults.delayMs * late, () => {
      if (!this.#blocked.has(`${from} ${to}`)) this.#deliver(from, to, message);
    });
  }
}
