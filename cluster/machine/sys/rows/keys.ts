/**
 * How `sys` lays out its state.
 *
 *     (1)                                  the context: index, time, format
 *     (1, 1)                               the totals
 *     (1, 2, session)                      a session: numbers, see `session.ts`
 *     (1, 3, serial)                       its capabilities
 *     (1, 4, serial, id)                   the answer to one of its requests: whether its revision is told, and the result
 *     (1, 5, queue, id)                    a server request that it has not acknowledged: when it was made, and its payload
 *     (1, 6, serial, watch)                one of its watches: the key of that in the next table
 *     (1, 7, tree, node, serial, form)     who watches a node, or all from it on: the session, and the number of its watch
 *     (1, 8, client-id)                    the session that a client has begun last: the nonce, the session, when
 *     (1, 9, serial, table)                nothing: a mark that rows of table 4, 5, 6 or 12 (here 0 to 3) are left of a session, or of a queue
 *     (1, 10, skill, turn)                 a session that is connected and has a skill, in the order in which they are given jobs
 *     (1, 11, serial, skill)               the turn of that session
 *     (1, 12, serial, id)                  what a server request of a session is besides, when it is a job: see `jobs.ts`
 *     (1, 13, skill, job)                  a job that nobody has: its payload
 *
 * A session has a serial number, and its queue of server requests has one of its own: so a session ends, and a queue is given up,
 * by one row, however many others there are. Those that are left have no effect, and are swept few at a time.
 *
 * @module
 */

import {
  decodeTuple,
  encodeTuple,
  integerAt,
  integerBytes,
  keyAfter,
  keysBelow,
  putBytes,
  putInteger,
  textEnds,
} from "../../store/tuple.ts";
import type { WatchedPlace } from "../../module.ts";
import type { StoreReader } from "../../store/store.ts";
import { SYS } from "../context.ts";

/** Who gives room for keys. */
type Room = Pick<StoreReader, "allocate">;

/** Key of the totals. */
export const TOTALS_KEY: Uint8Array = encodeTuple([SYS, 1]);

const SESSIONS = encodeTuple([SYS, 2]);
const CAPABILITIES = encodeTuple([SYS, 3]);

/** Answers. */
export const ANSWERS: Uint8Array = encodeTuple([SYS, 4]);
/** Server requests. */
export const REQUESTS: Uint8Array = encodeTuple([SYS, 5]);
/** Watches by session. */
export const WATCHES: Uint8Array = encodeTuple([SYS, 6]);
/** Marks of what is left. */
export const LEAVINGS: Uint8Array = encodeTuple([SYS, 9]);

/** The skills of those that are connected. */
export const SKILLS: Uint8Array = encodeTuple([SYS, 11]);
/** Jobs by session. */
export const JOBS: Uint8Array = encodeTuple([SYS, 12]);

/** Where watches of a node, and where those of a node and all below it are found. */
const WATCHED = [encodeTuple([SYS, 7, 0]), encodeTuple([SYS, 7, 1])] as const;

/** The keys of all of them. */
export const ALL_WATCHED: { readonly from: Uint8Array; readonly to: Uint8Array } = keysBelow(
  encodeTuple([SYS, 7]),
);

/** The key of a session. */
export function sessionKey(state: Room, session: Uint8Array): Uint8Array {
  let zeros = 0;
  for (const byte of session) if (byte === 0) zeros++;
  const key = state.allocate(SESSIONS.length + session.length + zeros + 2);
  key.set(SESSIONS);
  putBytes(key, SESSIONS.length, session);
  return key;
}

/** The keys of all sessions after one, or of all. */
export function sessionsAfter(after: Uint8Array | undefined): { from: Uint8Array; to: Uint8Array } {
  const { from, to } = keysBelow(SESSIONS);
  return { from: after === undefined ? from : keyAfter(encodeTuple([SYS, 2, after])), to };
}

/** The key of the capabilities of a session. */
export function capabilitiesKey(state: Room, serial: number): Uint8Array {
  return rowKey(state, CAPABILITIES, serial);
}

/** The key of what is known of a client. */
export function clientKey(client: Uint8Array): Uint8Array {
  return encodeTuple([SYS, 8, client]);
}

/** The key of a row of a serial number; without `id`, what all of them begin with. */
export function rowKey(state: Room, table: Uint8Array, serial: number, id?: number): Uint8Array {
  const size = table.length + integerBytes(serial) + (id === undefined ? 0 : integerBytes(id));
  const key = state.allocate(size);
  key.set(table);
  const at = putInteger(key, table.length, serial);
  if (id !== undefined) putInteger(key, at, id);
  return key;
}

/** What the keys of the watches of a node begin with; `node` is its key without what the keys of all nodes begin with. */
export function watchedKey(tree: boolean, node: Uint8Array): Uint8Array {
  const head = WATCHED[tree ? 1 : 0];
  const key = new Uint8Array(head.length + node.length);
  key.set(head);
  key.set(node, head.length);
  return key;
}

/** What the key of a watch is about. */
export function placeOf(key: Uint8Array): WatchedPlace {
  const { value, end } = integerAt(key, TREE_AT);
  return { tree: value === 1, node: key.subarray(end, textEnds(key, end).at(-1) ?? end) };
}

const TREE_AT = encodeTuple([SYS, 7]).length;

/** The keys of the watches of a node, none of those below it: what follows is a number, and no name of a node. */
export function watchesOf(node: Uint8Array): { from: Uint8Array; to: Uint8Array } {
  return { from: withByte(node, FIRST_INTEGER), to: withByte(node, AFTER_INTEGERS) };
}

/** The key of a watch of a node, by the session it belongs to. */
export function watchKey(state: Room, node: Uint8Array, serial: number, form: number): Uint8Array {
  return rowKey(state, node, serial, form);
}

const FIRST_INTEGER = 0x14;
const AFTER_INTEGERS = 0x1c;

function withByte(key: Uint8Array, byte: number): Uint8Array {
  const longer = new Uint8Array(key.length + 1);
  longer.set(key);
  longer[key.length] = byte;
  return longer;
}

/** The id of the session of a key. */
export function sessionIdOf(key: Uint8Array): Uint8Array {
  return decodeTuple(key)[2] as Uint8Array;
}

/** What the keys of those who have a skill begin with. */
export function workersKey(skill: string): Uint8Array {
  return encodeTuple([SYS, 10, skill]);
}

/** The key of a skill of a session. */
export function skillKey(serial: number, skill: string): Uint8Array {
  return encodeTuple([SYS, 11, serial, skill]);
}

/** What the keys of the jobs that wait for a skill begin with. */
export function waitingKey(skill: string): Uint8Array {
  return encodeTuple([SYS, 13, skill]);
}
