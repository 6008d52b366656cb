/**
 * What Serf has to gossip: three queues behind memberlist's own (docs/spec/serf.md 4.3 and 8.3).
 *
 * @module
 */

import { BroadcastQueue } from "../../memberlist/core/broadcast_queue.ts";
import type { Logger, Metrics } from "../../runtime.ts";
import type { SerfConfig } from "../model/config.ts";

/**
 * What a packet needs besides one user message: 2 bytes for the compound, 3 for the message (docs/spec/serf.md 3.3).
 */
const PACKET_OVERHEAD_BYTES = 5;

/** A queue may grow to this multiple of its maximum before it is pruned without waiting for the next check. */
const OVERFLOW_FACTOR = 2;

/** The queues by what they hold, in the order in which packets are filled. */
export type QueueName = "intents" | "queries" | "events";

/** The names of the queues in log lines. */
const TITLES: Readonly<Record<QueueName, string>> = {
  intents: "Intent",
  queries: "Query",
  events: "Event",
};

/** The three queues. */
export class Broadcasts {
  readonly #config: SerfConfig;
  readonly #memberCount: () => number;
  readonly #log: Logger;
  readonly #onDrop: (count: number) => void;
  readonly #queues: Readonly<Record<QueueName, BroadcastQueue>>;
  /** The queues in the order in which packets are filled. */
  readonly #inOrder: readonly BroadcastQueue[];

  /**
   * Empty queues; `memberCount` counts members of any status, `onEnqueue` is called after a message was added, `onDrop`
   * when some were dropped.
   */
  constructor(
    config: SerfConfig,
    memberCount: () => number,
    log: Logger,
    onEnqueue: () => void = () => {},
    onDrop: (count: number) => void = () => {},
  ) {
    this.#config = config;
    this.#memberCount = memberCount;
    this.#log = log;
    this.#onDrop = onDrop;
    const { retransmitMult } = config.memberlist;
    const queue = () => new BroadcastQueue({ retransmitMult, nodeCount: memberCount, onEnqueue });
    this.#queues = { intents: queue(), queries: queue(), events: queue() };
    this.#inOrder = Object.values(this.#queues);
  }

  /** Messages in a queue. */
  depth(name: QueueName): number {
    return this.#queues[name].length;
  }

  /**
   * Queues a message. The queue keeps it: it must not be a view of a buffer that changes. One that fits no packet
   * is dropped, as it would wait for ever; `onFinished` is then called at once.
   *
   * @param onFinished called when the message was sent often enough, or dropped
   */
  enqueue(name: QueueName, message: Uint8Array, onFinished?: () => void): void {
    if (message.length > this.#config.memberlist.packetBufferBytes - PACKET_OVERHEAD_BYTES) {
      this.#log.debug(`${TITLES[name]} of ${message.length} bytes is too large for gossip`);
      onFinished?.();
      return;
    }
    const queue = this.#queues[name];
    queue.enqueue({ message, ...(onFinished && { onFinished }) });
    const max = this.#maxDepth();
    if (queue.length > OVERFLOW_FACTOR * max) this.prune(name, max);
  }

  /** Drops messages of a queue until at most `max` are left. */
  prune(name: QueueName, max: number): void {
    this.#onDrop(this.#queues[name].prune(max));
  }

  /** Messages for one packet: the sum of `length + overhead` over them is at most `limit`. */
  take(overhead: number, limit: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let free = limit;
    for (const queue of this.#inOrder) {
      for (const message of queue.take(overhead, free)) {
        taken.push(message);
        free -= message.length + overhead;
      }
    }
    return taken;
  }

  /** Tells how long the queues are, warns of long ones and prunes those that are too long (docs/spec/serf.md 8.3). */
  check(metrics?: Metrics): void {
    for (const [name, queue] of Object.entries(this.#queues)) {
      const title = TITLES[name as QueueName];
      const depth = queue.length;
      metrics?.sample(`serf.queue.${title}`, depth);
      if (depth >= this.#config.queueDepthWarning) this.#log.warn(`${title} queue depth: ${depth}`);
      const max = this.#maxDepth();
      if (depth > max) {
        this.#log.warn(
          `${title} queue depth (${depth}) exceeds limit (${max}), dropping messages!`,
        );
        this.prune(name as QueueName, max);
      }
    }
  }

  #maxDepth(): number {
    const { minQueueDepth, maxQueueDepth } = this.#config;
    return minQueueDepth > 0 ? Math.max(minQueueDepth, 2 * this.#memberCount()) : maxQueueDepth;
  }
}
