/**
 * EXPIRE: sessions end, by their clients' wish or since nothing was heard of them, which only the leader knows.
 *
 * A session is gone at once: nothing executes for it, nothing is told to it. What it has left besides is swept few rows at a time, by
 * this entry and by later ones.
 *
 * @module
 */

import { equalBytes } from "../../../protocol/bytes.ts";
import { DecodeError, Reader, written } from "../../../protocol/msgpack/mod.ts";
import { type Command, encodeCall } from "../module.ts";
import type { Transaction } from "../store/store.ts";
import { readUint } from "../strict.ts";
import { clientIdOf, getCapabilities } from "./rows/capabilities.ts";
import { SYS } from "./context.ts";
import { lastSessionOf } from "./create.ts";
import { ANSWERS, capabilitiesKey, clientKey, REQUESTS, WATCHES } from "./rows/keys.ts";
import { leave, leaveJobs, sweep } from "./leavings.ts";
import { MAX_ENDED, MAX_SWEPT_ROWS } from "./limits.ts";
import { getSession, NOBODY, readSessionId, type Session } from "./rows/session.ts";
import { getTotals, putTotals } from "./rows/totals.ts";
import { dismiss } from "./rows/workers.ts";

/** Number of the command. */
export const EXPIRE = 3;

/** What has come of it. */
export interface Expired {
  /** How many sessions have ended by it: some may have ended before. */
  readonly ended: number;
  /** Whether rows are left to be swept, by the same command with or without sessions. */
  readonly isLeft: boolean;
}

const VERSION = 1;

/**
 * The command that ends sessions, at most {@linkcode MAX_ENDED}, and sweeps what is left of ended ones, at most
 * {@linkcode MAX_SWEPT_ROWS} rows. Its result is {@linkcode Expired}.
 */
export function expireSessionsCommand(sessions: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, EXPIRE, (writer) => {
    writer.uint(sessions.length);
    for (const session of sessions) writer.bytes(session);
  });
}

/**
 * What has come of the command, by the body of its result.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeExpired(body: Uint8Array): Expired {
  const reader = new Reader(body);
  const ended = readUint(reader, 0, MAX_ENDED);
  const isLeft = readUint(reader, 0, 1) === 1;
  if (reader.remaining > 0) throw new DecodeError(`Expiry has ${reader.remaining} bytes too many`);
  return { ended, isLeft };
}

/** The command. */
export const expire: Command<readonly Uint8Array[]> = {
  since: VERSION,
  read(reader) {
    const sessions: Uint8Array[] = [];
    for (let left = readUint(reader, 0, MAX_ENDED); left > 0; left--) {
      sessions.push(readSessionId(reader));
    }
    return sessions;
  },
  apply(state, context, sessions, host) {
    const totals = getTotals(state);
    let ended = 0;
    for (const id of sessions) {
      const session = getSession(state, id);
      if (session === undefined) continue;
      removeSession(state, session);
      if (session.jobs > 0) leaveJobs(state, totals, session);
      if (session.cached > 0) leave(state, totals, ANSWERS, session.serial);
      if (session.watches > 0) leave(state, totals, WATCHES, session.serial);
      if (session.pending > 0) leave(state, totals, REQUESTS, session.queue);
      totals.sessions--;
      ended++;
      host.news?.end(id);
    }
    sweep({ state, context, host, totals }, MAX_SWEPT_ROWS);
    putTotals(state, totals);
    const body = written("rpc", (writer) => {
      writer.uint(ended);
      writer.uint(totals.leavings > 0 ? 1 : 0);
    });
    return { ok: true, rev: 0, body };
  },
};

function removeSession(state: Transaction, session: Session): void {
  const { key, id, serial, holder } = session;
  if (holder !== NOBODY) dismiss(state, session);
  const client = clientIdOf(getCapabilities(state, serial));
  const last = client && lastSessionOf(state, client);
  if (client !== undefined && last !== undefined && equalBytes(last, id)) {
    state.delete(clientKey(client));
  }
  state.delete(capabilitiesKey(state, serial));
  state.delete(key);
}
