/**
 * What happens when as many nodes are known as may be (docs/LIMITS.md): anybody without a key can invent nodes, so those
 * that never answered make room for others.
 *
 * @module
 */

import { type Core, ownRecord } from "../core/core.ts";
import { isLive } from "../core/node.ts";
import { endSuspicion, type NodeRecord } from "../core/node_table.ts";

/** A table that is filled by more than this part may be full of inventions: those who ever answered are preferred. */
const CROWDED = 1 / 2;

/** When nobody could make room, it takes this many milliseconds until the table is looked through again. */
const LOOK_AGAIN_MS = 1_000;

/** Whether as many nodes are known as may be. */
export function isFull({ config, table }: Core): boolean {
  return table.size >= config.maxNodes;
}

/** Whether all who are known may stay, so that there is no room for anybody else. */
export function isPacked(core: Core): boolean {
  if (!isFull(core)) return false;
  if (core.timers.now() < core.packedUntil) return true;
  if (core.table.records.some((record) => isSpare(core, record))) return false;
  core.packedUntil = core.timers.now() + LOOK_AGAIN_MS;
  return true;
}

/** Whether so many are known that inventions may be among them. */
export function isCrowded({ config, table }: Core): boolean {
  return table.size > CROWDED * config.maxNodes;
}

/** Whom to talk to: everybody, but in a crowd those who ever answered, if there are any. */
export function peers(core: Core): readonly NodeRecord[] {
  const { table, timers } = core;
  if (!isCrowded(core)) return table.records;
  if (timers.now() >= core.acquaintances.until) {
    const records = table.records.filter((record) => record.answered);
    core.acquaintances = { until: timers.now() + LOOK_AGAIN_MS, records };
  }
  const { records } = core.acquaintances;
  return records.length > 0 ? records : table.records;
}

/** Forgets one that is gone or never answered. Returns whether there is room now. */
export function makeRoom(core: Core): boolean {
  if (!isFull(core)) return true;
  const { broadcasts, delegate, metrics, table } = core;
  const spare = table.forgetOne((record) => isSpare(core, record));
  if (spare === undefined) return false;
  endSuspicion(spare);
  broadcasts.withdraw(spare.node.name);
  metrics?.count("memberlist.nodes.displaced");
  if (isLive(spare.node)) delegate.notifyForget?.(spare.node);
  return true;
}

function isSpare(core: Core, record: NodeRecord): boolean {
  return record !== ownRecord(core) && (!record.answered || !isLive(record.node));
}
