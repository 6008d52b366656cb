/**
 * Where the messages of topics are: in segments, whose bytes are no rows of the state. The state says what each of them holds.
 *
 * @module
 */

import type { SegmentId } from "../message_change.ts";

export type { MessageChange, SegmentId } from "../message_change.ts";

/** What the state says of the bytes of a segment. */
export interface SegmentRow {
  /** Which one. */
  readonly segment: SegmentId;
  /** How many there are. */
  readonly bytes: number;
  /** CRC-32 of all of them. */
  readonly crc: number;
}
