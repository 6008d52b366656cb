/**
 * Segments of messages that cannot be read.
 *
 * @module
 */

/** Bytes of a segment are not what was written. They are never served, and had again from another server. */
export class DamagedSegmentError extends Error {
  /** "DamagedSegmentError". */
  override readonly name = "DamagedSegmentError";

  /** `what` is wrong with the file `path`. */
  constructor(path: string, what: string) {
    super(`Segment '${path}' is damaged: ${what}`);
  }
}

/** There is no such segment, or none any more: nothing of it is needed by the state. */
export class SegmentGoneError extends Error {
  /** "SegmentGoneError". */
  override readonly name = "SegmentGoneError";

  /** `path` is where it would be. */
  constructor(path: string) {
    super(`Segment '${path}' is gone`);
  }
}

/** The system failed to make a segment last: nobody knows what is on the disk. */
export class SegmentsFailedError extends Error {
  /** "SegmentsFailedError". */
  override readonly name = "SegmentsFailedError";

  /** `cause` is what the system said of `path`. */
  constructor(path: string, cause: unknown) {
    super(`Cannot sync '${path}'`, { cause });
  }
}

/** No other server that can be reached has what is missing of a segment. */
export class SegmentAbsentError extends Error {
  /** "SegmentAbsentError". */
  override readonly name = "SegmentAbsentError";
}
