/**
 * One round of gossip: what is queued goes to a few random nodes (docs/spec/memberlist.md 9.3).
 *
 * @module
 */

import { type Core, ownRecord } from "../core/core.ts";
import { isLive, NodeState } from "../core/node.ts";
import type { NodeRecord } from "../core/node_table.ts";
import { pickRandom } from "../core/select.ts";
import { peers } from "../rules/room.ts";
import { sendBroadcasts } from "../traffic/packet_sender.ts";

/**
 * Sends a packet to each of a few nodes, as long as there is something to send. Nodes that died not long
 * ago are among them, so that one which lives after all can refute.
 *
 * @returns Whether there may be more to send: `false` when there was nothing, and when this node knows of no other.
 */
export function gossip(core: Core): boolean {
  const { config, table, random } = core;
  const own = ownRecord(core);
  const now = core.timers.now();
  const wants = (record: NodeRecord): boolean => {
    if (record === own) return false;
    if (record.node.state !== NodeState.dead) return isLive(record.node);
    return now - record.changedAt <= config.gossipToTheDeadTimeMs;
  };
  const targets = pickRandom(random, peers(core), config.gossipNodes, wants);
  // The draw may have missed who is there, and those who are dead may come back.
  if (targets.length === 0) return table.size > 1;
  let sent = false;
  for (const target of targets) {
    if (!sendBroadcasts(core, target)) break;
    sent = true;
  }
  return sent;
}
