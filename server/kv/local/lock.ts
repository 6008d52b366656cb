/**
 * Locks of the program that an agent runs in.
 *
 * @module
 */

import { KvError } from "../../../protocol/kv/errors.ts";
import type { LockWorld } from "../../../protocol/kv/lock/lock.ts";
import { realClock } from "../../runtime.ts";

export { type LockEnd, LockLostError, LockTimeoutError } from "../../../protocol/kv/lock/errors.ts";
export type { KvLock, KvLockOptions } from "../../../protocol/kv/lock/lock.ts";

/** The clock of this process. */
export const LOCK_WORLD: LockWorld = {
  clock: realClock,
  owner: () => crypto.randomUUID(),
  mayPass(error) {
    if (!(error instanceof KvError) || error.reason === "SHUTTING_DOWN") return false;
    return error.code === 503 || error.code === 504;
  },
};
