/**
 * The replicated state machine.
 *
 * @module
 */

export type { ChangeKind, NodeChange } from "./change.ts";
export type { GroupChange } from "./group_change.ts";
export type { MessageChange, SegmentId } from "./message_change.ts";
export { dump, type DumpSummary } from "./dump.ts";
export { DumpedRows } from "./dumped_rows.ts";
export { DumpError, Loader } from "./load.ts";
export {
  FormatError,
  type LogEntry,
  Machine,
  type MachineListener,
  type MovedSession,
  PROGRAM,
  type SessionChanges,
} from "./machine.ts";
export type { Context, Program } from "./module.ts";
export { decodeResult, encodeResult, type Failure, type Result, type Success } from "./result.ts";
export { MemoryStore } from "./store/memory_store.ts";
export type {
  Replacement,
  Row,
  Store,
  StoreReader,
  StoreView,
  Transaction,
} from "./store/store.ts";
export {
  type Ack,
  ackCommand,
  type Answer,
  answerQuestion,
  BAD_CAPABILITIES,
  type Capability,
  createSessionCommand,
  type Creation,
  decodeAcked,
  decodeAnswer,
  decodeExpired,
  decodeRequests,
  decodeSession,
  decodeSessions,
  decodeTotals,
  type Deed,
  dispatchCommand,
  type Expired,
  expireSessionsCommand,
  hasSkill,
  LEADER,
  MAX_ACKS,
  MAX_CAPABILITIES,
  MAX_CAPABILITIES_BYTES,
  MAX_CLIENT_ID_BYTES,
  MAX_ENDED,
  MAX_LISTED_SESSIONS,
  MAX_PRESENT,
  MAX_READ_BYTES,
  MAX_READ_REQUESTS,
  MAX_SESSIONS,
  NOBODY,
  NOT_ANSWERED,
  type Presence,
  presenceCommand,
  type RequestPage,
  requestsQuestion,
  RESPONSE_EVICTED,
  type ServerRequest,
  SESSION_BYTES,
  SESSION_EXPIRED,
  SESSION_MOVED,
  sessionCommand,
  type SessionInfo,
  type SessionPage,
  sessionQuestion,
  type SessionRequest,
  sessionsQuestion,
  type SessionWatch,
  TOO_MANY_IN_FLIGHT,
  TOO_MANY_SESSIONS,
  totalsQuestion,
  upgradeCommand,
  WINDOW,
} from "./sys/mod.ts";
