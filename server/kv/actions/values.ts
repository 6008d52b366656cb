/**
 * The actions about values: requests become commands and questions of the machine.
 *
 * @module
 */

import {
  deleteCommand,
  existsQuestion,
  getQuestion,
  incrementCommand,
  setCommand,
  textOfValue,
} from "../../../cluster/machine/kv/mod.ts";
import type { DeleteRequest, IncrementRequest, SetRequest } from "../../../protocol/kv/mod.ts";
import type { Doing } from "../action.ts";

const always = (): boolean => true;
const never = (): boolean => false;

/** SET. */
export const set: Doing = {
  kind: "command",
  make(path, request) {
    const { value, nx, xx, if_rev, get } = request as unknown as SetRequest;
    const text = textOfValue(value);
    if (!(text instanceof Uint8Array)) return text;
    if (!(nx || xx || get) && if_rev === undefined) return setCommand(path, text);
    return setCommand(path, text, {
      ...nx && { nx },
      ...xx && { xx },
      ...if_rev !== undefined && { ifRev: if_rev },
      ...get && { get },
    });
  },
  isBroad: never,
};

/** DEL. */
export const del: Doing = {
  kind: "command",
  make(path, request) {
    const { tree, if_exists, if_rev } = request as unknown as DeleteRequest;
    return deleteCommand(path, {
      ...tree && { tree },
      ...if_exists && { ifExists: if_exists },
      ...if_rev !== undefined && { ifRev: if_rev },
    });
  },
  isBroad: ({ tree }) => tree === true,
};

/** INCR, or DECR with a `sign` of -1. */
export function increment(sign: 1 | -1): Doing {
  return {
    kind: "command",
    make(path, request) {
      const { by = 1 } = request as unknown as IncrementRequest;
      // 0 and not -0, which is no integer on the wire.
      return incrementCommand(path, sign * by + 0);
    },
    isBroad: never,
  };
}

/** GET. */
export const get: Doing = { kind: "question", make: getQuestion, isBroad: never };

/** EXISTS, which tells of the nodes below as well. */
export const exists: Doing = { kind: "question", make: existsQuestion, isBroad: always };
