/**
 * The module `kv`: values at paths. The body of a result is the JSON text that a client gets as `result`.
 *
 * @module
 */

import type { Module } from "../module.ts";
import { del, DELETE } from "./delete.ts";
import { INCREMENT, increment } from "./increment.ts";
import { LIST, list } from "./list.ts";
import { EXISTS, exists, GET, get } from "./questions.ts";
import { SET, set } from "./set.ts";

export { KEY_NOT_FOUND } from "./conditions.ts";
export { deleteCommand, type DeleteOptions } from "./delete.ts";
export { incrementCommand, NOT_INTEGER, OVERFLOW } from "./increment.ts";
export { BAD_AFTER, type Listed, type ListOptions, listQuestion } from "./list.ts";
export { decodePage, MAX_LISTED_BYTES, type Page } from "./page.ts";
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
export { existsQuestion, getQuestion } from "./questions.ts";
export { KV } from "./rows.ts";
export { setCommand, type SetOptions } from "./set.ts";
export {
  BAD_VALUE,
  MAX_VALUE_TEXT_BYTES,
  textOfValue,
  TOO_DEEP,
  VALUE_TOO_LARGE,
} from "./value.ts";

/** The module. */
export const kv: Module = {
  commands: { [SET]: set, [DELETE]: del, [INCREMENT]: increment },
  questions: { [GET]: get, [EXISTS]: exists, [LIST]: list },
};
