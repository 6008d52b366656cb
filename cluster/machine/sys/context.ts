/**
 * How far the machine is, what time it is, and the format of its state. Who belongs to the cluster is Raft's.
 *
 * @module
 */

import { getU64, putU64 } from "../../../protocol/bytes.ts";
import { type Command, type Context, encodeCall } from "../module.ts";
import type { StoreReader, Transaction } from "../store/store.ts";
import { encodeTuple } from "../store/tuple.ts";
import { readUint } from "../strict.ts";

/** Number of the module. */
export const SYS = 1;

/** The first format. A new state has it. */
export const FIRST_FORMAT = 1;

/** Number of the command. */
export const UPGRADE = 1;

const CONTEXT_KEY = encodeTuple([SYS]);
const CONTEXT_BYTES = 24;

/** The context after the last entry that was applied; that of a new state when there is none. */
export function readContext(state: StoreReader): Context {
  const value = state.get(CONTEXT_KEY);
  if (value === undefined) return { index: 0, time: 0, format: FIRST_FORMAT };
  if (value.length !== CONTEXT_BYTES) {
    throw new RangeError(`Expected ${CONTEXT_BYTES} bytes of context, got ${value.length}`);
  }
  return { index: getU64(value, 0), time: getU64(value, 8), format: getU64(value, 16) };
}

/** Keeps the context with the state it belongs to. */
export function writeContext(state: Transaction, { index, time, format }: Context): void {
  const value = state.allocate(CONTEXT_BYTES);
  putU64(value, 0, index);
  putU64(value, 8, time);
  putU64(value, 16, format);
  state.put(CONTEXT_KEY, value);
}

/** The command that raises the format of the state. One that is not higher changes nothing. */
export function upgradeCommand(format: number): Uint8Array<ArrayBuffer> {
  return encodeCall(FIRST_FORMAT, SYS, UPGRADE, (writer) => writer.uint(format));
}

/** The command. */
export const upgrade: Command<number> = {
  since: FIRST_FORMAT,
  read: (reader) => readUint(reader, 1, Number.MAX_SAFE_INTEGER),
  apply(_state, context, format) {
    context.format = Math.max(context.format, format);
    return { ok: true, rev: 0, body: new Uint8Array() };
  },
};
