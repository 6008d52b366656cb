/**
 * Locks that are not to be had, and locks that are held no more.
 *
 * @module
 */

import type { KvKey } from "../values.ts";

/**
 * A lock was not to be had in time. Nothing is held.
 *
 * @example
 * ```ts
 * import { Agent, LockTimeoutError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "none",
 *   topicsAddr: "none",
 * });
 * await using held = await agent.kv.lock("jobs^nightly");
 * await assert.rejects(agent.kv.lock(held.key, { waitMs: 0 }), LockTimeoutError);
 * ```
 */
export class LockTimeoutError extends Error {
  /** Always "LockTimeoutError". */
  override readonly name = "LockTimeoutError";
  /** The key. */
  readonly key: KvKey;
  /** The fencing number of who held it last, as far as that was seen. */
  readonly heldBy: number | undefined;

  /** `options.cause` is the last failure, if there was one. */
  constructor(key: KvKey, waitMs: number, heldBy?: number, options?: ErrorOptions) {
    const holder = heldBy === undefined ? "" : `, held with the number ${heldBy}`;
    super(`Lock '${textOf(key)}' was not to be had within ${waitMs} ms${holder}`, options);
    this.key = key;
    this.heldBy = heldBy;
  }
}

/**
 * Why a lock is held no more.
 *
 * @example
 * ```ts
 * import { type LockEnd, LockLostError } from "@skein/agent";
 *
 * const words: Record<LockEnd, string> = {
 *   RELEASED: "given back",
 *   EXPIRED: "too late",
 *   GONE: "somebody else's",
 * };
 * const error = new LockLostError("jobs^nightly", 7, "EXPIRED");
 * console.log(words[error.reason]); // too late
 * ```
 */
export type LockEnd = "RELEASED" | "EXPIRED" | "GONE";

const WORDS: Readonly<Record<LockEnd, string>> = {
  RELEASED: "was released",
  EXPIRED: "was not renewed in time",
  GONE: "is gone: its key was deleted or set anew, or has expired",
};

/**
 * A lock is held no more: the reason of its signal.
 *
 * @example
 * ```ts
 * import { Agent, LockLostError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "none",
 *   topicsAddr: "none",
 * });
 * const held = await agent.kv.lock("jobs^nightly");
 * await held.release();
 * assert.throws(() => held.assertHeld(), LockLostError);
 * ```
 */
export class LockLostError extends Error {
  /** Always "LockLostError". */
  override readonly name = "LockLostError";
  /** The key. */
  readonly key: KvKey;
  /** The fencing number that it was held with. */
  readonly fence: number;
  /** `RELEASED` by the holder, `EXPIRED` by the holder's clock, or `GONE` as the servers say. */
  readonly reason: LockEnd;

  /** `options.cause` is why the last renewal failed, if one did. */
  constructor(key: KvKey, fence: number, reason: LockEnd, options?: ErrorOptions) {
    super(`Lock '${textOf(key)}' ${WORDS[reason]}`, options);
    this.key = key;
    this.fence = fence;
    this.reason = reason;
  }
}

function textOf(key: KvKey): string {
  return typeof key === "string" ? key : key.join("^");
}
