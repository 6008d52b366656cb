/**
 * What an entry has changed, told to the sessions that watch it.
 *
 * @module
 */

import {
  changeRest,
  changesRest,
  pushText,
  type TellableChange,
} from "../../../protocol/kv/change.ts";
import type { NodeChange } from "../change.ts";
import type { Context, Host } from "../module.ts";
import type { Transaction } from "../store/store.ts";
import { sessionIdOf, sessionsAfter } from "./rows/keys.ts";
import { MAX_PAYLOAD_BYTES, MAX_PENDING, MAX_PUSHES } from "./limits.ts";
import { Outgoing } from "./queue.ts";
import { getSession, putSession, type Session, sessionOf } from "./rows/session.ts";
import { type FoundWatch, watchesAt } from "./rows/watches.ts";

/** A change, and a watch that it is for. */
interface Hit {
  readonly change: NodeChange;
  readonly watch: FoundWatch;
}

/** What one session is told. */
interface Telling {
  readonly session: Session;
  readonly hits: Hit[];
}

/** Tells sessions what one entry has changed. */
export function tellSessions(
  state: Transaction,
  context: Context,
  host: Host,
  changes: readonly NodeChange[],
): void {
  const tellings = tellingsOf(state, host, changes);
  const outgoing = new Outgoing(state, context, host);
  if (tellings === undefined) {
    overflowAll(state, outgoing);
  } else {
    const rests = new Rests(host, changes.length === 1);
    for (const telling of tellings.values()) {
      if (telling === undefined) continue;
      tell(outgoing, telling, rests);
      putSession(state, telling.session);
    }
  }
  outgoing.finish();
}

/** What each session is to be told, by its serial number; `undefined` when it is too much. */
function tellingsOf(
  state: Transaction,
  host: Host,
  changes: readonly NodeChange[],
): Map<number, Telling | undefined> | undefined {
  const tellings = new Map<number, Telling | undefined>();
  let room = MAX_PUSHES;
  for (const change of changes) {
    const node = change.key.subarray(host.nodes.prefix.length);
    for (const place of host.watched.placesOf(node)) {
      const found = watchesAt(state, place, room + 1);
      room -= found.length;
      if (room < 0) return undefined;
      for (const watch of found) {
        if (!tellings.has(watch.serial)) tellings.set(watch.serial, begin(state, watch));
        const hits = tellings.get(watch.serial)?.hits;
        // One more than there is room for is enough to have it overflow.
        if (hits !== undefined && hits.length <= MAX_PENDING) hits.push({ change, watch });
      }
    }
  }
  return tellings;
}

/** Nothing is told to sessions that have ended. */
function begin(state: Transaction, { session: id, serial }: FoundWatch): Telling | undefined {
  const session = getSession(state, id);
  return session?.serial === serial ? { session, hits: [] } : undefined;
}

function tell(outgoing: Outgoing, { session, hits }: Telling, rests: Rests): void {
  if (hits.length > MAX_PENDING) return outgoing.overflow(session);
  /** By watch, what is still to be told. */
  const left = new Map<number, NodeChange[]>();
  for (const { change, watch: { watch } } of hits) {
    const all = left.get(watch);
    if (all === undefined) left.set(watch, [change]);
    else all.push(change);
  }
  for (const { change, watch: { watch, old, coalesce } } of hits) {
    const all = left.get(watch) as NodeChange[];
    const told = coalesce ? all.splice(0) : all.splice(0, 1);
    if (told.length === 0) continue;
    const rest = coalesce ? rests.ofAll(told, old) : rests.of(change, old, all.length > 0);
    if (rest === undefined) return outgoing.overflow(session);
    if (!outgoing.add(session, pushText(coalesce ? "changes" : "change", watch, rest))) return;
  }
}

/** The ends of pushes. */
class Rests {
  readonly #host: Host;
  /** Those of the only change, by form. */
  readonly #kept: (Uint8Array | undefined)[] | undefined;

  constructor(host: Host, isOne: boolean) {
    this.#host = host;
    this.#kept = isOne ? [] : undefined;
  }

  of(change: NodeChange, old: boolean, more: boolean): Uint8Array {
    const form = old ? 0 : 1;
    const kept = this.#kept?.[form];
    if (kept !== undefined) return kept;
    const rest = changeRest(this.#tellable(change), { old, more });
    if (this.#kept !== undefined) this.#kept[form] = rest;
    return rest;
  }

  /** `undefined` when it would be too long. */
  ofAll(changes: readonly NodeChange[], old: boolean): Uint8Array | undefined {
    const bytes = changes.reduce(
      (sum, { text, before }) => sum + text.length + (old ? before?.length ?? 0 : 0),
      0,
    );
    if (bytes > MAX_PAYLOAD_BYTES) return undefined;
    return changesRest(changes.map((change) => this.#tellable(change)), old);
  }

  #tellable({ key, kind, text, before, rev }: NodeChange): TellableChange {
    return { path: this.#host.nodes.pathOf(key), kind, text, before, rev };
  }
}

/** All sessions that watch something have missed something. */
function overflowAll(state: Transaction, outgoing: Outgoing): void {
  const { from, to } = sessionsAfter(undefined);
  for (const { key, value } of state.range(from, to, Infinity)) {
    const session = sessionOf(key, sessionIdOf(key), value);
    if (session.watches === 0) continue;
    outgoing.overflow(session);
    putSession(state, session);
  }
}
