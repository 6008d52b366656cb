/**
 * One entry of the replicated log.
 *
 * @module
 */

/**
 * What an entry is for. `command` is the application's; `no-op` is what a new leader appends first; `barrier` only marks a
 * place; `configuration` says who belongs to the cluster.
 */
export type EntryType = "command" | "no-op" | "barrier" | "configuration";

/** One entry. It never changes; a conflicting entry replaces it as a whole. */
export interface Entry {
  /** Place in the log, from 1. */
  readonly index: number;
  /** Term of the leader that appended it, from 1. */
  readonly term: number;
  /** What it is for. */
  readonly type: EntryType;
  /** The leader's wall clock when it was proposed, in milliseconds since 1970; the state machine's only time. */
  readonly time: number;
  /** The command, the encoded configuration, or what tells a barrier from others; empty for a no-op. */
  readonly data: Uint8Array;
}

/** What an entry is counted with besides its data, in bytes: index, term, type, time, length and checksum on the wire. */
export const ENTRY_OVERHEAD_BYTES = 32;

/** What an entry counts in windows and caches, in bytes. */
export function entryBytes(entry: Entry): number {
  return ENTRY_OVERHEAD_BYTES + entry.data.length;
}
