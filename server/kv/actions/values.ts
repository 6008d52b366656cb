/**
 * The actions about values: requests become commands and questions of the machine.
 *
 * @module
 */

import {
  deleteCommand,
  existsQuestion,
  expireCommand,
  getQuestion,
  incrementCommand,
  persistCommand,
  setCommand,
  textOfValue,
  ttlQuestion,
} from "../../../cluster/machine/kv/mod.ts";
import {
  type DeleteRequest,
  type ExpireRequest,
  type IncrementRequest,
  type SetRequest,
  ttlOf,
} from "../../../protocol/kv/mod.ts";
import type { Doing } from "../action.ts";

const always = (): boolean => true;
const never = (): boolean => false;

/** SET. */
export const set: Doing = {
  kind: "command",
  make(path, request) {
    const members = request as unknown as SetRequest;
    const { value, nx, xx, if_rev, get, keep_ttl } = members;
    const text = textOfValue(value);
    if (!(text instanceof Uint8Array)) return text;
    const ttlMs = ttlOf(members);
    if (!(nx || xx || get || keep_ttl) && if_rev === undefined && ttlMs === undefined) {
      return setCommand(path, text);
    }
    return setCommand(path, text, {
      ...nx && { nx },
      ...xx && { xx },
      ...if_rev !== undefined && { ifRev: if_rev },
      ...get && { get },
      ...ttlMs !== undefined && { ttlMs },
      ...keep_ttl && { keepTtl: keep_ttl },
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
      const members = request as unknown as IncrementRequest;
      const { by = 1 } = members;
      // 0 and not -0, which is no integer on the wire.
      return incrementCommand(path, sign * by + 0, ttlOf(members));
    },
    isBroad: never,
  };
}

/** EXPIRE. */
export const expire: Doing = {
  kind: "command",
  // The members were checked: there is a time.
  make: (path, request) =>
    expireCommand(path, ttlOf(request as unknown as ExpireRequest) as number),
  isBroad: never,
};

/** PERSIST. */
export const persist: Doing = { kind: "command", make: persistCommand, isBroad: never };

/** GET. */
export const get: Doing = { kind: "question", make: getQuestion, isBroad: never };

/** EXISTS, which tells of the nodes below as well. */
export const exists: Doing = { kind: "question", make: existsQuestion, isBroad: always };

/** TTL. */
export const ttl: Doing = { kind: "question", make: ttlQuestion, isBroad: never };
