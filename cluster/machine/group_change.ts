/**
 * What a command has done to a group of consumers, for who leads and has to know whom to wait for. It is no part of the state.
 *
 * @module
 */

/** What entries do to groups. */
export type GroupChange =
  | {
    /** Members have come, gone or been told something, or are to read something else. */
    readonly kind: "changed";
    readonly group: Uint8Array;
  }
  | {
    /** A member has given a sign of life. */
    readonly kind: "heard";
    readonly member: number;
  };
