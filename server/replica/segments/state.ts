/**
 * What the state tells of messages.
 *
 * @module
 */

import { DumpedRows, type Store } from "../../../cluster/machine/mod.ts";
import { readContext } from "../../../cluster/machine/sys/context.ts";
import {
  nextOffset,
  SEGMENT_KEYS,
  type SegmentRow,
  segmentRow,
  segmentRowOf,
  segmentRows,
} from "../../../cluster/machine/topics/mod.ts";
import type { SegmentState } from "./segment_files.ts";

/** The state, as it is now. */
export interface StateOfMessages extends SegmentState {
  /** The offset that the next message of a partition gets. */
  nextOffset(topic: number, partition: number): number;
  /** The entry that was applied last. */
  applied(): number;
}

/** That of a store. */
export function stateOfMessages(
  store: () => Store & { sync(): Promise<void> },
): StateOfMessages {
  return {
    rows: () => segmentRows(store()),
    row: (segment) => segmentRow(store(), segment),
    sync: () => store().sync(),
    nextOffset: (topic, partition) => nextOffset(store(), topic, partition),
    applied: () => readContext(store()).index,
  };
}

/** The segments that a dump tells of, which comes in pieces. */
export async function* segmentRowsIn(dump: AsyncIterable<Uint8Array>): AsyncGenerator<SegmentRow> {
  const rows = new DumpedRows(SEGMENT_KEYS.from, SEGMENT_KEYS.to);
  for await (const piece of dump) {
    for (const row of rows.push(piece)) {
      const found = segmentRowOf(row);
      if (found !== undefined) yield found;
    }
  }
}
