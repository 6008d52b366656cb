/**
 * A lock that is held.
 *
 * @module
 */

import type { KvCondition } from "../actions/transaction.ts";
import type { KvKey } from "../values.ts";
import { type LockEnd, LockLostError } from "./errors.ts";
import { type Lease, leaseFrom, requestLimit, retryPause } from "./lease.ts";
import type { KvLock, LockStore, LockWorld } from "./lock.ts";

/** What was taken. */
export interface Taken {
  readonly key: KvKey;
  /** The revision at which it was taken. */
  readonly fence: number;
  readonly ttlMs: number;
  /** When the request was sent that its lease comes of. */
  readonly sentAt: number;
  /** Whether it is renewed by itself. */
  readonly renews: boolean;
}

/** Has a lease begin anew; false when the lock is not the one any more that was taken. */
export async function renewLease(
  store: LockStore,
  { key, fence, ttlMs }: Pick<Taken, "key" | "fence" | "ttlMs">,
): Promise<boolean> {
  // The time is always the same: a request that is late, and done after another one, makes the lease longer, never shorter.
  const { succeeded } = await store.transaction({
    if: [{ key, rev: fence }],
    then: [{ action: "expire", key, ttlMs }],
  }, { timeoutMs: requestLimit(ttlMs) });
  return succeeded;
}

/** See {@linkcode KvLock}. */
export class HeldLock implements KvLock {
  readonly key: KvKey;
  readonly fence: number;
  readonly condition: KvCondition;
  readonly #store: LockStore;
  readonly #world: LockWorld;
  readonly #taken: Taken;
  readonly #ending = new AbortController();
  #lease: Lease;
  #end: { cancel(): void } | undefined;
  #renewal: { cancel(): void } | undefined;
  #renewing: Promise<void> | undefined;
  #releasing: Promise<boolean> | undefined;
  /** Why the last renewal failed. */
  #failure: unknown;

  /** Holds what was taken. */
  constructor(store: LockStore, world: LockWorld, taken: Taken) {
    const { key, fence, sentAt, ttlMs } = taken;
    this.#store = store;
    this.#world = world;
    this.#taken = taken;
    this.key = key;
    this.fence = fence;
    this.condition = { key, rev: fence };
    this.#lease = leaseFrom(sentAt, ttlMs);
    this.#arm();
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  get leftMs(): number {
    if (this.signal.aborted) return 0;
    const left = this.#lease.endsAt - this.#world.clock.now();
    if (left > 0) return left;
    this.#lose("EXPIRED");
    return 0;
  }

  assertHeld(): void {
    if (this.leftMs === 0) throw this.signal.reason;
  }

  async renew(): Promise<void> {
    this.assertHeld();
    this.#renewing ??= this.#renew().finally(() => this.#renewing = undefined);
    await this.#renewing;
  }

  release(): Promise<boolean> {
    return this.#releasing ??= this.#release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  async #renew(): Promise<void> {
    const sentAt = this.#world.clock.now();
    let isOurs: boolean;
    try {
      isOurs = await renewLease(this.#store, this.#taken);
    } catch (error) {
      this.#failure = error;
      this.assertHeld();
      throw error;
    }
    if (!isOurs) this.#lose("GONE");
    else this.#lease = leaseFrom(sentAt, this.#taken.ttlMs);
    this.assertHeld();
    this.#failure = undefined;
    this.#arm();
  }

  async #release(): Promise<boolean> {
    this.#lose("RELEASED");
    if (this.signal.reason.reason === "GONE") return true;
    const { clock, mayPass } = this.#world;
    const { key, ttlMs } = this.#taken;
    const free = { if: [this.condition], then: [{ action: "delete", key }] } as const;
    const end = clock.now() + requestLimit(ttlMs);
    for (;;) {
      const timeoutMs = end - clock.now();
      if (timeoutMs <= 0) return false;
      try {
        await this.#store.transaction(free, { timeoutMs });
        return true;
      } catch (error) {
        if (!mayPass(error)) return false;
      }
      await new Promise<void>((resolve) => clock.setTimer(retryPause(ttlMs), resolve));
    }
  }

  #arm(): void {
    this.#disarm();
    const { clock } = this.#world;
    const now = clock.now();
    this.#endAt(now);
    if (!this.#taken.renews) return;
    this.#renewal = clock.setTimer(Math.max(0, this.#lease.renewAt - now), this.#renewByItself);
  }

  /** Timers may run a little early. */
  #endAt(now: number): void {
    this.#end = this.#world.clock.setTimer(Math.max(0, this.#lease.endsAt - now), () => {
      if (this.leftMs > 0) this.#endAt(this.#world.clock.now());
    });
  }

  #disarm(): void {
    this.#end?.cancel();
    this.#renewal?.cancel();
  }

  readonly #renewByItself = (): void => {
    this.renew().catch(() => {
      // It is kept as the cause of the end, should that come.
      if (this.signal.aborted) return;
      const { clock } = this.#world;
      this.#renewal = clock.setTimer(retryPause(this.#taken.ttlMs), this.#renewByItself);
    });
  };

  #lose(reason: LockEnd): void {
    if (this.signal.aborted) return;
    this.#disarm();
    const cause = this.#failure === undefined ? {} : { cause: this.#failure };
    this.#ending.abort(new LockLostError(this.key, this.fence, reason, cause));
  }
}
