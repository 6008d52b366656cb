/**
 * A log that looks, before entries leave it, whether what was made of them is on the disk.
 *
 * A server that gets this order wrong is mostly saved by its newest snapshot, so that crashes alone hardly show it.
 *
 * @module
 */

import type { LogWrite } from "../../../../cluster/raft/state/effects.ts";
import type { LogStore } from "../../../../server/replica/driver/parts.ts";

/** What the order is looked at with. */
export interface OrderParts {
  /** Last entry of the state that a crash would leave. */
  readonly keptIndex: () => number;
  /** Last entry of the newest snapshot on the disk; 0 without one. */
  readonly snapshotIndex: () => number;
  /** The order was wrong. */
  readonly wrong: (problem: string) => void;
}

/** `log`, with its order looked at. */
export function orderedLog(log: LogStore, parts: OrderParts): LogStore {
  return {
    write: (write) => {
      lookAtReset(write, parts);
      return log.write(write);
    },
    load: (request) => log.load(request),
    trim: (index) => {
      const kept = parts.keptIndex();
      if (kept < index) {
        parts.wrong(`Log is trimmed to ${index}, the state on the disk has ${kept}`);
      }
      return log.trim(index);
    },
    recover: () => log.recover(),
  };
}

/** A snapshot that a newer one has overtaken is never loaded. */
function lookAtReset({ reset }: LogWrite, { keptIndex, snapshotIndex, wrong }: OrderParts): void {
  if (reset === undefined) return;
  const { index } = reset.snapshot;
  const kept = keptIndex();
  if (kept < index && snapshotIndex() <= index) {
    wrong(`Log begins after ${index}, the state on the disk has ${kept}`);
  }
}
