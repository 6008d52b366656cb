/**
 * Rejoining: what an agent writes down to find its cluster again after a restart, and to tell nothing twice
 * (docs/spec/serf.md 15). Nothing here reads or writes a file.
 *
 * @module
 */

export { RejoinJournal } from "./journal.ts";
export {
  type ClockName,
  formatRecord,
  MAX_LINE_BYTES,
  parseRecord,
  type RejoinRecord,
} from "./record.ts";
export { MAX_KEPT_MEMBERS, RejoinReplay, type Replayed } from "./replay.ts";
export type { Recorder, Restored } from "../model/restored.ts";
