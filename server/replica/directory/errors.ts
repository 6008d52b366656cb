/**
 * Why a data directory cannot be used. Each message is one line for the operator: what is wrong, where, and what to do.
 *
 * @module
 */

/** A data directory cannot be used; one of the classes below says why. */
export abstract class DirectoryError extends Error {}

/** It cannot be made, read or written. */
export class UnusableDirectoryError extends DirectoryError {
  /** "UnusableDirectoryError". */
  override readonly name = "UnusableDirectoryError";

  /** `problem` is what the system said. */
  constructor(path: string, problem: string, cause: unknown) {
    super(
      `Data directory '${path}' cannot be used: ${problem}; make it writable for this user, or choose another one`,
      { cause },
    );
  }
}

/** Something else than a directory is there, or on the way there. */
export class NotADirectoryError extends DirectoryError {
  /** "NotADirectoryError". */
  override readonly name = "NotADirectoryError";

  /** `cause` is what the system said. */
  constructor(path: string, cause: unknown) {
    super(`Data directory '${path}' is, or is below, a file: choose another path`, { cause });
  }
}

/** Another process works in it, or this one does already. */
export class DirectoryInUseError extends DirectoryError {
  /** "DirectoryInUseError". */
  override readonly name = "DirectoryInUseError";

  /** `path` is that of the directory. */
  constructor(path: string) {
    super(
      `Data directory '${path}' is in use by another agent: stop that one, or choose another directory`,
    );
  }
}

/** Another version of this program has written it. */
export class DirectoryFormatError extends DirectoryError {
  /** "DirectoryFormatError". */
  override readonly name = "DirectoryFormatError";

  /** `got` is the format it has. */
  constructor(path: string, got: number, expected: number) {
    super(
      `Data directory '${path}' has format ${got}, expected ${expected}: run the version that wrote it, or choose another directory`,
    );
  }
}

/** What it says of the server is missing or damaged, so that nobody knows whose votes and entries it holds. */
export class DamagedNodeFileError extends DirectoryError {
  /** "DamagedNodeFileError". */
  override readonly name = "DamagedNodeFileError";

  /** `file` is the path of the file, `problem` says what is wrong with it. */
  constructor(file: string, problem: string) {
    super(`File '${file}' ${problem}`);
  }
}

/** It belongs to a server of another cluster. */
export class OtherClusterError extends DirectoryError {
  /** "OtherClusterError". */
  override readonly name = "OtherClusterError";

  /** `own` and `other` are the ids of the clusters. */
  constructor(path: string, own: string, other: string) {
    super(
      `Data directory '${path}' is of cluster '${own}', not of '${other}': join the own cluster, or choose another directory`,
    );
  }
}
