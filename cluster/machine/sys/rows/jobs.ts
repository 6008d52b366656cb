/**
 * Jobs: server requests that somebody has to do, and that are handed to another session when theirs ends.
 *
 *     a job of a session:  u64 number | u32 bytes of its payload | its skill
 *     one that nobody has: its payload
 *
 * @module
 */

import { concatBytes, getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { integerAt, keysBelow } from "../../store/tuple.ts";
import { MAX_SESSION_JOBS } from "../limits.ts";
import { JOBS, rowKey, waitingKey } from "./keys.ts";
import { REQUEST_HEAD_BYTES, requestRow } from "./requests.ts";
import type { Session } from "./session.ts";

/** A job, whoever has it. */
export interface Job {
  readonly number: number;
  /** What somebody must be able to do for it. */
  readonly skill: string;
  /** The push that hands it over. */
  readonly payload: Uint8Array;
}

/** A job of a session. */
export interface HeldJob {
  /** The key of its row. */
  readonly key: Uint8Array;
  /** The id of its server request. */
  readonly id: number;
  readonly number: number;
  readonly bytes: number;
  readonly skill: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The last server request of a session is a job. */
export function putJob(
  state: Transaction,
  session: Session,
  { number, skill, payload }: Job,
): void {
  const head = new Uint8Array(12);
  putU64(head, 0, number);
  putU32(head, 8, payload.length);
  const key = rowKey(state, JOBS, session.serial, session.lastRequest);
  state.put(key, concatBytes([head, encoder.encode(skill)]));
  session.jobs++;
}

/**
 * The first jobs of a session, or of one that has ended, by its serial number, at most `limit`; those whose ids are below `before`,
 * or all.
 */
export function jobsOf(
  state: StoreReader,
  serial: number,
  limit: number,
  before?: number,
): HeldJob[] {
  const all = rowKey(state, JOBS, serial);
  const { from, to: end } = keysBelow(all);
  const to = before === undefined ? end : rowKey(state, JOBS, serial, before);
  return state.range(from, to, limit).map(({ key, value }) => ({
    key,
    id: integerAt(key, all.length).value,
    number: getU64(value, 0),
    bytes: getU32(value, 8),
    skill: decoder.decode(value.subarray(12)),
  }));
}

/** The rows of the server requests of a session that are jobs, as copies. */
export function jobRequests(
  state: StoreReader,
  session: Session,
): { readonly id: number; readonly row: Uint8Array }[] {
  if (session.jobs === 0) return [];
  return jobsOf(state, session.serial, MAX_SESSION_JOBS).map(({ id }) => ({
    id,
    row: (requestRow(state, session, id) as Uint8Array).slice(),
  }));
}

/** The payload of a job of a session, by the number that its server requests have. */
export function payloadOf(state: StoreReader, queue: number, { id }: HeldJob): Uint8Array {
  return (requestRow(state, { queue }, id) as Uint8Array).slice(REQUEST_HEAD_BYTES);
}

/** Keeps a job for somebody to come. */
export function putWaiting(
  state: Transaction,
  { number, skill, payload }: Job,
): void {
  state.put(rowKey(state, waitingKey(skill), number), payload);
}

/** The first jobs that wait for a skill, at most `limit`, each with its key. */
export function waitingJobs(
  state: StoreReader,
  skill: string,
  limit: number,
): (Job & { readonly key: Uint8Array })[] {
  const all = waitingKey(skill);
  const { from, to } = keysBelow(all);
  return state.range(from, to, limit).map(({ key, value }) => ({
    key,
    number: integerAt(key, all.length).value,
    skill,
    payload: value.slice(),
  }));
}
