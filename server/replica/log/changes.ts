/**
 * What writes of the core change in the files.
 *
 * @module
 */

import type { Entry } from "../../../cluster/raft/log/entry.ts";
import type { LogWrite } from "../../../cluster/raft/state/effects.ts";
import { MAX_ENTRY_DATA_BYTES } from "../../../cluster/raft/wire/entry_codec.ts";
import { type Change, groupBytes, MAX_GROUP_BYTES } from "./format.ts";
import type { LogIndex } from "./index.ts";

/**
 * Writes that follow each other, of which only the first may do more than to append, as one change of a log.
 *
 * @throws {RangeError} when it cannot follow what there is, or is too large
 */
export function changeOf(writes: readonly LogWrite[], index: LogIndex): Change {
  const { reset, truncateFrom } = writes[0] as LogWrite;
  const begin = reset && { index: reset.snapshot.index, term: reset.snapshot.term };
  const change: Change = {
    begin,
    cut: truncateFrom === undefined ? undefined : placeOf(truncateFrom - 1, index),
    entries: writes.length === 1 ? writes[0]!.entries : writes.flatMap(({ entries }) => entries),
  };
  if (!change.entries.every(isReadable)) throw new RangeError("An entry could not be read again");
  const bytes = groupBytes(change);
  if (bytes > MAX_GROUP_BYTES) {
    throw new RangeError(`Change takes ${bytes} bytes, at most ${MAX_GROUP_BYTES} are written`);
  }
  const problem = index.problem(change);
  if (problem !== undefined) throw new RangeError(problem);
  return change;
}

/** Whether `readEntry` takes it, once it follows what there is. */
function isReadable({ term, time, data }: Entry): boolean {
  return Number.isSafeInteger(term) && Number.isSafeInteger(time) && time >= 0 &&
    data.length <= MAX_ENTRY_DATA_BYTES;
}

function placeOf(at: number, index: LogIndex): { index: number; term: number } {
  const term = index.term(at);
  if (term === undefined) {
    throw new RangeError(
      `Log cannot be cut after ${at}, it holds ${index.beforeIndex + 1} to ${index.lastIndex}`,
    );
  }
  return { index: at, term };
}
