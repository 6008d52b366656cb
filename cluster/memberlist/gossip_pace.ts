/**
 * When a node gossips: not at the ticks of a clock but as soon as something new comes, and only as long as there is news.
 *
 * The protocol lets a node send one round of gossip per interval. Rounds that were not needed are saved up, as many as one
 * message needs for all its transmissions, and are spent as soon as something new comes. So each message is sent as often
 * as ever, only sooner; a node that always has news sends no more rounds than the protocol allows, and one that has none
 * is not even woken.
 *
 * @module
 */

import type { Core } from "./core.ts";
import { gossip } from "./gossip.ts";

/**
 * The least wait between two rounds is this part of the gossip interval (10 ms of 200): long enough for an answer to a
 * round, such as a refutation, to go out with the next one, short beside the time a message takes to get everywhere.
 */
const SPACING = 1 / 20;

/** When a node gossips. */
export class GossipPace {
  readonly #core: Core;
  #saved = 0;
  #countedAt: number;
  #lastRoundAt = -Infinity;
  #waiting = false;

  /** The pace of a node that has just begun. */
  constructor(core: Core) {
    this.#core = core;
    this.#countedAt = core.timers.now();
  }

  /** To be called when something new waits to be sent: the next round comes as soon as it may. */
  soon(): void {
    const { config, timers } = this.#core;
    if (this.#waiting || config.gossipNodes <= 0 || config.gossipIntervalMs <= 0) return;
    this.#save();
    this.#waiting = true;
    const untilSaved = (1 - this.#saved) * config.gossipIntervalMs;
    const untilSpaced = this.#lastRoundAt + config.gossipIntervalMs * SPACING - timers.now();
    timers.set(Math.max(0, untilSaved, untilSpaced), () => {
      this.#waiting = false;
      if (this.#round()) this.soon();
    });
  }

  /** One round. Returns whether there may be more to send. */
  #round(): boolean {
    const { metrics, timers } = this.#core;
    const startedAt = timers.now();
    const more = gossip(this.#core);
    metrics?.sample("memberlist.gossip", timers.now() - startedAt);
    if (!more) return false;
    this.#save();
    this.#saved = Math.max(0, this.#saved - 1);
    this.#lastRoundAt = startedAt;
    return true;
  }

  /** Counts the rounds that time has allowed since the last count. */
  #save(): void {
    const { config, timers, broadcasts } = this.#core;
    const now = timers.now();
    const earned = (now - this.#countedAt) / config.gossipIntervalMs;
    const most = Math.ceil(broadcasts.transmitLimit / config.gossipNodes);
    this.#saved = Math.min(most, this.#saved + earned);
    this.#countedAt = now;
  }
}
