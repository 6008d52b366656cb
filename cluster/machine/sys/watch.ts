/**
 * WATCH and UNWATCH of a session: requests of its own, with the results of the key-value port.
 *
 * A second watch of the same node, told in the same way, is the first one.
 *
 * @module
 */

import { initialRest, pushText, syncedRest } from "../../../protocol/kv/change.ts";
import { TOO_MANY_WATCHES, WATCH_NOT_FOUND } from "../../../protocol/kv/problem.ts";
import { DecodeError, type Reader, type Writer } from "../../../protocol/msgpack/mod.ts";
import type { Context, Host } from "../module.ts";
import type { Failure, Result } from "../result.ts";
import type { Transaction } from "../store/store.ts";
import { readBytes, readUint } from "../strict.ts";
import { MAX_ALL_WATCHES, MAX_SESSION_WATCHES } from "./limits.ts";
import { Outgoing } from "./queue.ts";
import type { Session } from "./rows/session.ts";
import { getTotals, putTotals } from "./rows/totals.ts";
import { keyOfWatch, putWatch, removeWatch, watchAt } from "./rows/watches.ts";

/** What a session wants to be told. */
export interface SessionWatch {
  /** The path of the node; an empty one, with `tree`, is above all. */
  readonly path: Uint8Array;
  /** All below the node, too. */
  readonly tree?: boolean;
  /** What is there already, before changes. */
  readonly initial?: boolean;
  /** The values before, too. */
  readonly old?: boolean;
  /** All changes of one revision together. */
  readonly coalesce?: boolean;
}

const TREE = 1;
const INITIAL = 2;
const OLD = 4;
const COALESCE = 8;
const ALL = TREE | INITIAL | OLD | COALESCE;

const encoder = new TextEncoder();
const OK: Result = { ok: true, rev: 0, body: encoder.encode('"OK"') };

/** All there is cannot be watched as one node. */
const BAD_KEY: Failure = { ok: false, code: 422, reason: "BAD_KEY", field: "key" };

/** Writes a watch as an argument. */
export function writeWatch(
  writer: Writer,
  { path, tree, initial, old, coalesce }: SessionWatch,
): void {
  writer.bytes(path);
  writer.uint(
    (tree ? TREE : 0) | (initial ? INITIAL : 0) | (old ? OLD : 0) | (coalesce ? COALESCE : 0),
  );
}

/** Reads what {@linkcode writeWatch} writes. */
export function readWatch(reader: Reader): Required<SessionWatch> {
  const path = readBytes(reader);
  const flags = readUint(reader, 0, 0xff);
  if ((flags & ~ALL) !== 0) throw new DecodeError(`Expected flags in ${ALL}, got ${flags}`);
  return {
    path,
    tree: (flags & TREE) !== 0,
    initial: (flags & INITIAL) !== 0,
    old: (flags & OLD) !== 0,
    coalesce: (flags & COALESCE) !== 0,
  };
}

/** Begins a watch of a session, which has to be kept then. */
export function watch(
  state: Transaction,
  context: Context,
  host: Host,
  session: Session,
  wanted: Required<SessionWatch>,
): Result {
  const { nodes } = host;
  const { path, tree } = wanted;
  if (path.length === 0 && !tree) return BAD_KEY;
  const node = path.length === 0 ? nodes.prefix : nodes.keyOf(state, path);
  if (!(node instanceof Uint8Array)) return node;
  const rev = nodes.revision(state);
  const key = keyOfWatch(state, node.subarray(nodes.prefix.length), wanted, session);
  const known = watchAt(state, key);
  if (known !== undefined) return begun(known, rev);
  const totals = getTotals(state);
  if (session.watches >= MAX_SESSION_WATCHES || totals.watches >= MAX_ALL_WATCHES) {
    return TOO_MANY_WATCHES;
  }
  putWatch(state, host, totals, session, key);
  putTotals(state, totals);
  if (wanted.initial) tellInitial(state, context, host, session, node, tree, rev);
  return begun(session.lastWatch, rev);
}

/** Ends a watch of a session, which has to be kept then. */
export function unwatch(
  state: Transaction,
  host: Host,
  session: Session,
  number: number,
): Result {
  const totals = getTotals(state);
  if (!removeWatch(state, host, totals, session, number)) return WATCH_NOT_FOUND;
  putTotals(state, totals);
  return OK;
}

function begun(watch: number, rev: number): Result {
  return { ok: true, rev: 0, body: encoder.encode(JSON.stringify({ watch, rev })) };
}

/** Tells the newest watch of a session what is there, in the order of keys, as much as the session has room for. */
function tellInitial(
  state: Transaction,
  context: Context,
  host: Host,
  session: Session,
  node: Uint8Array,
  tree: boolean,
  rev: number,
): void {
  const number = session.lastWatch;
  const outgoing = new Outgoing(state, context, host);
  let hasRoom = true;
  for (const value of host.nodes.values(state, node, tree)) {
    const rest = initialRest(host.nodes.pathOf(value.key), value.text, value.rev);
    hasRoom = outgoing.add(session, pushText("change", number, rest));
    if (!hasRoom) break;
  }
  if (hasRoom) outgoing.add(session, pushText("synced", number, syncedRest(rev)));
  outgoing.finish();
}
