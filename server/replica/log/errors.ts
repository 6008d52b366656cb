/**
 * Why a log cannot be read or written.
 *
 * @module
 */

/**
 * A log file holds what no crash can have left there, so that entries may be lost that others count on. Nothing of the log is
 * used then, and nothing of it is changed.
 */
export class DamagedLogError extends Error {
  /** "DamagedLogError". */
  override readonly name = "DamagedLogError";
  /** The file, as the disk knows it. */
  readonly path: string;
  /** Where in the file, in bytes. */
  readonly offset: number;

  /** `problem` says what is wrong there. */
  constructor(path: string, offset: number, problem: string) {
    super(`Log file '${path}' is damaged at byte ${offset}: ${problem}`);
    this.path = path;
    this.offset = offset;
  }
}

/** The log could not be written, and nobody knows how much of it is on the disk: the server has to stop. */
export class LogFailedError extends Error {
  /** "LogFailedError". */
  override readonly name = "LogFailedError";

  /** `cause` is what went wrong. */
  constructor(folder: string, cause: unknown) {
    const said = cause instanceof Error ? cause.message : String(cause);
    super(`Log in '${folder}' cannot be written any more: ${said}`, { cause });
  }
}

/** The log is closed. */
export class LogClosedError extends Error {
  /** "LogClosedError". */
  override readonly name = "LogClosedError";
}
