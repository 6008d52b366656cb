/**
 * What a command has done to segments of messages, which are no rows of the state, for whoever keeps them.
 *
 * Servers that apply the same entries hear the same, in the order of the entries: so a segment has the same bytes everywhere.
 *
 * @module
 */

/** A part of a partition that is kept, and removed, as one. */
export interface SegmentId {
  /** Number of the topic, which no other topic ever has. */
  readonly topic: number;
  /** Number of the partition, from 0. */
  readonly partition: number;
  /** Offset of its first message. No other segment of the partition ever has it. */
  readonly base: number;
}

/** What entries do to segments. */
export type MessageChange =
  | {
    readonly kind: "append";
    readonly segment: SegmentId;
    /** How many bytes the segment had before. */
    readonly position: number;
    /** A whole batch; it does not change any more. */
    readonly bytes: Uint8Array;
  }
  | {
    /** Nothing of it is needed any more. */
    readonly kind: "drop";
    readonly segment: SegmentId;
  };
