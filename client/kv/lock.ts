/**
 * What a lock needs of the world that a client is in.
 *
 * @module
 */

import { KvError } from "../../protocol/kv/errors.ts";
import type { LockWorld } from "../../protocol/kv/lock/lock.ts";
import { ConnectionClosedError, DisconnectedError, TimeoutError } from "../net/errors.ts";

/** The longest a timer can run: 2^31-1 ms, 24 days. */
const MAX_TIMER_MS = 0x7fff_ffff;

/** Codes of agents that may answer otherwise a moment later. */
const PASSING = [429, 503, 504];

/** The clock of this process; `isOver` tells whether the client has a connection no more, and will have none. */
export function lockWorld(isOver: () => boolean): LockWorld {
  return {
    clock: {
      now: () => performance.now(),
      setTimer(ms, fn) {
        const timer = setTimeout(fn, Math.min(ms, MAX_TIMER_MS));
        return { cancel: () => clearTimeout(timer) };
      },
    },
    owner: () => crypto.randomUUID(),
    mayPass(error) {
      if (isOver()) return false;
      if (error instanceof KvError) return PASSING.includes(error.code);
      return [TimeoutError, DisconnectedError, ConnectionClosedError].some((kind) =>
        error instanceof kind
      );
    },
  };
}
