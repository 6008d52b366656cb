/**
 * The dispatcher: one table from actions to what they do.
 *
 * @module
 */

import { type ActionMembers, ACTIONS } from "../../protocol/kv/mod.ts";
import type { Action, Doing } from "./action.ts";
import { publish, subscribe, unsubscribe } from "./actions/channels.ts";
import { echo, hello, info, ping, quit } from "./actions/connection.ts";
import { auth, use } from "./actions/identity.ts";
import { dispatch } from "./actions/jobs.ts";
import { children, keys } from "./actions/listing.ts";
import { getMany, setMany } from "./actions/many.ts";
import { transaction } from "./actions/transaction.ts";
import { del, exists, expire, get, increment, persist, set, ttl } from "./actions/values.ts";
import { unwatch, watch } from "./actions/watches.ts";

const TABLE: Readonly<Record<string, Doing>> = {
  PING: ping,
  ECHO: echo,
  HELLO: hello,
  AUTH: auth,
  USE: use,
  INFO: info,
  QUIT: quit,
  SET: set,
  GET: get,
  DEL: del,
  EXISTS: exists,
  KEYS: keys,
  CHILDREN: children,
  INCR: increment(1),
  DECR: increment(-1),
  SUBSCRIBE: subscribe,
  UNSUBSCRIBE: unsubscribe,
  PUBLISH: publish,
  WATCH: watch,
  UNWATCH: unwatch,
  DISPATCH: dispatch,
  SESSION: { kind: "session" },
  TTL: ttl,
  EXPIRE: expire,
  PERSIST: persist,
  MGET: getMany,
  MSET: setMany,
  TXN: transaction,
};

/** The actions whose success tells a revision. */
const WITH_REVISION: readonly string[] = ["SET", "GET", "DEL", "INCR", "DECR", "MSET", "TXN"];

const ROWS = new Map<string, Action>(
  Object.entries(TABLE).map(([name, doing]) => [name, {
    name,
    members: ACTIONS[name] as ActionMembers,
    doing,
    tellsRevision: WITH_REVISION.includes(name),
  }]),
);

/** No name of an action is longer. */
const MAX_NAME_LENGTH = 32;

/** The action of this name, in letters of any case; `undefined` when there is none. */
export function actionOf(name: string): Action | undefined {
  const row = ROWS.get(name);
  if (row !== undefined || name.length > MAX_NAME_LENGTH) return row;
  // Of other letters, some have a capital that is one of these.
  return /^[a-z]+$/i.test(name) ? ROWS.get(name.toUpperCase()) : undefined;
}
