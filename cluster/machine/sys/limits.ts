/**
 * Bounds and refusals of sessions. They are part of the format: what is refused is decided when an entry is applied, by all servers
 * alike.
 *
 * @module
 */

import type { Failure } from "../result.ts";

/** Bytes of the id of a session. */
export const SESSION_BYTES = 16;

/** Most sessions. */
export const MAX_SESSIONS = 10_000;

/** Most capabilities of a session ... */
export const MAX_CAPABILITIES = 64;

/** ... and most bytes of their names and values together. */
export const MAX_CAPABILITIES_BYTES = 4 * 1024;

/** Longest value of the capability `client-id`, in bytes. */
export const MAX_CLIENT_ID_BYTES = 256;

/** How long a client that asks again with the same nonce gets the session that it got, in milliseconds. */
export const SAME_CREATION_MS = 60_000;

/** Requests of a session have ids from its floor on, fewer than so many above it. */
export const WINDOW = 1_024;

/** A session whose answers take more bytes than this executes nothing more before it raises its floor. */
export const MAX_CACHED_BYTES = 8 * 1024 * 1024;

/** Most server requests that wait for a session ... */
export const MAX_PENDING = 10_000;

/** ... and most bytes of their payloads. */
export const MAX_PENDING_BYTES = 16 * 1024 * 1024;

/** Most server requests that wait for all sessions together, those of ended ones too until they are swept ... */
export const MAX_ALL_PENDING = 1_000_000;

/** ... and most bytes of their payloads. */
export const MAX_ALL_PENDING_BYTES = 1024 * 1024 * 1024;

/** Longest payload of a server request, in bytes: a change of the longest value, with the one before. */
export const MAX_PAYLOAD_BYTES = 1024 * 1024 + 8 * 1024;

/** Most watches of a session. */
export const MAX_SESSION_WATCHES = 10_000;

/** Most watches of all sessions, those of ended ones too until they are swept. */
export const MAX_ALL_WATCHES = 100_000;

/** Most pushes that one entry makes; where it would make more, all sessions with watches are told that they have missed some. */
export const MAX_PUSHES = 100_000;

/** Most bytes of server requests that one entry makes, about a tenth of a second of work; sessions that have no part in them are told so. */
export const MAX_PUSHED_BYTES = 64 * 1024 * 1024;

/** Most sessions that one entry ends: some milliseconds of work, as with the next ones. */
export const MAX_ENDED = 250;

/** Most rows of ended sessions that one entry sweeps. */
export const MAX_SWEPT_ROWS = 500;

/** With so many leavings of sessions to be swept, none begins. */
export const MAX_LEAVINGS = 10_000;

/** Most acknowledgements of one entry ... */
export const MAX_ACKS = 1_024;

/** ... and most server requests that it removes. */
export const MAX_ACKED_ROWS = 2_000;

/** Most sessions whose presence one entry tells. */
export const MAX_PRESENT = 64;

/** Most jobs that a session has at a time; and its queue has to be half empty for another one ... */
export const MAX_SESSION_JOBS = 1_000;

/** ... most jobs at all that are not acknowledged ... */
export const MAX_JOBS = 10_000;

/** ... and most bytes of their payloads. */
export const MAX_JOB_BYTES = 256 * 1024 * 1024;

/** Most sessions that are looked at for a job: no more of them can have as many as they may. */
export const MAX_CANDIDATES = 16;

/** Most jobs that a session gets at once of those that wait for somebody of a skill. */
export const MAX_FED = 16;

/** As many rows a job counts when it is handed on. */
export const JOB_ROWS = 8;

/** Nobody is connected who has the skill: nothing was done. */
export const NO_WORKER: Failure = { ok: false, code: 404, reason: "NO_WORKER" };

/** All who have the skill have as much to do as they may, or there are too many jobs: nothing was done. */
export const TOO_MANY_JOBS: Failure = { ok: false, code: 429, reason: "TOO_MANY_JOBS" };

/** The session is not there, or not any more: nothing was executed. */
export const SESSION_EXPIRED: Failure = { ok: false, code: 410, reason: "SESSION_EXPIRED" };

/** The request was answered before, or given up, and is not known any more: nothing was executed by this attempt. */
export const RESPONSE_EVICTED: Failure = { ok: false, code: 410, reason: "RESPONSE_EVICTED" };

/** The request has no answer yet. */
export const NOT_ANSWERED: Failure = { ok: false, code: 404, reason: "NOT_ANSWERED" };

/** The id is too far above the floor, or the answers above it take too much: nothing was executed. */
export const TOO_MANY_IN_FLIGHT: Failure = { ok: false, code: 429, reason: "TOO_MANY_IN_FLIGHT" };

/** Another connection has the session: nothing was executed. */
export const SESSION_MOVED: Failure = { ok: false, code: 410, reason: "SESSION_MOVED" };

/** There are as many sessions as there may be. */
export const TOO_MANY_SESSIONS: Failure = { ok: false, code: 429, reason: "TOO_MANY_SESSIONS" };

/** Capabilities that break a rule. */
export const BAD_CAPABILITIES: Failure = {
  ok: false,
  code: 422,
  reason: "INVALID",
  field: "capabilities",
};
