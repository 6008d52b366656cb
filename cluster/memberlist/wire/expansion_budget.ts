/**
 * How much compressed data of one source may grow to when it is decompressed: a kilobyte can become a megabyte, which
 * costs whoever reads it a thousand times what it cost the sender.
 *
 * @module
 */

import type { Clock } from "../../runtime.ts";

/** The bounds of a budget, in bytes and bytes a second. */
export interface ExpansionLimits {
  /** What never costs anything: the messages of honest nodes are mostly below this. */
  readonly free: number;
  /** What one source, and all together, may have at once. */
  readonly burst: { readonly source: number; readonly all: number };
  /** What one source, and all together, get back in a second. */
  readonly perSecond: { readonly source: number; readonly all: number };
}

const KIB = 1024;
const MIB = 1024 * KIB;

/** For packets, whose sources can be forged: a packet is filled from 1,400 bytes (docs/spec/memberlist.md 3.7). */
export const PACKET_EXPANSION: ExpansionLimits = {
  free: 16 * KIB,
  burst: { source: MIB, all: 8 * MIB },
  perSecond: { source: MIB, all: 8 * MIB },
};

/** For streams, which bring a push/pull of up to 40 MiB every half a minute. */
export const STREAM_EXPANSION: ExpansionLimits = {
  free: 64 * KIB,
  burst: { source: 40 * MIB, all: 128 * MIB },
  perSecond: { source: 4 * MIB, all: 32 * MIB },
};

/** Sources that are remembered; the one that was heard longest ago makes room. */
const MAX_SOURCES = 256;

interface Account {
  left: number;
  at: number;
}

/** What sources have left to expand to. */
export class ExpansionBudget {
  readonly #clock: Pick<Clock, "now">;
  readonly #limits: ExpansionLimits;
  /** In the order in which they were heard. */
  readonly #sources = new Map<string, Account>();
  readonly #all: Account;

  /** Nobody has used anything. */
  constructor(clock: Pick<Clock, "now">, limits: ExpansionLimits) {
    this.#clock = clock;
    this.#limits = limits;
    this.#all = { left: limits.burst.all, at: clock.now() };
  }

  /** Bytes that data of `source` may take now when it is decompressed. */
  room(source: string): number {
    const { free, burst, perSecond } = this.#limits;
    const now = this.#clock.now();
    refill(this.#all, now, burst.all, perSecond.all);
    const account = this.#sources.get(source);
    if (account !== undefined) refill(account, now, burst.source, perSecond.source);
    const left = Math.min(this.#all.left, account?.left ?? burst.source);
    return Math.max(free, Math.floor(left));
  }

  /** Data of `source` took so many bytes, no more than {@linkcode ExpansionBudget.room} gave. */
  spend(source: string, bytes: number): void {
    if (bytes <= this.#limits.free) return;
    const account = this.#sources.get(source) ??
      { left: this.#limits.burst.source, at: this.#clock.now() };
    this.#all.left -= bytes;
    account.left -= bytes;
    this.#sources.delete(source);
    this.#sources.set(source, account);
    if (this.#sources.size <= MAX_SOURCES) return;
    const [oldest] = this.#sources.keys();
    if (oldest !== undefined) this.#sources.delete(oldest);
  }
}

function refill(account: Account, now: number, burst: number, perSecond: number): void {
  account.left = Math.min(burst, account.left + perSecond * (now - account.at) / 1_000);
  account.at = now;
}
