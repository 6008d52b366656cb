/**
 * Contradicting what others wrongly say about the own node (docs/spec/memberlist.md 8.6).
 *
 * @module
 */

import { type Core, ownRecord, type OwnState } from "../core/core.ts";
import { announceAlive } from "./announce.ts";
import { MAX_INCARNATION } from "./incarnation.ts";

/**
 * The next incarnation of the own node, above `atLeast`. It stops at the highest: a lower one would be old news to
 * everybody.
 */
export function nextIncarnation(own: OwnState, atLeast = 0): number {
  own.incarnation = Math.min(Math.max(own.incarnation, atLeast) + 1, MAX_INCARNATION);
  return own.incarnation;
}

/** Announces the own node anew, with an incarnation that beats the `accusing` one. */
export function refute(core: Core, accusing: number): void {
  core.awareness.change(1);
  const record = ownRecord(core);
  const incarnation = nextIncarnation(core.own, accusing);
  core.table.replace(record, { ...record.node, incarnation });
  // Under a key of its own, so that it does not displace what is queued under the node's name.
  announceAlive(core, record.node, { key: record.node.host });
}
