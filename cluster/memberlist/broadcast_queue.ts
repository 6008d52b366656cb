/**
 * Messages that wait to be gossiped, each a limited number of times (memberlist.md 9.5).
 *
 * @module
 */

/** A message to spread. */
export interface Broadcast {
  /** A queued message of the same name is replaced: news about one node makes older news worthless. */
  readonly name?: string;
  /** The encoded message, at least 1 byte. One that does not fit a packet is never sent. */
  readonly message: Uint8Array;
  /** Called once: after the last transmission, or when the message is replaced or pruned. */
  readonly onFinished?: () => void;
}

/** How often a message is sent. */
export interface BroadcastQueueOptions {
  /** Factor of the transmissions of one message. */
  readonly retransmitMult: number;
  /** The size of the cluster; its order of magnitude is the other factor. */
  readonly nodeCount: () => number;
  /** Called after a message was added. */
  readonly onEnqueue?: () => void;
}

interface Entry {
  readonly broadcast: Broadcast;
  readonly length: number;
  /** Larger is newer. */
  readonly id: number;
  transmits: number;
}

const NOTHING: Uint8Array[] = [];

/**
 * A transmit-limited queue. It hands out what was sent least often first, of that the longest that fits,
 * of those the newest.
 */
export class BroadcastQueue {
  readonly #options: BroadcastQueueOptions;
  /** Index: number of transmissions. Each tier has the longest first, of the same length the newest. */
  #tiers: Entry[][] = [];
  readonly #named = new Map<string, Entry>();
  #length = 0;
  #lastId = 0;

  /** An empty queue. */
  constructor(options: BroadcastQueueOptions) {
    this.#options = options;
  }

  /** Messages in the queue. */
  get length(): number {
    return this.#length;
  }

  /** Adds a message, in place of a queued one with the same name. */
  enqueue(broadcast: Broadcast): void {
    const { name, message } = broadcast;
    const entry = { broadcast, length: message.length, id: ++this.#lastId, transmits: 0 };
    const replaced = name === undefined ? undefined : this.#named.get(name);
    if (replaced !== undefined) this.#remove(replaced);
    if (name !== undefined) this.#named.set(name, entry);
    this.#insert(entry);
    replaced?.broadcast.onFinished?.();
    this.#options.onEnqueue?.();
  }

  /**
   * Messages for one packet: the sum of `length + overhead` over them is at most `limit` bytes. Each
   * counts as transmitted once. The result is not to be changed.
   */
  take(overhead: number, limit: number): Uint8Array[] {
    if (this.#length === 0) return NOTHING;
    const taken: Entry[] = [];
    let free = limit - overhead;
    for (const tier of this.#tiers) {
      let index = firstFitting(tier, free);
      while (free > 0 && index < tier.length) {
        const entry = tier[index] as Entry;
        tier.splice(index, 1);
        taken.push(entry);
        free -= entry.length + overhead;
        index = firstFitting(tier, free);
      }
      if (free <= 0) break;
    }
    if (taken.length === 0) return NOTHING;
    this.#length -= taken.length;
    const transmitLimit = this.transmitLimit;
    const finished: Entry[] = [];
    for (const entry of taken) {
      if (++entry.transmits < transmitLimit) this.#insert(entry);
      else finished.push(entry);
    }
    for (const entry of finished) this.#finish(entry);
    return taken.map((entry) => entry.broadcast.message);
  }

  /** Drops messages until at most `max` are left: the most transmitted first, of those the shortest. */
  prune(max: number): void {
    const dropped: Entry[] = [];
    for (let transmits = this.#tiers.length - 1; transmits >= 0; transmits--) {
      const tier = this.#tiers[transmits] as Entry[];
      while (this.#length > max && tier.length > 0) {
        dropped.push(tier.pop() as Entry);
        this.#length--;
      }
    }
    for (const entry of dropped) this.#finish(entry);
  }

  /** How often a message is sent in a cluster of the present size. */
  get transmitLimit(): number {
    const magnitude = Math.ceil(Math.log10(this.#options.nodeCount() + 1));
    return this.#options.retransmitMult * magnitude;
  }

  #insert(entry: Entry): void {
    while (this.#tiers.length <= entry.transmits) this.#tiers.push([]);
    const tier = this.#tiers[entry.transmits] as Entry[];
    tier.splice(position(tier, entry), 0, entry);
    this.#length++;
  }

  #remove(entry: Entry): void {
    const tier = this.#tiers[entry.transmits] as Entry[];
    tier.splice(position(tier, entry), 1);
    this.#length--;
  }

  /** For an entry that is out of its tier. */
  #finish({ broadcast }: Entry): void {
    const { name } = broadcast;
    if (name !== undefined && this.#named.get(name)?.broadcast === broadcast) {
      this.#named.delete(name);
    }
    broadcast.onFinished?.();
  }
}

/** Where `entry` stands or belongs in its tier. */
function position(tier: readonly Entry[], { length, id }: Entry): number {
  return firstIndex(
    tier,
    (other) => other.length < length || other.length === length && other.id <= id,
  );
}

/** The first entry of a tier that needs at most `free` bytes. */
function firstFitting(tier: readonly Entry[], free: number): number {
  return firstIndex(tier, (entry) => entry.length <= free);
}

/** The first index from which on `holds` is true, by bisection; the length when it never is. */
function firstIndex(tier: readonly Entry[], holds: (entry: Entry) => boolean): number {
  let low = 0;
  let high = tier.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (holds(tier[middle] as Entry)) high = middle;
    else low = middle + 1;
  }
  return low;
}
