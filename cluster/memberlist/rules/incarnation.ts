/**
 * Which incarnations are taken in (docs/LIMITS.md): a node must always have a higher one left to refute with, whatever
 * others say about it.
 *
 * @module
 */

import { type Core, ownRecord } from "../core/core.ts";
import type { NodeRecord } from "../core/node_table.ts";

/** The highest incarnation there is. */
export const MAX_INCARNATION = 0xffff_ffff;

/** Up to here any incarnation is taken: as many are left above it, and a node needs one for each refutation. */
const MIDDLE = 0x8000_0000;

/** Above the middle one message moves an incarnation by so much at most: to use all of them up takes 32,768 messages. */
const STEP = 0x1_0000;

/** Who knows nothing of a node yet takes this at most. */
const MAX_FIRST = 0xf000_0000;

/** So long after its start a node may hear for the first time which incarnation an earlier life of it had reached. */
const YOUNG_MS = 60_000;

/**
 * Whether a message about a node, known or not, is refused because of its incarnation; that is counted and logged.
 * `source` is who sent it, for the log.
 */
export function isFarFetched(
  core: Core,
  record: NodeRecord | undefined,
  message: { readonly Incarnation: number; readonly Node: string },
  source: string,
): boolean {
  const { Incarnation: incarnation, Node: name } = message;
  if (incarnation <= MIDDLE) return false;
  const known = record?.node.incarnation ?? 0;
  if (incarnation <= Math.max(known, MIDDLE) + STEP) return false;
  if (incarnation <= MAX_FIRST && (record === undefined || isYoungSelf(core, record))) return false;
  core.metrics?.count("memberlist.incarnation.rejected");
  const text = `Ignoring incarnation ${incarnation} of '${name}', too far above ${known}`;
  core.noise.write("warn", source, text);
  return true;
}

function isYoungSelf(core: Core, record: NodeRecord): boolean {
  return record === ownRecord(core) && core.timers.now() - record.changedAt < YOUNG_MS;
}
