/**
 * The module `sys`: the context of the machine, and the sessions of clients.
 *
 * A session outlives connections, processes and leaders: it is rows of the state. Each of its requests is executed at most once,
 * since its answer is kept with what it has done, until the client says that it needs it no more; and what the cluster has to tell
 * it waits in order until it is acknowledged. Who is connected where, and since when nothing was heard of whom, is the leader's.
 *
 * @module
 */

import type { Module } from "../module.ts";
import { ACK, ack } from "./ack.ts";
import { ANSWER, answer, COMMAND, command } from "./command.ts";
import { UPGRADE, upgrade } from "./context.ts";
import { CREATE, create } from "./create.ts";
import { EXPIRE, expire } from "./expire.ts";
import { DISPATCH, dispatch } from "./jobs.ts";
import { PRESENCE, presence } from "./presence.ts";
import {
  REQUESTS,
  requests,
  SESSION,
  session,
  SESSIONS,
  sessions,
  TOTALS,
  totals,
} from "./questions.ts";

export { type Ack, ackCommand, decodeAcked } from "./ack.ts";
export type { Capability } from "./rows/capabilities.ts";
export {
  type Answer,
  answerQuestion,
  decodeAnswer,
  type Deed,
  sessionCommand,
  type SessionRequest,
} from "./command.ts";
export { FIRST_FORMAT, readContext, SYS, upgradeCommand, writeContext } from "./context.ts";
export { createSessionCommand, type Creation } from "./create.ts";
export { decodeExpired, type Expired, expireSessionsCommand } from "./expire.ts";
export {
  BAD_CAPABILITIES,
  MAX_ACKS,
  MAX_CAPABILITIES,
  MAX_CAPABILITIES_BYTES,
  MAX_CLIENT_ID_BYTES,
  MAX_ENDED,
  MAX_PENDING,
  MAX_PRESENT,
  MAX_SESSIONS,
  NOT_ANSWERED,
  RESPONSE_EVICTED,
  SESSION_BYTES,
  SESSION_EXPIRED,
  SESSION_MOVED,
  TOO_MANY_IN_FLIGHT,
  TOO_MANY_SESSIONS,
  WINDOW,
} from "./limits.ts";
export {
  decodeRequests,
  decodeSession,
  decodeSessions,
  decodeTotals,
  MAX_LISTED_SESSIONS,
  MAX_READ_BYTES,
  MAX_READ_REQUESTS,
  type RequestPage,
  requestsQuestion,
  type SessionInfo,
  type SessionPage,
  sessionQuestion,
  sessionsQuestion,
  totalsQuestion,
} from "./questions.ts";
export { dispatchCommand } from "./jobs.ts";
export { LEADER, NOBODY } from "./rows/session.ts";
export { type Presence, presenceCommand } from "./presence.ts";
export type { ServerRequest } from "./rows/requests.ts";
export { tellSessions } from "./telling.ts";
export { WatchedPlaces } from "./rows/watched.ts";
export { hasSkill } from "./rows/workers.ts";
export type { SessionWatch } from "./watch.ts";

/** The module. */
export const sys: Module = {
  commands: {
    [UPGRADE]: upgrade,
    [CREATE]: create,
    [EXPIRE]: expire,
    [COMMAND]: command,
    [ACK]: ack,
    [PRESENCE]: presence,
    [DISPATCH]: dispatch,
  },
  questions: {
    [SESSION]: session,
    [SESSIONS]: sessions,
    [REQUESTS]: requests,
    [TOTALS]: totals,
    [ANSWER]: answer,
  },
};
