/**
 * Consensus: servers that keep the same log.
 *
 * @module
 */

export { type Effects, type Input, type Refusal } from "./state/effects.ts";
export { createRaft, foundingEntry, NOTHING, type Restored, step, tickDueAt } from "./raft.ts";
export { RaftInvariantError } from "./invariants.ts";
export type { Entry, EntryType } from "./log/entry.ts";
export type {
  Configuration,
  ConfigurationChange,
  ConfigurationMember,
  MemberRole,
} from "./membership/configuration.ts";
export type { Message, Outgoing, SnapshotMeta } from "./state/message.ts";
export { DEFAULT_RAFT_OPTIONS, type RaftOptions, type Rule } from "./state/options.ts";
export { leaderOf, type Raft } from "./state/raft.ts";
