/**
 * Snapshots: what an agent writes down to find its cluster again after a restart, and to tell nothing twice (serf.md 15).
 * Nothing here reads or writes a file.
 *
 * @module
 */

export { SnapshotJournal } from "./journal.ts";
export {
  type ClockName,
  formatRecord,
  MAX_LINE_BYTES,
  parseRecord,
  type SnapshotRecord,
} from "./record.ts";
export { MAX_KEPT_MEMBERS, type Replayed, SnapshotReplay } from "./replay.ts";
export type { Recorder, Restored } from "../model/restored.ts";
