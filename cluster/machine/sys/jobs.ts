/**
 * DISPATCH: something is to be done by one of the sessions that are connected and have the skill for it, each in turn.
 *
 * A job is a server request of that session until this acknowledges it. When it does not, and ends, another session gets it, or
 * the next one that comes: nobody knows how far the first one was. As long as a session lives, nobody else gets its jobs.
 *
 * @module
 */

import { equalBytes } from "../../../protocol/bytes.ts";
import { jobPush, type JobText, MAX_JOB_PAYLOAD_BYTES } from "../../../protocol/kv/job.ts";
import { MAX_SKILL_LENGTH } from "../../../protocol/kv/limits.ts";
import { DecodeError, type Reader, type Writer } from "../../../protocol/msgpack/mod.ts";
import { type Command, type Context, encodeCall, type Host } from "../module.ts";
import { INVALID, type Result } from "../result.ts";
import type { Transaction } from "../store/store.ts";
import { readBytes } from "../strict.ts";
import { SYS } from "./context.ts";
import {
  MAX_ALL_PENDING,
  MAX_ALL_PENDING_BYTES,
  MAX_CANDIDATES,
  MAX_FED,
  MAX_JOB_BYTES,
  MAX_JOBS,
  MAX_PENDING,
  MAX_PENDING_BYTES,
  MAX_SESSION_JOBS,
  NO_WORKER,
  TOO_MANY_JOBS,
} from "./limits.ts";
import { textOf } from "./rows/capabilities.ts";
import { type Job, jobsOf, payloadOf, putJob, putWaiting, waitingJobs } from "./rows/jobs.ts";
import { putRequest } from "./rows/requests.ts";
import { getSession, NOBODY, putSession, type Session } from "./rows/session.ts";
import { getTotals, putTotals, type Totals } from "./rows/totals.ts";
import { goBehind, skillOf, skillsOf, workersOf } from "./rows/workers.ts";

/** Number of the command. */
export const DISPATCH = 7;

/** Where jobs are handed over. */
export interface Desk {
  readonly state: Transaction;
  readonly context: Context;
  readonly host: Host;
  readonly totals: Totals;
}

const VERSION = 1;
const encoder = new TextEncoder();

/** The command that hands out a job. Its result is the JSON text of an object with the number of the `job`. */
export function dispatchCommand(job: JobText): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, DISPATCH, (writer) => writeJob(writer, job));
}

/** Writes a job as an argument. */
export function writeJob(writer: Writer, { capability, value, payload }: JobText): void {
  writer.bytes(encoder.encode(capability));
  writer.bytes(encoder.encode(value));
  writer.bytes(payload);
}

/** Reads what {@linkcode writeJob} writes. */
export function readJob(reader: Reader): JobText {
  const [capability, value] = [textOf(readBytes(reader)), textOf(readBytes(reader))];
  if (capability === undefined || value === undefined) throw new DecodeError("Expected texts");
  return { capability, value, payload: readBytes(reader) };
}

/** The command. */
export const dispatch: Command<JobText> = {
  since: VERSION,
  read: readJob,
  apply: (state, context, job, host) => handOut(state, context, host, job),
};

/** Hands out a job; `own` is the session that asks for it and has to be kept then. */
export function handOut(
  state: Transaction,
  context: Context,
  host: Host,
  text: JobText,
  own?: Session,
): Result {
  const skill = skillOf(text.capability, text.value);
  if (skill.length > MAX_SKILL_LENGTH || text.payload.length > MAX_JOB_PAYLOAD_BYTES) {
    return INVALID;
  }
  const totals = getTotals(state);
  const number = totals.lastJob + 1;
  const payload = jobPush(number, text);
  if (totals.jobs >= MAX_JOBS || totals.jobBytes + payload.length > MAX_JOB_BYTES) {
    return TOO_MANY_JOBS;
  }
  const given = give({ state, context, host, totals }, { number, skill, payload }, own);
  if (given !== "given") return given === "nobody" ? NO_WORKER : TOO_MANY_JOBS;
  totals.lastJob = number;
  totals.jobs++;
  totals.jobBytes += payload.length;
  putTotals(state, totals);
  return { ok: true, rev: 0, body: encoder.encode(JSON.stringify({ job: number })) };
}

/** A session has acknowledged all before `first`; it has to be kept then, and the totals. */
export function finishJobs(
  state: Transaction,
  totals: Totals,
  session: Session,
  first: number,
): void {
  if (session.jobs === 0) return;
  for (const { key, bytes } of jobsOf(state, session.serial, MAX_SESSION_JOBS, first)) {
    state.delete(key);
    session.jobs--;
    totals.jobs--;
    totals.jobBytes -= bytes;
  }
}

/** Gives a session that is connected some of the jobs that nobody has; it has to be kept then, and the totals. Returns how many. */
export function feed(desk: Desk, session: Session): number {
  const { state, totals } = desk;
  if (totals.waitingJobs === 0 || session.holder === NOBODY) return 0;
  let fed = 0;
  for (const skill of skillsOf(state, session)) {
    for (const job of waitingJobs(state, skill, MAX_FED - fed)) {
      if (!hasRoom(totals, session, job.payload.length)) return fed;
      state.delete(job.key);
      totals.waitingJobs--;
      hand(desk, session, job);
      fed++;
    }
    if (fed === MAX_FED) break;
  }
  return fed;
}

/** Hands on jobs of a session that has ended, at most `limit`, by the numbers that its rows have. Returns how many. */
export function handOn(desk: Desk, serial: number, queue: number, limit: number): number {
  const { state, totals } = desk;
  const jobs = jobsOf(state, serial, limit);
  for (const held of jobs) {
    const job: Job = { ...held, payload: payloadOf(state, queue, held) };
    state.delete(held.key);
    if (give(desk, job) === "given") continue;
    putWaiting(state, job);
    totals.waitingJobs++;
  }
  return jobs.length;
}

/** Gives a job to the session that has waited longest for one and has room. */
function give(desk: Desk, job: Job, own?: Session): "given" | "nobody" | "full" {
  const { state, totals } = desk;
  const workers = workersOf(state, job.skill, MAX_CANDIDATES);
  for (const [i, worker] of workers.entries()) {
    const isOwn = own !== undefined && equalBytes(own.id, worker.session);
    const session = isOwn ? own : getSession(state, worker.session) as Session;
    if (!hasRoom(totals, session, job.payload.length)) continue;
    for (const passed of workers.slice(0, i + 1)) {
      const { serial } = equalBytes(passed.session, session.id)
        ? session
        : getSession(state, passed.session) as Session;
      goBehind(state, totals, { id: passed.session, serial }, job.skill, passed);
    }
    hand(desk, session, job);
    if (!isOwn) putSession(state, session);
    return "given";
  }
  return workers.length === 0 ? "nobody" : "full";
}

function hand({ state, context, host, totals }: Desk, session: Session, job: Job): void {
  putRequest(state, totals, session, job.payload, context.time);
  putJob(state, session, job);
  host.news?.request(session);
}

/** With half of its queue free a session has room for changes besides, so that jobs are seldom moved to make room. */
function hasRoom(all: Totals, { jobs, pending, pendingBytes }: Session, bytes: number): boolean {
  return jobs < MAX_SESSION_JOBS && pending < MAX_PENDING / 2 &&
    pendingBytes + bytes <= MAX_PENDING_BYTES / 2 && all.pending < MAX_ALL_PENDING &&
    all.pendingBytes + bytes <= MAX_ALL_PENDING_BYTES;
}
