/**
 * What a server begins with: the core and the machine, made of what is on the disk.
 *
 * Log, snapshots and state are written at different times, so after a crash one may be ahead of the other. What is
 * possible is put right here; what is not was damaged.
 *
 * @module
 */

import type { Machine } from "../../../cluster/machine/mod.ts";
import {
  createRaft,
  type Raft,
  type RaftOptions,
  type Restored,
} from "../../../cluster/raft/mod.ts";
import { entryBytes } from "../../../cluster/raft/log/entry.ts";
import { lastIndexOf, type RestoredEntries, termOf } from "../../../cluster/raft/log/restored.ts";
import type { Clock, Random } from "../../../cluster/runtime.ts";
import type { LogStore, SnapshotStore } from "./parts.ts";

/** The parts of the data directory do not belong to each other. */
export class TornStateError extends Error {
  /** "TornStateError". */
  override readonly name = "TornStateError";

  /** `directory` is the path of the data directory, `problem` says what does not fit. */
  constructor(directory: string, problem: string) {
    super(`Data directory '${directory}' is damaged: ${problem}`);
  }
}

/** What a restore needs. */
export interface RestoreParts {
  /** Path of the data directory, for messages. */
  readonly directory: string;
  /** Id of this server. */
  readonly id: string;
  readonly options: RaftOptions;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: LogStore;
  readonly snapshots: SnapshotStore;
  /** Makes a machine on the store as it is. */
  readonly newMachine: () => Machine;
}

/** What a server begins with. */
export interface Beginning {
  readonly raft: Raft;
  readonly machine: Machine;
  /** Bytes of the entries that the machine has and no snapshot. */
  readonly unsavedBytes: number;
}

/**
 * Makes the core and the machine.
 *
 * @throws {TornStateError} when entries are missing between the state, or the snapshot, and the log
 */
export async function restore(
  parts: RestoreParts,
  found: Omit<Restored, "applied">,
): Promise<Beginning> {
  const { directory, id, options, clock, random, newMachine } = parts;
  const { snapshot } = found;
  let machine = newMachine();
  const lastIndex = lastIndexOf(found);
  if (machine.context.index > Math.max(lastIndex, snapshot?.index ?? 0)) {
    throw new TornStateError(
      directory,
      `State has entry ${machine.context.index}, the log ends with ${lastIndex}`,
    );
  }
  // From here on the log changes: what was wrong with it until now is as it was found.
  const log = await withoutGap(parts, found);
  if (machine.context.index < log.beforeIndex) {
    if (snapshot === undefined) {
      throw new TornStateError(
        directory,
        `State ends with entry ${machine.context.index}, the log begins after ${log.beforeIndex}, and there is no snapshot`,
      );
    }
    await parts.snapshots.load(snapshot);
    machine = newMachine();
  }
  const applied = machine.context.index;
  const raft = createRaft(id, options, random, clock.now(), { ...found, ...log, applied });
  return { raft, machine, unsavedBytes: bytesOf(log, snapshot?.index ?? 0, applied) };
}

/**
 * A snapshot that was received but whose log was not begun yet takes effect now: the log ends before it, or has another entry
 * where it ends, and then all from there on was never committed.
 */
async function withoutGap(
  { directory, log }: RestoreParts,
  found: Parameters<typeof restore>[1],
): Promise<RestoredEntries> {
  const { snapshot, beforeIndex, beforeTerm, onDisk, entries } = found;
  const term = termOf(found, snapshot?.index ?? 0);
  const isOfLog = snapshot === undefined ||
    (snapshot.index <= lastIndexOf(found) && (term === undefined || term === snapshot.term));
  if (isOfLog) {
    if (beforeIndex > (snapshot?.index ?? 0)) {
      throw new TornStateError(
        directory,
        `Log begins after entry ${beforeIndex}, the newest snapshot ends with ${
          snapshot?.index ?? 0
        }`,
      );
    }
    return { beforeIndex, beforeTerm, onDisk, entries };
  }
  await log.write({ seq: 0, reset: { snapshot, keepSuffix: false }, entries: [] });
  return { beforeIndex: snapshot.index, beforeTerm: snapshot.term, onDisk: undefined, entries: [] };
}

/** Bytes of the entries after the one at `after`, up to the one at `last`: about, for those that are not in memory. */
function bytesOf({ onDisk, entries }: RestoredEntries, after: number, last: number): number {
  let bytes = onDisk?.sizes.between(after, last) ?? 0;
  for (const entry of entries) {
    if (entry.index > after && entry.index <= last) bytes += entryBytes(entry);
  }
  return bytes;
}
