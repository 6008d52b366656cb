/**
 * Whether more is to be sent than gossip can carry: a node gossips a few packets in each interval, whatever waits.
 *
 * @module
 */

import type { QueueName } from "./broadcasts.ts";
import type { Core } from "./core.ts";

/**
 * Whether so many messages of a kind wait that another one would be lost on others: they take the newest `buffer`
 * Lamport times, and what waits longest is sent last. With nobody there, who would get it, old ones are dropped instead.
 */
export function isCongested(core: Core, queue: QueueName, buffer: number): boolean {
  const { broadcasts, members } = core;
  if (broadcasts.depth(queue) < buffer) return false;
  const others = members.size - members.failed.size - members.left.size - 1;
  if (others > 0) return true;
  broadcasts.prune(queue, buffer >>> 1);
  return false;
}
