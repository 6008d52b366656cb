/**
 * What can be wrong with a server of the replicated state as a whole.
 *
 * @module
 */

/** Leaving would leave too few servers behind. The message says why. */
export class LeaveRefusedError extends Error {
  /** "LeaveRefusedError". */
  override readonly name = "LeaveRefusedError";
}
