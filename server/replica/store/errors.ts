/**
 * What can be wrong with the state on the disk.
 *
 * @module
 */

import { DiskFullError } from "../../../cluster/runtime.ts";

/** The state on the disk is damaged: nothing of it may be used. It can be had again from a snapshot, or from other servers. */
export class DamagedStoreError extends Error {
  /** "DamagedStoreError". */
  override readonly name = "DamagedStoreError";

  /** `what` is wrong with the file `path`; `cause` is what SQLite said. */
  constructor(path: string, what: string, cause?: unknown) {
    super(`State '${path}' is damaged: ${what}`, { cause });
  }
}

/** The file is none of this program, or of another version of it. */
export class StoreFormatError extends Error {
  /** "StoreFormatError". */
  override readonly name = "StoreFormatError";

  /** `what` was found instead. */
  constructor(path: string, what: string) {
    super(`Expected '${path}' to be a state of this version, got ${what}`);
  }
}

/** The system failed to read or write the state: nobody knows what is on the disk. */
export class StoreFailedError extends Error {
  /** "StoreFailedError". */
  override readonly name = "StoreFailedError";

  /** `cause` is what the system, or SQLite, said. */
  constructor(path: string, cause: unknown) {
    super(`Cannot read or write state '${path}'`, { cause });
  }
}

/** Result codes of SQLite (https://sqlite.org/rescode.html), less what extends them. */
const CODE = { error: 1, ioError: 10, corrupt: 11, full: 13, notADatabase: 26 } as const;

/** The index of the write-ahead log could not grow: the disk is full. */
const NO_ROOM_FOR_INDEX = CODE.ioError | (19 << 8);

/** An error of SQLite as one that a caller knows. What is none of SQLite comes back as it is. */
export function storeError(path: string, error: unknown): unknown {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (code !== "ERR_SQLITE_ERROR") return error;
  if (typeof errcode !== "number") return new StoreFailedError(path, error);
  if (errcode === NO_ROOM_FOR_INDEX) return new DiskFullError(path, error);
  switch (errcode & 0xff) {
    case CODE.full:
      return new DiskFullError(path, error);
    case CODE.error:
      // The statements are right, so it is the file that they do not fit.
    case CODE.corrupt:
    case CODE.notADatabase:
      return new DamagedStoreError(path, "SQLite cannot make sense of it", error);
    default:
      return new StoreFailedError(path, error);
  }
}

/** Runs `work` on the file and gives its errors the names of this module. */
export function onFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storeError(path, error);
  }
}
