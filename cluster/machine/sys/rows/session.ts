/**
 * A session, as far as it is numbers: one row, which each of its requests writes anew.
 *
 * @module
 */

import { getU32, getU64, putU32, putU64 } from "../../../../protocol/bytes.ts";
import { DecodeError, type Reader } from "../../../../protocol/msgpack/mod.ts";
import type { StoreReader, Transaction } from "../../store/store.ts";
import { readBytes } from "../../strict.ts";
import { sessionKey } from "./keys.ts";
import { SESSION_BYTES } from "../limits.ts";

/** A session. */
export interface Session {
  /** The key of its row. */
  readonly key: Uint8Array;
  /** Its id, {@linkcode SESSION_BYTES} bytes. */
  readonly id: Uint8Array;
  /** The number that its rows have. */
  readonly serial: number;
  /** The number that its server requests have. */
  queue: number;
  /** When it was made, in milliseconds since 1970. */
  readonly createdAt: number;
  /** Requests below this id are not executed any more; it never goes back. */
  floor: number;
  /** The highest id of a request that was executed. */
  highest: number;
  /** The id of the last server request; 0 before the first. */
  lastRequest: number;
  /** The first server request that is not acknowledged; one more than the last when all are. A queue that was given up begins later. */
  firstPending: number;
  /** The number of the last watch. */
  lastWatch: number;
  /** Answers that are kept, and their bytes. */
  cached: number;
  cachedBytes: number;
  /** Server requests that are not acknowledged, and the bytes of their payloads. */
  pending: number;
  pendingBytes: number;
  /** How many watches it has. */
  watches: number;
  /** What tells the connection that has it from all others, as far as the state knows: {@linkcode NOBODY}, or a number by chance. */
  holder: number;
  /** How many of its server requests are jobs. */
  jobs: number;
}

/** No connection has the session, as far as the state knows. */
export const NOBODY = 0;

/** Which connection has the session is the affair of the server that leads. */
export const LEADER = 1;

const ROW_BYTES = 9 * 8 + 6 * 4;

/** Reads the id of a session. */
export function readSessionId(reader: Reader): Uint8Array {
  const id = readBytes(reader);
  if (id.length === SESSION_BYTES) return id;
  throw new DecodeError(`Expected ${SESSION_BYTES} bytes of a session's id, got ${id.length}`);
}

/** The session of an id. */
export function getSession(state: StoreReader, id: Uint8Array): Session | undefined {
  const key = sessionKey(state, id);
  const row = state.get(key);
  return row && sessionOf(key, id, row);
}

/** The session of a row. */
export function sessionOf(key: Uint8Array, id: Uint8Array, row: Uint8Array): Session {
  return {
    key,
    id,
    serial: getU64(row, 0),
    queue: getU64(row, 8),
    createdAt: getU64(row, 16),
    floor: getU64(row, 24),
    highest: getU64(row, 32),
    lastRequest: getU64(row, 40),
    firstPending: getU64(row, 48),
    lastWatch: getU64(row, 56),
    cached: getU32(row, 64),
    cachedBytes: getU32(row, 68),
    pending: getU32(row, 72),
    pendingBytes: getU32(row, 76),
    watches: getU32(row, 80),
    holder: getU64(row, 84),
    jobs: getU32(row, 92),
  };
}

/** Keeps a session. */
export function putSession(state: Transaction, session: Session): void {
  const row = state.allocate(ROW_BYTES);
  putU64(row, 0, session.serial);
  putU64(row, 8, session.queue);
  putU64(row, 16, session.createdAt);
  putU64(row, 24, session.floor);
  putU64(row, 32, session.highest);
  putU64(row, 40, session.lastRequest);
  putU64(row, 48, session.firstPending);
  putU64(row, 56, session.lastWatch);
  putU32(row, 64, session.cached);
  putU32(row, 68, session.cachedBytes);
  putU32(row, 72, session.pending);
  putU32(row, 76, session.pendingBytes);
  putU32(row, 80, session.watches);
  putU64(row, 84, session.holder);
  putU32(row, 92, session.jobs);
  state.put(session.key, row);
}
