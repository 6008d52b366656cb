/**
 * The numbers of the messages of each channel.
 *
 * @module
 */

/** Channels whose numbers are known for sure; as many again may be. */
export const MAX_COUNTED_CHANNELS = 65_536;

/**
 * Counts what one agent publishes to each channel, from 1 on. Of too many channels those are forgotten to which nothing was
 * published for longest; from then on a channel that is not known begins above every number that was ever given, so that its
 * subscribers may see a gap where there is none, but no number twice.
 */
export class Sequences {
  readonly #most: number;
  #recent = new Map<string, number>();
  #older = new Map<string, number>();
  #highest = 0;
  #floor = 0;

  /** Forgets no channel that is among the last `most`. */
  constructor(most = MAX_COUNTED_CHANNELS) {
    this.#most = most;
  }

  /** The number of the next message of a channel. */
  next(channel: string): number {
    const known = this.#recent.get(channel);
    const number = (known ?? this.#older.get(channel) ?? this.#floor) + 1;
    if (number > this.#highest) this.#highest = number;
    if (known === undefined && this.#recent.size >= this.#most) {
      if (this.#older.size > 0) this.#floor = this.#highest;
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(channel, number);
    return number;
  }
}
