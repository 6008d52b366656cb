/**
 * The snapshots of a simulated server: small texts that say what the machine has come to.
 *
 * @module
 */

import type { Effects, SnapshotMeta } from "../../../cluster/raft/mod.ts";
import { SafetyError } from "./checker.ts";

/** Bytes of a piece; small, so that each snapshot takes several. */
const CHUNK_BYTES = 8;

/** Bytes of a snapshot. */
const SNAPSHOT_BYTES = 3 * CHUNK_BYTES - 3;

/** Snapshots that are kept: one that is on its way to a peer outlives the next. */
const KEPT = 2;

/** What is to be known of the snapshot of a machine with this digest. Two servers' snapshots never have the same bytes. */
export function snapshotOf(
  digest: number,
  id: string,
  place: Omit<SnapshotMeta, "size" | "hash">,
): SnapshotMeta {
  return { ...place, size: SNAPSHOT_BYTES, hash: `${digest}@${id}` };
}

/** The digest of the machine that a snapshot was made of. */
export function digestIn({ hash }: SnapshotMeta): number {
  return Number(hash.split("@")[0]);
}

/** The snapshots that a server can give to others, and the one that it gets. */
export class SimulatedSnapshots {
  #kept: SnapshotMeta[] = [];
  #received = { hash: "", text: "" };

  /** A start finds the newest one. */
  start(newest: SnapshotMeta | undefined): void {
    this.#kept = newest === undefined ? [] : [newest];
  }

  /** There is a newer one. */
  keep(snapshot: SnapshotMeta): void {
    this.#kept = [...this.#kept, snapshot].slice(-KEPT);
  }

  /** A piece of one, if it is kept. */
  piece(index: number, offset: number): Uint8Array | undefined {
    const snapshot = this.#kept.find((kept) => kept.index === index);
    return snapshot && contents(snapshot).subarray(offset, offset + CHUNK_BYTES);
  }

  /**
   * Stores a piece. Returns up to where there is something of that snapshot now.
   *
   * @throws {SafetyError} when the whole is not what was sent
   */
  store({ snapshot, offset, chunk }: NonNullable<Effects["store"]>): number {
    const { hash } = snapshot;
    if (offset === 0) this.#received = { hash, text: "" };
    const fits = this.#received.hash === hash && this.#received.text.length === offset;
    if (fits) this.#received.text += new TextDecoder().decode(chunk);
    else this.#received = { hash: "", text: "" };
    const { text } = this.#received;
    if (text.length >= snapshot.size && text !== new TextDecoder().decode(contents(snapshot))) {
      throw new SafetyError(`'${text}' is what came of snapshot '${hash}'`);
    }
    return text.length;
  }
}

function contents({ size, hash }: SnapshotMeta): Uint8Array {
  return new TextEncoder().encode(hash.padEnd(size, "."));
}
