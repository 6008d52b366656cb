/**
 * Serf: members with tags and a status, user events and queries, on top of memberlist. It speaks HashiCorp Serf's
 * gossip protocol.
 *
 * @module
 */

export {
  MAX_USER_EVENT_BYTES,
  type RequiredSettings,
  SERF_VERSIONS,
  type SerfConfig,
  serfConfig,
} from "./model/config.ts";
export type { SerfState } from "./core/core.ts";
export type { Counters } from "./core/counters.ts";
export {
  CoordinatesDisabledError,
  EventQueueFullError,
  EventTooLargeError,
  ForceLeaveTimeoutError,
  LeaveInProgressError,
  QueryError,
  RespondError,
  SerfConfigError,
  SerfStateError,
  TagsTooLargeError,
} from "./model/errors.ts";
export type { MemberEvent, QueryEvent, SerfEvent, UserEventNotice } from "./model/event.ts";
export { KeyManager, type KeyOptions, type KeyProgress } from "./keys/key_manager.ts";
export { EMPTY_REPORT, KeyOperationError, type KeyReport } from "./keys/report.ts";
export { type Member, memberFields, type MemberStatus } from "./model/member.ts";
export {
  compilePattern,
  loadPatterns,
  MAX_PATTERN_SIZE,
  type Pattern,
  PatternError,
} from "./model/pattern.ts";
export type { QueryTargets } from "./queries/filter.ts";
export type { QueryAnswer, QueryOutcome, RunningQuery } from "./core/collector.ts";
export type { QueryParams } from "./queries/send.ts";
export { Serf } from "./serf.ts";
export type { Recorder, Restored } from "./model/restored.ts";
export type { Tags } from "./model/tags.ts";
