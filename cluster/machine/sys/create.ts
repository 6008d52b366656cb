/**
 * CREATE: a session begins. The leader has made its id by chance, so that nobody guesses it.
 *
 * A client that names itself by the capability `client-id` and asks again with the same nonce, since it got no answer, gets the
 * same session, for a minute.
 *
 * @module
 */

import { equalBytes, getU64, putU64 } from "../../../protocol/bytes.ts";
import { DecodeError, type Reader } from "../../../protocol/msgpack/mod.ts";
import { type Command, encodeCall } from "../module.ts";
import type { Result } from "../result.ts";
import type { StoreReader, Transaction } from "../store/store.ts";
import { readBytes, readUint } from "../strict.ts";
import {
  type Capability,
  type CapabilityBytes,
  clientIdOf,
  isRight,
  putCapabilities,
  readCapabilities,
} from "./rows/capabilities.ts";
import { SYS } from "./context.ts";
import { clientKey, sessionKey } from "./rows/keys.ts";
import {
  BAD_CAPABILITIES,
  MAX_LEAVINGS,
  MAX_SESSIONS,
  SAME_CREATION_MS,
  SESSION_BYTES,
  TOO_MANY_SESSIONS,
} from "./limits.ts";
import {
  getSession,
  LEADER,
  NOBODY,
  putSession,
  readSessionId,
  type Session,
} from "./rows/session.ts";
import { feed } from "./jobs.ts";
import { getTotals, putTotals } from "./rows/totals.ts";
import { enlist } from "./rows/workers.ts";

/** Number of the command. */
export const CREATE = 2;

/** A session to begin. */
export interface Creation {
  /** Its id: {@linkcode SESSION_BYTES} random bytes. */
  readonly session: Uint8Array;
  /** What the client tells the attempt by, 8 bytes. */
  readonly nonce: Uint8Array;
  /** What the client says of itself: names and values. */
  readonly capabilities: readonly Capability[];
  /** What tells the connection that begins it from others. Default: the leader knows which one has it. */
  readonly holder?: number;
}

interface Arguments {
  readonly session: Uint8Array;
  readonly nonce: Uint8Array;
  readonly capabilities: readonly CapabilityBytes[];
  readonly holder: number;
}

const VERSION = 1;
const NONCE_BYTES = 8;

const encoder = new TextEncoder();

/** The command that begins a session. Its result is the id of the session: that of an earlier one when the client has asked before. */
export function createSessionCommand(
  { session, nonce, capabilities, holder = NOBODY }: Creation,
): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, CREATE, (writer) => {
    writer.bytes(session);
    writer.bytes(nonce);
    writer.uint(capabilities.length);
    for (const [name, value] of capabilities) {
      writer.bytes(encoder.encode(name));
      writer.bytes(encoder.encode(value));
    }
    writer.uint(holder);
  });
}

/** The command. */
export const create: Command<Arguments> = {
  since: VERSION,
  read: (reader) => ({
    session: readSessionId(reader),
    nonce: readNonce(reader),
    capabilities: readCapabilities(reader),
    holder: readUint(reader, 0, Number.MAX_SAFE_INTEGER),
  }),
  apply(state, context, { session: id, nonce, capabilities, holder }, host) {
    if (!isRight(capabilities)) return BAD_CAPABILITIES;
    const client = clientIdOf(capabilities);
    const known = client && sessionOfClient(state, client, nonce, context.time);
    if (known !== undefined) return begun(known);
    if (getSession(state, id) !== undefined) return begun(id);
    const totals = getTotals(state);
    if (totals.sessions >= MAX_SESSIONS || totals.leavings >= MAX_LEAVINGS) {
      return TOO_MANY_SESSIONS;
    }
    totals.sessions++;
    const serial = ++totals.lastSerial;
    const session: Session = {
      key: sessionKey(state, id),
      id,
      serial,
      queue: ++totals.lastSerial,
      createdAt: context.time,
      floor: 0,
      highest: 0,
      lastRequest: 0,
      firstPending: 1,
      lastWatch: 0,
      cached: 0,
      cachedBytes: 0,
      pending: 0,
      pendingBytes: 0,
      watches: 0,
      holder,
      jobs: 0,
    };
    putCapabilities(state, serial, capabilities);
    if (holder !== NOBODY) {
      enlist(state, totals, session);
      feed({ state, context, host, totals }, session);
    }
    putSession(state, session);
    putTotals(state, totals);
    if (client !== undefined) putClient(state, client, nonce, id, context.time);
    if (holder > LEADER) {
      host.news?.sign(id);
      host.news?.move(id, holder);
    }
    return begun(id);
  },
};

/** The session that a client has begun last, when it is there. */
export function lastSessionOf(state: StoreReader, client: Uint8Array): Uint8Array | undefined {
  return state.get(clientKey(client))?.subarray(NONCE_BYTES, NONCE_BYTES + SESSION_BYTES);
}

function begun(id: Uint8Array): Result {
  return { ok: true, rev: 0, body: id };
}

function sessionOfClient(
  state: StoreReader,
  client: Uint8Array,
  nonce: Uint8Array,
  time: number,
): Uint8Array | undefined {
  const row = state.get(clientKey(client));
  if (row === undefined || !equalBytes(row.subarray(0, NONCE_BYTES), nonce)) return undefined;
  const createdAt = getU64(row, NONCE_BYTES + SESSION_BYTES);
  return time - createdAt <= SAME_CREATION_MS
    ? row.subarray(NONCE_BYTES, NONCE_BYTES + SESSION_BYTES)
    : undefined;
}

function putClient(
  state: Transaction,
  client: Uint8Array,
  nonce: Uint8Array,
  session: Uint8Array,
  time: number,
): void {
  const row = state.allocate(NONCE_BYTES + SESSION_BYTES + 8);
  row.set(nonce);
  row.set(session, NONCE_BYTES);
  putU64(row, NONCE_BYTES + SESSION_BYTES, time);
  state.put(clientKey(client), row);
}

function readNonce(reader: Reader): Uint8Array {
  const nonce = readBytes(reader);
  if (nonce.length === NONCE_BYTES && nonce.some((byte) => byte !== 0)) return nonce;
  throw new DecodeError(`Expected a nonce of ${NONCE_BYTES} bytes that is not 0`);
}
