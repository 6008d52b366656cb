/**
 * Locks as programs see them, and what a store has to offer for them.
 *
 * @module
 */

import type { KvCondition, KvOutcome, KvTransaction } from "../actions/transaction.ts";
import type { KvEntry, KvKey, KvValue, KvWatch } from "../values.ts";

/**
 * How a lock is waited for and held.
 *
 * @example
 * ```ts
 * import { Agent, type KvLockOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "none",
 *   topicsAddr: "none",
 * });
 * const options: KvLockOptions = { ttlMs: 30_000, waitMs: 5_000, name: "worker 7" };
 * await using held = await agent.kv.lock("jobs^nightly", options);
 * console.log(await agent.kv.get(held.key)); // { value: { owner: "...", name: "worker 7" }, rev: 1, ttlMs: 30000 }
 * ```
 */
export interface KvLockOptions {
  /**
   * The lease, in milliseconds, from 100 up to a day: so long after a holder has died another one gets the lock. Its holder holds
   * nothing any more after nine tenths of it. Default 15,000.
   */
  readonly ttlMs?: number;
  /** How long the lock is waited for, in milliseconds; a request under way is still waited for. 0: one try. Default: for ever. */
  readonly waitMs?: number;
  /** Gives the wait up, which rejects with its reason. It does not end what is held. */
  readonly signal?: AbortSignal;
  /** Who holds it, for people who look at the key. Default: nothing. */
  readonly name?: string;
  /** Whether the lease is renewed by itself, whenever a third of it is over. Default true. */
  readonly renew?: boolean;
}

/**
 * A lock that is held, until its signal fires.
 *
 * @example Only the fencing number protects what is written
 * ```ts
 * import { Agent, type KvLock } from "@skein/agent";
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
 * const held: KvLock = await agent.kv.lock("jobs^nightly");
 *
 * // In the same store: only as long as nobody else has, or had, the lock.
 * const write = { if: [held.condition], then: [{ action: "set", key: "report", value: 1 }] } as const;
 * assert.ok((await agent.kv.transaction(write)).succeeded);
 *
 * // Elsewhere: a store that keeps the greatest number it saw, and refuses lower ones.
 * let greatest = 0;
 * function writeElsewhere(fence: number): boolean {
 *   if (fence < greatest) return false;
 *   greatest = fence;
 *   return true;
 * }
 * assert.ok(writeElsewhere(held.fence));
 *
 * // Whoever holds it later has a greater number, and this one is worth nothing then.
 * await held.release();
 * await using next = await agent.kv.lock(held.key);
 * assert.ok(writeElsewhere(next.fence) && !writeElsewhere(held.fence));
 * assert.ok(!(await agent.kv.transaction(write)).succeeded);
 * ```
 */
export interface KvLock extends AsyncDisposable {
  /** The key, as it was named. */
  readonly key: KvKey;
  /** The fencing number: the revision at which the lock was taken. Who holds it later has a greater one. */
  readonly fence: number;
  /** The condition of a transaction, without `namespace`, that is to be done only as long as this lock is the one that is held. */
  readonly condition: KvCondition;
  /**
   * Fires when the lock is held no more, with a `LockLostError`: by the holder's own clock, before the lease can have ended at the
   * servers; at once when they say that it is gone, and when it is released.
   */
  readonly signal: AbortSignal;
  /**
   * Milliseconds until the lock is held no more unless it is renewed, 0 when it is not held. It is looked up in the clock: a program
   * that was stopped, or has blocked its own timers, knows by this before the signal has fired, which it does then.
   */
  readonly leftMs: number;
  /**
   * Does nothing as long as `leftMs` is above 0.
   *
   * @throws {LockLostError} when the lock is held no more
   */
  assertHeld(): void;
  /**
   * Has the lease begin anew now. Rejects with a `LockLostError` when the lock is held no more, or with what went wrong: then it is
   * still held, for `leftMs`. The fencing number stays.
   */
  renew(): Promise<void>;
  /**
   * Fires the signal and gives the lock to others. Resolves with whether that is certain; if not, it goes to others when the lease
   * has ended. Safe to call again.
   */
  release(): Promise<boolean>;
}

/** What a lock needs of a store: the agent's own has it, and the client. */
export interface LockStore {
  /** Sets a value if there is none. */
  set(
    key: KvKey,
    value: KvValue,
    options: { readonly nx: true; readonly ttlMs: number; readonly timeoutMs: number },
  ): Promise<{ rev: number }>;
  /** What there is, as of now. */
  get(key: KvKey, options: { readonly timeoutMs: number }): Promise<KvEntry | undefined>;
  /** Does something if conditions hold. */
  transaction(
    transaction: KvTransaction,
    options: { readonly timeoutMs: number },
  ): Promise<KvOutcome>;
  /** Tells changes. */
  watch(key: KvKey): KvWatch | Promise<KvWatch>;
}

/** What a lock needs of the world. */
export interface LockWorld {
  /** Monotonic milliseconds, and timers by them. */
  readonly clock: {
    now(): number;
    setTimer(ms: number, fn: () => void): { cancel(): void };
  };
  /** A text that nobody has had before. */
  owner(): string;
  /** Whether the same may be asked for again with success, after this error. */
  mayPass(error: unknown): boolean;
}
