/**
 * Taking a lock: a key is set that has no value, with a time to live and a text that nobody else has.
 *
 * @module
 */

import { ConditionFailedError, KvError, OutcomeUnknownError } from "../errors.ts";
import type { KvKey, KvValue } from "../values.ts";
import { LockTimeoutError } from "./errors.ts";
import { HeldLock, renewLease, type Taken } from "./held.ts";
import { LEASE_MS, leaseFrom, requestLimit, retryPause } from "./lease.ts";
import type { KvLock, KvLockOptions, LockStore, LockWorld } from "./lock.ts";
import { Vacancy } from "./vacancy.ts";

const DEFAULT_TTL_MS = 15_000;

/**
 * Takes a lock, as soon as nobody holds it. Who waits for longer has no better chance.
 *
 * @throws {LockTimeoutError} when it was not to be had in `options.waitMs`
 * @throws {RangeError} when a time is out of its bounds
 */
export async function takeLock(
  store: LockStore,
  world: LockWorld,
  key: KvKey,
  options: KvLockOptions,
): Promise<KvLock> {
  checkTimes(options);
  const { signal } = options;
  signal?.throwIfAborted();
  const taking = new Taking(store, world, key, options);
  const taken = taking.run();
  if (signal === undefined) return await taken;
  return await new Promise((resolve, reject) => {
    const onAbort = (): void => {
      reject(signal.reason);
      taking.stop();
    };
    signal.addEventListener("abort", onAbort, { once: true });
    taken.then(async (held) => {
      signal.removeEventListener("abort", onAbort);
      // Who gave up did not wait for the request under way; what it has brought is given back.
      if (signal.aborted) await held.release();
      else resolve(held);
    }, (error) => {
      signal.removeEventListener("abort", onAbort);
      reject(error);
    }).catch(reject);
  });
}

function checkTimes({ ttlMs = DEFAULT_TTL_MS, waitMs = Infinity }: KvLockOptions): void {
  const { least, most } = LEASE_MS;
  if (!Number.isInteger(ttlMs) || ttlMs < least || ttlMs > most) {
    throw new RangeError(
      `Lease must be a whole number of milliseconds from ${least} to ${most}, got ${ttlMs}`,
    );
  }
  if (!(waitMs >= 0)) throw new RangeError(`Wait must be 0 ms or more, got ${waitMs}`);
}

/** One wait for a lock. */
class Taking {
  readonly #store: LockStore;
  readonly #world: LockWorld;
  readonly #key: KvKey;
  readonly #ttlMs: number;
  readonly #waitMs: number;
  readonly #renews: boolean;
  readonly #value: { readonly owner: string; readonly [member: string]: KvValue };
  readonly #vacancy: Vacancy;
  #isOver = false;
  /** When the first request was sent of which nobody knows whether it took, or will take, the lock. */
  #openSince: number | undefined;
  /** The revision of the value that another one has set. */
  #heldBy: number | undefined;
  #failure: unknown;

  constructor(store: LockStore, world: LockWorld, key: KvKey, options: KvLockOptions) {
    const { ttlMs = DEFAULT_TTL_MS, waitMs = Infinity, name, renew = true } = options;
    this.#store = store;
    this.#world = world;
    this.#key = key;
    this.#ttlMs = ttlMs;
    this.#waitMs = waitMs;
    this.#renews = renew;
    this.#value = { owner: world.owner(), ...name !== undefined && { name } };
    this.#vacancy = new Vacancy(store, world.clock, key);
  }

  async run(): Promise<HeldLock> {
    const { clock } = this.#world;
    const end = clock.now() + this.#waitMs;
    try {
      for (;;) {
        const taken = await this.#try();
        if (taken !== undefined) return new HeldLock(this.#store, this.#world, taken);
        const left = end - clock.now();
        if (left <= 0) throw this.#timeout();
        await this.#vacancy.wait(this.#failure === undefined ? left : this.#pause(left));
        if (this.#isOver) throw this.#timeout();
      }
    } catch (error) {
      await this.#cleanUp();
      throw error;
    } finally {
      this.#vacancy.stop();
    }
  }

  /** Ends the wait. */
  stop(): void {
    this.#isOver = true;
    this.#vacancy.stop();
  }

  #pause(left: number): number {
    return Math.min(left, retryPause(this.#ttlMs));
  }

  #timeout(): LockTimeoutError {
    const cause = this.#failure === undefined ? {} : { cause: this.#failure };
    return new LockTimeoutError(this.#key, this.#waitMs, this.#heldBy, cause);
  }

  /** Tries once; `undefined` when it is worth another try. */
  async #try(): Promise<Taken | undefined> {
    const { clock, mayPass } = this.#world;
    this.#failure = undefined;
    try {
      const got = await this.#set() ?? await this.#lookUp();
      if (got === undefined) return undefined;
      const taken = { ...got, key: this.#key, ttlMs: this.#ttlMs, renews: this.#renews };
      if (clock.now() < leaseFrom(taken.sentAt, this.#ttlMs).renewAt) return taken;
      // What comes of it may be lost again: it is ours, and has to be looked up if this fails.
      this.#openSince ??= taken.sentAt;
      const sentAt = clock.now();
      if (!await renewLease(this.#store, taken)) return undefined;
      return clock.now() < leaseFrom(sentAt, this.#ttlMs).endsAt ? { ...taken, sentAt } : undefined;
    } catch (error) {
      if (!mayPass(error)) throw error;
      this.#failure = error;
      return undefined;
    }
  }

  async #set(): Promise<Pick<Taken, "fence" | "sentAt"> | undefined> {
    const sentAt = this.#world.clock.now();
    try {
      const { rev } = await this.#store.set(this.#key, this.#value, {
        nx: true,
        ttlMs: this.#ttlMs,
        timeoutMs: requestLimit(this.#ttlMs),
      });
      return { fence: rev, sentAt };
    } catch (error) {
      if (error instanceof ConditionFailedError) this.#heldBy = error.rev;
      else {
        // Of an answer that was lost nothing is assumed: the key tells who owns it.
        if (isUncertain(error)) this.#openSince ??= sentAt;
        throw error;
      }
      return undefined;
    }
  }

  /** Whether a request of unknown outcome has taken the lock after all. */
  async #lookUp(): Promise<Pick<Taken, "fence" | "sentAt"> | undefined> {
    const sentAt = this.#openSince;
    if (sentAt === undefined) return undefined;
    const found = await this.#store.get(this.#key, { timeoutMs: requestLimit(this.#ttlMs) });
    const owner = (found?.value as { readonly owner?: unknown } | null | undefined)?.owner;
    if (found === undefined || owner !== this.#value.owner) return undefined;
    return { fence: found.rev, sentAt };
  }

  /** Gives back what a request of unknown outcome may have taken. */
  async #cleanUp(): Promise<void> {
    if (this.#openSince === undefined) return;
    const key = this.#key;
    await this.#store.transaction({
      if: [{ key, value: this.#value }],
      then: [{ action: "delete", key }],
    }, { timeoutMs: requestLimit(this.#ttlMs) }).catch(() => {
      // Its lease ends by itself.
    });
  }
}

function isUncertain(error: unknown): boolean {
  return error instanceof OutcomeUnknownError || error instanceof KvError && error.code === 500;
}
