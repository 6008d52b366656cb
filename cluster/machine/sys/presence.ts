/**
 * PRESENCE: which connections have sessions, where that is not the leader's affair alone, and whose clients live.
 *
 * Connections of the key-value port may be at any server. So the log says which one has a session: the one before loses it in the
 * order of all else, and what it has asked for and is not done yet is not done any more.
 *
 * @module
 */

import { type Command, encodeCall } from "../module.ts";
import { readUint } from "../strict.ts";
import { SYS } from "./context.ts";
import { MAX_PRESENT } from "./limits.ts";
import { feed } from "./jobs.ts";
import { getSession, NOBODY, putSession, readSessionId } from "./rows/session.ts";
import { getTotals, putTotals } from "./rows/totals.ts";
import { dismiss, enlist } from "./rows/workers.ts";

/** Number of the command. */
export const PRESENCE = 6;

/** What is told of one session. */
export interface Presence {
  readonly session: Uint8Array;
  /** What tells the connection from all others: any number but 0. */
  readonly holder: number;
  /** It takes the session over, its client has given a sign of life, or it has the session no more. */
  readonly what: "taken" | "alive" | "left";
}

const VERSION = 1;
const KINDS: readonly Presence["what"][] = ["taken", "alive", "left"];

/** The command that tells of sessions, at most {@linkcode MAX_PRESENT}. Those that are not there, or elsewhere, are passed over. */
export function presenceCommand(presences: readonly Presence[]): Uint8Array<ArrayBuffer> {
  return encodeCall(VERSION, SYS, PRESENCE, (writer) => {
    writer.uint(presences.length);
    for (const { session, holder, what } of presences) {
      writer.bytes(session);
      writer.uint(holder);
      writer.uint(KINDS.indexOf(what));
    }
  });
}

/** The command. */
export const presence: Command<readonly Presence[]> = {
  since: VERSION,
  read(reader) {
    const presences: Presence[] = [];
    for (let left = readUint(reader, 0, MAX_PRESENT); left > 0; left--) {
      presences.push({
        session: readSessionId(reader),
        holder: readUint(reader, 1, Number.MAX_SAFE_INTEGER),
        what: KINDS[readUint(reader, 0, KINDS.length - 1)] as Presence["what"],
      });
    }
    return presences;
  },
  apply(state, context, presences, host) {
    const totals = getTotals(state);
    let isChanged = false;
    for (const { session: id, holder, what } of presences) {
      const session = getSession(state, id);
      if (session === undefined || (what !== "taken" && session.holder !== holder)) continue;
      if (what !== "left") host.news?.sign(id);
      const next = what === "left" ? NOBODY : holder;
      if (next === session.holder) continue;
      const before = session.holder;
      session.holder = next;
      if (next === NOBODY) dismiss(state, session);
      if (before === NOBODY) {
        enlist(state, totals, session);
        feed({ state, context, host, totals }, session);
        isChanged = true;
      }
      putSession(state, session);
      host.news?.move(id, next);
    }
    if (isChanged) putTotals(state, totals);
    return { ok: true, rev: 0, body: NOTHING };
  },
};

const NOTHING = new Uint8Array();
