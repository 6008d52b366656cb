/**
 * Messages that wait to be gossiped, each a limited number of times (docs/spec/memberlist.md 9.5).
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
  /** Index: number of transmissions. Each tier has the longest last, of the same length the newest. */
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
      for (;;) {
        const index = position(tier, free, Infinity) - 1;
        if (index < 0) break;
        const [entry] = tier.splice(index, 1) as [Entry];
        taken.push(entry);
        free -= entry.length + overhead;
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

  /** Counts one transmission of the message of this name, if there is one: what was never sent comes before it. */
  defer(name: string): void {
    const entry = this.#named.get(name);
    if (entry === undefined) return;
    this.#remove(entry);
    entry.transmits++;
    this.#insert(entry);
  }

  /** Drops the message of this name, if there is one. */
  withdraw(name: string): void {
    const entry = this.#named.get(name);
    if (entry === undefined) return;
    this.#remove(entry);
    this.#finish(entry);
  }

  /** Drops messages until at most `max` are left: the most transmitted first, of those the shortest. Returns how many. */
  prune(max: number): number {
    let dropped: Entry[] = [];
    for (const tier of this.#tiers.toReversed()) {
      const surplus = Math.max(0, this.#length - dropped.length - max);
      dropped = dropped.concat(tier.splice(0, surplus));
    }
    this.#length -= dropped.length;
    for (const entry of dropped) this.#finish(entry);
    return dropped.length;
  }

  /** How often a message is sent in a cluster of the present size. */
  get transmitLimit(): number {
    const magnitude = Math.ceil(Math.log10(this.#options.nodeCount() + 1));
    return this.#options.retransmitMult * magnitude;
  }

  #insert(entry: Entry): void {
    while (this.#tiers.length <= entry.transmits) this.#tiers.push([]);
    const tier = this.#tiers[entry.transmits] as Entry[];
    tier.splice(position(tier, entry.length, entry.id), 0, entry);
    this.#length++;
  }

  #remove(entry: Entry): void {
    const tier = this.#tiers[entry.transmits] as Entry[];
    tier.splice(position(tier, entry.length, entry.id), 1);
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

/** Where an entry stands or belongs in its tier: how many stand before it, by bisection. */
function position(tier: readonly Entry[], length: number, id: number): number {
  let low = 0;
  let high = tier.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const other = tier[middle] as Entry;
    if (other.length < length || other.length === length && other.id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}
