/**
 * The module `kv`: values at paths. The body of a result is the JSON text that a client gets as `result`.
 *
 * @module
 */

import type { Module } from "../module.ts";
import { del, DELETE } from "./delete.ts";
import { commandOf } from "./edit.ts";
import { EXPIRE, expire, PERSIST, persist } from "./expiry.ts";
import { INCREMENT, increment } from "./increment.ts";
import { LIST, list } from "./listing/list.ts";
import { GET_MANY, getMany, SET_MANY, setMany } from "./many.ts";
import { EXISTS, exists, GET, get, TTL, ttl } from "./questions.ts";
import { SET, set } from "./set.ts";
import { DUE, due, SWEEP, sweep } from "./sweep.ts";
import { TRANSACT, transact } from "./transaction.ts";

export { KEY_NOT_FOUND } from "./conditions.ts";
export { deleteCommand, type DeleteOptions } from "./delete.ts";
export { KV, revisionOf } from "./edit.ts";
export { expireCommand, persistCommand } from "./expiry.ts";
export { incrementCommand, NOT_INTEGER, OVERFLOW } from "./increment.ts";
export { BAD_AFTER, type Listed, type ListOptions, listQuestion } from "./listing/list.ts";
export { decodePage, MAX_LISTED_BYTES, type Page } from "./listing/page.ts";
export { getManyQuestion, MAX_TOGETHER_BYTES, type SetItem, setManyCommand } from "./many.ts";
export { nodes } from "./nodes.ts";
export {
  AMBIGUOUS_NAMESPACE,
  BAD_KEY,
  BAD_NAMESPACE,
  DEFAULT_NAMESPACE,
  MAX_PATH_BYTES,
  MAX_SEGMENT_BYTES,
  MAX_SEGMENTS,
  pathText,
  RESERVED,
  resolveBase,
  resolvePath,
} from "./path.ts";
export { existsQuestion, getQuestion, ttlQuestion } from "./questions.ts";
export { NEVER } from "./rows.ts";
export { setCommand, type SetOptions } from "./set.ts";
export { decodeSwept, dueQuestion, MAX_SWEPT, sweepCommand, type Swept } from "./sweep.ts";
export { type Condition, type Step, type Transaction, transactionCommand } from "./transaction.ts";
export {
  BAD_VALUE,
  MAX_VALUE_TEXT_BYTES,
  textOfValue,
  TOO_DEEP,
  VALUE_TOO_LARGE,
} from "./value.ts";

/** The module. */
export const kv: Module = {
  commands: {
    [SET]: commandOf(set),
    [DELETE]: commandOf(del),
    [INCREMENT]: commandOf(increment),
    [EXPIRE]: commandOf(expire),
    [PERSIST]: commandOf(persist),
    [SWEEP]: commandOf(sweep),
    [SET_MANY]: commandOf(setMany),
    [TRANSACT]: commandOf(transact),
  },
  questions: {
    [GET]: get,
    [EXISTS]: exists,
    [LIST]: list,
    [TTL]: ttl,
    [DUE]: due,
    [GET_MANY]: getMany,
  },
};

export { pathOfKey, rowRevision, rowText, valueKey, VALUES } from "./rows.ts";
