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
} from "./config.ts";
export type { SerfState } from "./core.ts";
export type { Counters } from "./counters.ts";
export {
  CoordinatesDisabledError,
  EventTooLargeError,
  ForceLeaveTimeoutError,
  QueryError,
  RespondError,
  SerfConfigError,
  SerfStateError,
  TagsTooLargeError,
} from "./errors.ts";
export type { MemberEvent, QueryEvent, SerfEvent, UserEventNotice } from "./events/event.ts";
export { KeyManager, type KeyOptions, type KeyProgress } from "./keys/key_manager.ts";
export { EMPTY_REPORT, KeyOperationError, type KeyReport } from "./keys/report.ts";
export type { Member, MemberStatus } from "./members/member.ts";
export {
  compilePattern,
  loadPatterns,
  MAX_PATTERN_SIZE,
  type Pattern,
  PatternError,
} from "./pattern.ts";
export type { QueryTargets } from "./queries/filter.ts";
export type { QueryAnswer, QueryOutcome, RunningQuery } from "./queries/collector.ts";
export type { QueryParams } from "./queries/send.ts";
export { Serf } from "./serf.ts";
export type { Recorder, Restored } from "./snapshot/restored.ts";
export type { Tags } from "./tags.ts";
