/**
 * What is wrong with what contenders of a lock did.
 *
 * @module
 */

import type { Write } from "./resource.ts";

/** A hold that is over. Times are milliseconds of one clock. */
export interface Hold {
  /** Its number. */
  readonly over: number;
  readonly who: string;
  readonly from: number;
  /** When the holder looked up last that it holds the lock, and it did. */
  readonly to?: number;
  /** When its signal fired. */
  readonly fired?: number;
  /** Why, if it was before the release. */
  readonly end?: string;
  /** Whether the process stood still meanwhile. */
  readonly stalled: boolean;
  /** Writes into the store that were refused. */
  readonly refused: number;
}

/** Faults of holds: two at one time, two with one number, a later one with a lower number. */
export function faultsOfHolds(holds: readonly Hold[]): string[] {
  const faults: string[] = [];
  const inOrder = holds.toSorted((a, b) => a.from - b.from);
  let latest: Hold | undefined;
  let greatest = 0;
  for (const hold of inOrder) {
    if (hold.end === "GONE" && !hold.stalled) faults.push(`lost too early: ${shown(hold)}`);
    if (hold.over <= greatest) faults.push(`not above ${greatest}: ${shown(hold)}`);
    greatest = Math.max(greatest, hold.over);
    if (latest !== undefined && beliefOf(latest) >= hold.from) {
      faults.push(`at one time: ${shown(latest)} and ${shown(hold)}`);
    }
    if (latest === undefined || beliefOf(hold) > beliefOf(latest)) latest = hold;
  }
  return faults;
}

/** Faults of writes that were taken, in order: a number goes back, or belongs to two. */
export function faultsOfWrites(writes: readonly Write[]): string[] {
  const faults: string[] = [];
  const owners = new Map<number, string>();
  let greatest = 0;
  for (const { fence, who } of writes) {
    const owner = owners.get(fence) ?? who;
    owners.set(fence, owner);
    if (owner !== who) faults.push(`${fence} of ${owner} and of ${who}`);
    if (fence < greatest) faults.push(`${fence} of ${who} after ${greatest}`);
    greatest = Math.max(greatest, fence);
  }
  return faults;
}

/** Up to when a holder believed: up to its last look and, unless its process stood still, up to its signal. */
function beliefOf({ from, to = from, fired, stalled }: Hold): number {
  return stalled || fired === undefined ? to : Math.max(to, fired);
}

function shown({ over, who, from, to, fired, end, stalled }: Hold): string {
  return JSON.stringify({ over, who, from, to, fired, end, stalled });
}
