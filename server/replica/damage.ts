/**
 * Damage of what a server keeps, and what its operator does about it.
 *
 * @module
 */

import { DamagedNodeFileError } from "./directory/errors.ts";
import { TornStateError } from "./driver/restore.ts";
import { DamagedLogError } from "./log/errors.ts";
import { DamagedVoteError } from "./log/vote_file.ts";
import { DamagedSnapshotError } from "./snapshots/damaged.ts";
import { DamagedStoreError, StoreFormatError } from "./store/errors.ts";

/** A data directory is damaged. The message is one line that names the file, the place in it and what to do. */
export class DamagedDirectoryError extends Error {
  /** "DamagedDirectoryError". */
  override readonly name = "DamagedDirectoryError";

  /** `path` is that of the directory; `cause` says what is damaged. */
  constructor(path: string, cause: Error) {
    const quoted = /^[\w./:@-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
    super(`${cause.message}: 'skein raft rebuild -data-dir ${quoted}' has it made anew`, { cause });
  }
}

/** Whether the state of the machine is damaged, which the own log and snapshot can make anew. */
export function isStateDamage(error: unknown): error is Error {
  return error instanceof DamagedStoreError || error instanceof StoreFormatError;
}

/** Whether something is damaged that only other servers can make good for. */
export function isLogDamage(error: unknown): error is Error {
  return error instanceof DamagedLogError || error instanceof DamagedVoteError ||
    error instanceof DamagedSnapshotError || error instanceof DamagedNodeFileError ||
    error instanceof TornStateError;
}

/** The same error, with what to do about it when the directory at `path`, which lasts, is damaged. */
export function withAdvice(path: string | undefined, error: unknown): unknown {
  const isDamage = isLogDamage(error) || error instanceof DamagedStoreError;
  return path !== undefined && isDamage ? new DamagedDirectoryError(path, error) : error;
}
