/**
 * Machines with some keys, and their snapshots.
 *
 * @module
 */

import { setCommand } from "../../../cluster/machine/kv/mod.ts";
import { Machine, MemoryStore, type Store } from "../../../cluster/machine/mod.ts";
import type { SnapshotMeta } from "../../../cluster/raft/mod.ts";
import type { Disk } from "../../../cluster/runtime.ts";
import { SnapshotFiles } from "../../../server/replica/snapshots/snapshot_files.ts";
import { entriesOf, json, path } from "../machine/fixture.ts";

/** The folder of the snapshots. */
export const FOLDER = "raft/snapshots";

/** Where a snapshot at an index is said to be: in the second term, of a cluster of two. */
export function placeAt(index: number): Omit<SnapshotMeta, "size" | "hash"> {
  return {
    index,
    term: 2,
    configurationIndex: 1,
    configuration: [{ id: "a".repeat(32), role: "voter" }, { id: "b".repeat(32), role: "learner" }],
  };
}

/** Sets keys `from` up to `to`, with values of `bytes` bytes, a batch of 512 at a time. */
export function setKeys(store: Store, from: number, to: number, bytes = 20): Machine {
  const machine = new Machine(store);
  for (let at = from; at < to; at += 512) {
    const commands: Uint8Array[] = [];
    for (let i = at; i < Math.min(at + 512, to); i++) {
      commands.push(setCommand(path(`key-${i}`), json(`${i}`.padEnd(bytes, "."))));
    }
    machine.apply(entriesOf(commands, machine.context.index + 1));
  }
  return machine;
}

/** Snapshots on a disk, with a store that has so many keys. */
export async function openSnapshots(
  disk: Disk,
  keys = 0,
  store: Store = new MemoryStore(),
): Promise<{ files: SnapshotFiles; store: Store }> {
  setKeys(store, 0, keys);
  return { files: await SnapshotFiles.open({ disk, folder: FOLDER, store }), store };
}

/** Makes a snapshot of a store as it is. */
export function saveSnapshot(files: SnapshotFiles, store: Store): Promise<SnapshotMeta> {
  return files.save(store.view(), placeAt(new Machine(store).context.index));
}

/** All pieces of a snapshot. */
export async function piecesOf(
  files: SnapshotFiles,
  { index, size }: SnapshotMeta,
): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for (let offset = 0; offset < size;) {
    const piece = await files.read(index, offset);
    if (piece === undefined || piece.length === 0) throw new Error(`No piece at ${offset}`);
    pieces.push(piece);
    offset += piece.length;
  }
  return pieces;
}
