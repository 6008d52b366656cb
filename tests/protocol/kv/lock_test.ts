/**
 * When locks are taken, renewed and lost, with a clock that is moved by hand and a store that answers as a test says.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  ConditionFailedError,
  NoLeaderError,
  OutcomeUnknownError,
} from "../../../protocol/kv/errors.ts";
import { leaseFrom } from "../../../protocol/kv/lock/lease.ts";
import type { KvLock, KvLockOptions, LockStore } from "../../../protocol/kv/lock/lock.ts";
import { takeLock } from "../../../protocol/kv/lock/take.ts";
import type { KvChange, KvValue } from "../../../protocol/kv/values.ts";
import { ManualClock } from "../../support/manual_clock.ts";

const TTL = 3_000;
const UNKNOWN = { ok: false, code: 504, reason: "OUTCOME_UNKNOWN" } as const;
const NOBODY = { ok: false, code: 503, reason: "NO_LEADER" } as const;
const REFUSED = { ok: false, code: 409, reason: "CONDITION_FAILED" } as const;

/** What becomes of a request: by default it is done at once, and answered at once. */
interface Fate {
  /** Milliseconds until it is done ... */
  readonly done?: number;
  /** ... or it is not. */
  readonly never?: true;
  /** Milliseconds until it is answered, or fails with `error`. */
  readonly answered?: number;
  readonly error?: Error;
}

/** One key. */
class OneKey implements LockStore {
  readonly #clock: ManualClock;
  /** What becomes of the next requests, by their kind. */
  readonly fates: Partial<Record<"set" | "get" | "transaction", Fate[]>> = {};
  /** When each request was sent. */
  readonly sent: [kind: string, at: number][] = [];
  /** Changes of the value or of its time, by their times. */
  readonly done: number[] = [];
  value: { readonly value: KvValue; readonly rev: number } | undefined;
  watchable = true;
  #rev = 10;
  #tell: ((change: KvChange) => void) | undefined;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  set(_key: unknown, value: KvValue): Promise<{ rev: number }> {
    return this.#request("set", () => {
      if (this.value) throw new ConditionFailedError({ ...REFUSED, rev: this.value.rev });
      this.value = { value, rev: ++this.#rev };
      return { rev: this.#rev };
    });
  }

  get(): Promise<{ readonly value: KvValue; readonly rev: number } | undefined> {
    return this.#request("get", () => this.value);
  }

  transaction(
    { if: [condition] = [], then: [step] = [] }: Parameters<LockStore["transaction"]>[0],
  ) {
    return this.#request("transaction", () => {
      const { rev, value } = condition ?? {};
      const succeeded = rev === undefined
        ? JSON.stringify(value) === JSON.stringify(this.value?.value)
        : rev === this.value?.rev;
      if (succeeded && step?.action === "delete") this.remove();
      return { succeeded, results: [], rev: this.#rev };
    });
  }

  watch() {
    if (!this.watchable) throw new Error("No watch");
    const changes: KvChange[] = [];
    let wake = (): void => {};
    let isOver = false;
    this.#tell = (change) => {
      changes.push(change);
      wake();
    };
    const stop = (): Promise<void> => {
      isOver = true;
      wake();
      return Promise.resolve();
    };
    return {
      stop,
      [Symbol.asyncDispose]: stop,
      async *[Symbol.asyncIterator]() {
        while (!isOver) {
          const change = changes.shift();
          if (change !== undefined) yield change;
          else await new Promise<void>((resolve) => wake = resolve);
        }
      },
    };
  }

  /** Somebody else has the key. */
  occupy(): void {
    this.value = { value: { owner: "other" }, rev: ++this.#rev };
  }

  /** Nobody has it. */
  remove(): void {
    this.value = undefined;
    this.#tell?.({ kind: "del", key: "l", rev: ++this.#rev });
  }

  async #request<T>(kind: "set" | "get" | "transaction", does: () => T): Promise<T> {
    this.sent.push([kind, this.#clock.now()]);
    const { done = 0, never, answered = 0, error } = this.fates[kind]?.shift() ?? {};
    let result: T | undefined;
    const work = async (): Promise<void> => {
      await this.#pass(done);
      result = does();
      this.done.push(this.#clock.now());
    };
    const doing = never ? undefined : work();
    if (error === undefined) {
      await doing;
      await this.#pass(answered);
      return result as T;
    }
    doing?.catch(() => {});
    await this.#pass(answered);
    throw error;
  }

  async #pass(ms: number): Promise<void> {
    if (ms > 0) await new Promise<void>((resolve) => this.#clock.setTimer(ms, resolve));
  }
}

/** A world with one key, whose clock goes on by itself and by jumps. */
function world() {
  const clock = new ManualClock();
  const kv = new OneKey(clock);
  let skipped = 0;
  const around = {
    clock: { now: () => clock.now() + skipped, setTimer: clock.setTimer.bind(clock) },
    owner: () => "me",
    mayPass: (error: unknown) =>
      error instanceof NoLeaderError || error instanceof OutcomeUnknownError,
  };
  return {
    clock,
    kv,
    /** As long as the process does not run, its timers do not. */
    skip: (ms: number): void => void (skipped += ms),
    lock: (options: KvLockOptions = {}) => takeLock(kv, around, "l", { ttlMs: TTL, ...options }),
    /** Takes it, while time passes. */
    async taken(options: KvLockOptions = {}): Promise<KvLock> {
      let held: KvLock | undefined;
      const taking = takeLock(kv, around, "l", { ttlMs: TTL, ...options }).then((one) =>
        held = one
      );
      taking.catch(() => {});
      await clock.until(() => held !== undefined, 60_000, "the lock");
      return await taking;
    },
  };
}

Deno.test("a lease ends for its holder a tenth of it before it can end at the servers", () => {
  assert.deepEqual(leaseFrom(500, 3_000), { renewAt: 1_500, endsAt: 3_200 });
});

Deno.test("a lease begins when its request was sent, however long the answer took", async () => {
  const { clock, kv, taken } = world();
  kv.fates.set = [{ done: 400, answered: 400 }];
  const held = await taken({ renew: false });
  assert.equal(clock.now(), 800);
  assert.equal(held.leftMs, 1_900);
  await clock.advance(1_899);
  assert.equal(held.signal.aborted, false);
  await clock.advance(1);
  assert.equal(held.signal.aborted, true);
  assert.equal(held.signal.reason.reason, "EXPIRED");
  assert.ok(clock.now() < (kv.done[0] as number) + TTL);
});

Deno.test("a lease is renewed whenever a third of it is over, and its number stays", async () => {
  const { clock, kv, taken } = world();
  const held = await taken();
  const { fence } = held;
  kv.fates.transaction = [{ done: 100, answered: 100 }];
  await clock.advance(1_000 + 1_200 + 2_500);
  assert.deepEqual(kv.sent.slice(1), [
    ["transaction", 1_000],
    // A third after the last one was sent.
    ["transaction", 2_000],
    ["transaction", 3_000],
    ["transaction", 4_000],
  ]);
  assert.equal(held.leftMs, 4_000 + 2_700 - 4_700);
  assert.deepEqual([held.fence, held.signal.aborted], [fence, false]);
  assert.equal(await held.release(), true);
  assert.equal(kv.value, undefined);
  assert.equal(clock.pending, 0);
});

Deno.test("renewals that fail are tried again, up to the end and not beyond", async () => {
  const { clock, kv, taken } = world();
  const held = await taken();
  kv.fates.transaction = Array.from({ length: 100 }, () => ({
    never: true,
    error: new NoLeaderError(NOBODY),
  }));
  await clock.advance(2_699);
  assert.equal(held.signal.aborted, false);
  const tries = kv.sent.length - 1;
  assert.ok(tries >= 10, `${tries}`);
  await clock.advance(1);
  assert.equal(held.signal.reason.reason, "EXPIRED");
  assert.equal(held.signal.reason.cause.name, "NoLeaderError");
  await clock.advance(10_000);
  assert.equal(kv.sent.length, tries + 1);
  assert.equal(clock.pending, 0);
});

Deno.test("a renewal in time keeps the lock after others have failed", async () => {
  const { clock, kv, taken } = world();
  const held = await taken();
  kv.fates.transaction = [
    { answered: 1_000, error: new OutcomeUnknownError(UNKNOWN) },
    { never: true, error: new NoLeaderError(NOBODY) },
  ];
  await clock.advance(2_701);
  held.assertHeld();
});

Deno.test("a lock that another one has is lost with the next renewal", async () => {
  const { clock, kv, taken } = world();
  const held = await taken();
  kv.occupy();
  await clock.advance(1_000);
  assert.equal(held.signal.reason.reason, "GONE");
  assert.equal(await held.release(), true);
  assert.notEqual(kv.value, undefined);
  assert.equal(clock.pending, 0);
});

Deno.test("a process that was stopped knows that its lock is lost before any timer has run", async () => {
  const { skip, kv, taken } = world();
  const held = await taken();
  let fired = false;
  held.signal.addEventListener("abort", () => fired = true);
  skip(2_699);
  held.assertHeld();
  skip(1);
  assert.throws(() => held.assertHeld(), { name: "LockLostError", reason: "EXPIRED" });
  assert.deepEqual([fired, held.leftMs], [true, 0]);
  await assert.rejects(held.renew(), { reason: "EXPIRED" });
  assert.equal(kv.sent.length, 1);
});

Deno.test("a renewal whose answer comes too late does not bring a lock back", async () => {
  const { clock, skip, kv, taken } = world();
  const held = await taken();
  kv.fates.transaction = [{ answered: 10 }];
  await clock.advance(1_005);
  skip(5_000);
  await clock.advance(5);
  assert.equal(held.signal.reason.reason, "EXPIRED");
});

Deno.test("a lock whose answer was lost is found by its owner, renewed, and held", async () => {
  const { clock, kv, taken } = world();
  kv.fates.set = [{ answered: 1_100, error: new OutcomeUnknownError(UNKNOWN) }];
  const held = await taken();
  assert.equal(held.fence, kv.value?.rev);
  const renewal = kv.sent.findLast(([kind]) => kind === "transaction") ?? assert.fail();
  assert.equal(clock.now() + held.leftMs, renewal[1] + 2_700);
});

Deno.test("a lock whose answer was lost and that another one got is not held", async () => {
  const { clock, kv, lock } = world();
  kv.fates.set = [{ never: true, error: new OutcomeUnknownError(UNKNOWN) }];
  const taking = lock({ waitMs: 2_000 });
  kv.occupy();
  const refused = assert.rejects(taking, { name: "LockTimeoutError", heldBy: 11 });
  await clock.advance(3_000);
  await refused;
  // It might have been its own.
  assert.equal(kv.sent.at(-1)?.[0], "transaction");
  assert.equal(kv.value?.rev, 11);
});

Deno.test("a request that is done after its answer was lost takes the lock once", async () => {
  const { kv, clock, taken } = world();
  kv.fates.set = [
    { done: 50, answered: 10, error: new OutcomeUnknownError(UNKNOWN) },
    { never: true, answered: 100, error: new NoLeaderError(NOBODY) },
  ];
  const held = await taken({ renew: false });
  assert.deepEqual([held.fence, kv.value?.rev], [11, 11]);
  assert.ok(clock.now() + held.leftMs < (kv.done.at(-1) as number) + TTL);
});

Deno.test("who gives up gives back what a lost answer may have brought", async () => {
  const { clock, kv, lock } = world();
  kv.fates.set = [{ answered: 100, error: new OutcomeUnknownError(UNKNOWN) }];
  kv.fates.get = Array.from({ length: 99 }, () => ({ error: new NoLeaderError(NOBODY) }));
  const refused = assert.rejects(lock({ waitMs: 500 }), { name: "LockTimeoutError" });
  await clock.advance(1_000);
  await refused;
  assert.equal(kv.value, undefined);
});

Deno.test("a lock that comes when most of its lease is over is renewed before it is held", async () => {
  const { clock, kv, taken } = world();
  kv.fates.set = [{ answered: 2_900 }];
  const held = await taken();
  assert.deepEqual(kv.sent, [["set", 0], ["transaction", 2_900]]);
  assert.equal(held.leftMs, 2_700);
  assert.equal(clock.now(), 2_900);
});

Deno.test("who waits tries when the key is free, and seldom otherwise", async () => {
  const { clock, kv, taken } = world();
  kv.occupy();
  clock.setTimer(4_000, () => kv.remove());
  await taken();
  assert.equal(clock.now(), 4_000);
  // The second one when the watch has begun.
  assert.deepEqual(kv.sent.map(([, at]) => at), [0, 0, 4_000]);
});

Deno.test("who gives up asks for nothing more", async () => {
  const { clock, kv, lock } = world();
  const giveUp = new AbortController();
  kv.occupy();
  const refused = assert.rejects(lock({ signal: giveUp.signal }), { message: "enough" });
  await clock.advance(100);
  const { length } = kv.sent;
  kv.remove();
  giveUp.abort(new Error("enough"));
  await refused;
  await clock.advance(60_000);
  assert.equal(kv.sent.length, length);
  assert.deepEqual([kv.value, clock.pending], [undefined, 0]);
});

Deno.test("without a watch it is tried each second", async () => {
  const { clock, kv, taken } = world();
  kv.watchable = false;
  kv.occupy();
  clock.setTimer(2_500, () => kv.remove());
  await taken();
  assert.deepEqual(kv.sent.map(([, at]) => at), [0, 1_000, 2_000, 3_000]);
});
