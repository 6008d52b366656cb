/**
 * Where the messages of topics are: in segments, whose bytes are no rows of the state. The state says what each of them holds.
 *
 * The commands that append and remove say so, in the order of their entries, and servers that apply the same entries hear the
 * same: so a segment has the same bytes everywhere.
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

/** What the state says of the bytes of a segment. */
export interface SegmentRow {
  /** Which one. */
  readonly segment: SegmentId;
  /** How many there are. */
  readonly bytes: number;
  /** CRC-32 of all of them. */
  readonly crc: number;
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
