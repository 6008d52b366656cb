/**
 * A snapshot that cannot be used.
 *
 * @module
 */

/** A snapshot on the disk is not what was written. It can be had again from other servers. */
export class DamagedSnapshotError extends Error {
  /** "DamagedSnapshotError". */
  override readonly name = "DamagedSnapshotError";

  /** `what` is wrong with the file `path`; `cause` is who found it. */
  constructor(path: string, what: string, cause?: unknown) {
    super(`Snapshot '${path}' is damaged: ${what}`, { cause });
  }
}
