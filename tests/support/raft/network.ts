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
  /** Longest usual delay, in milliseconds; one in twenty takes ten times as long. */
  delayMs: number;
  /**
   * Part of the messages that take much longer, and arrive whatever is blocked then: there may have been other leaders
   * meanwhile. It is more of those that are rare.
   */
  straying: number;
}

/** Messages other than appends and their answers stray so many times as often. */
const RARE = 10;

/** A message that strays takes so many times the usual delay at most. */
export const STRAYING_DELAYS = 200;

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
    const { delayMs, straying } = this.faults;
    const isCommon = message.type === "append" || message.type === "append-reply";
    const chance = this.#random.float();
    const strays = chance < straying * (isCommon ? 1 : RARE);
    const isBlocked = (): boolean => this.#blocked.has(`${from} ${to}`);
    if (strays && isBlocked()) return;
    const late = strays ? STRAYING_DELAYS : chance > 0.95 ? 10 : 1;
    this.#queue.after(this.#random.float() * delayMs * late, () => {
      if (strays || !isBlocked()) this.#deliver(from, to, message);
    });
  }
}
