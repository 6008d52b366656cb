/**
 * What may be done about a request that failed (docs/spec/topics.md 4).
 *
 * @module
 */

import { CODE } from "../../../protocol/topics/codes.ts";
import { TopicError } from "../../../protocol/topics/errors.ts";
import { ConnectError, ConnectionClosedError, TimeoutError } from "../../net/errors.ts";

/**
 * `again`: nothing was done, so that it can be asked for again. `once`: the same, but once. `open`: it may have been done. `none`:
 * it would fail again.
 */
export type Remedy = "again" | "once" | "open" | "none";

/** How long to wait before another try. */
export interface Backoff {
  /** Milliseconds before the second try; each try doubles them. */
  readonly minDelayMs: number;
  /** Milliseconds at most. */
  readonly maxDelayMs: number;
}

/** So much of a pause is added or taken off by chance, at most. */
const JITTER = 0.25;

const REMEDIES: Readonly<Record<number, Remedy>> = {
  [CODE.REQUEST_TIMEOUT]: "open",
  [CODE.STORAGE_ERROR]: "once",
  [CODE.CHECKSUM_MISMATCH]: "once",
  [CODE.NOT_COORDINATOR]: "again",
  [CODE.COORDINATOR_NOT_AVAILABLE]: "again",
  [CODE.CONCURRENT_TRANSACTIONS]: "again",
  [CODE.NOT_LEADER]: "again",
  [CODE.OVERLOADED]: "again",
};

/** A request never left: there was no connection, or no place on it. */
export class UnsentError extends ConnectError {}

/** What may be done about it. */
export function remedyFor(error: unknown): Remedy {
  if (error instanceof TopicError) return REMEDIES[error.code] ?? "none";
  if (error instanceof ConnectError) return "again";
  if (error instanceof ConnectionClosedError || error instanceof TimeoutError) return "open";
  return "none";
}

/** Milliseconds to wait after so many tries, 1 or more. */
export function delayAfter(tries: number, { minDelayMs, maxDelayMs }: Backoff): number {
  const delay = Math.min(maxDelayMs, minDelayMs * 2 ** (tries - 1));
  return delay * (1 + JITTER * (2 * Math.random() - 1));
}

/** Where the server is that leads, as far as one says so that does not. */
export function leaderSaidBy(error: unknown): string | undefined {
  if (!(error instanceof TopicError) || error.code !== CODE.NOT_LEADER) return undefined;
  const hint = error.message.slice(error.message.lastIndexOf(" ") + 1);
  return /:\d+$/.test(hint) ? hint : undefined;
}

/** What a failure says to people. */
function wordsOf(error: unknown): string {
  if (error instanceof TopicError && error.code === CODE.NOT_LEADER) {
    const leader = leaderSaidBy(error);
    if (leader === undefined) return "No server is known to lead";
    return `The server that leads, at ${leader}, is not reached`;
  }
  const { message, cause } = error as Error;
  const isCommon = error instanceof ConnectionClosedError || error instanceof UnsentError;
  return isCommon && cause instanceof Error ? cause.message : message;
}

/** How often something may be tried. */
export interface TriesOptions extends Backoff {
  /** Tries after the first one, at most. */
  readonly retries: number;
}

/** So many servers in a row may point to another one before it is waited for that they agree. */
const MAX_HOPS = 3;

/** The tries of one request. */
export class Tries {
  /** Whether one of them may have been done although it failed. */
  wasOpen = false;
  readonly #options: TriesOptions;
  readonly #endsAt: number;
  #count = 0;
  #hops = 0;
  #wasOnce = false;
  #failure: unknown;

  /** They may take `timeoutMs` milliseconds, from now on. */
  constructor(options: TriesOptions, timeoutMs: number) {
    this.#options = options;
    this.#endsAt = performance.now() + timeoutMs;
  }

  /**
   * That its time has passed. `text` is followed by what kept it from being done, which is the cause: what a server said last, or else
   * why none says anything.
   */
  late(text: string): TimeoutError {
    const cause = this.#failure;
    return new TimeoutError(cause === undefined ? text : `${text}: ${wordsOf(cause)}`, { cause });
  }

  /** Milliseconds that are left, 0 or more. */
  left(): number {
    return Math.max(0, this.#endsAt - performance.now());
  }

  /**
   * Milliseconds to wait after a failure; `undefined` when there is to be no other try. What may have been done is tried again if it is
   * `repeatable`, and at once when it is known who `leads` in place of the server that was asked.
   */
  after(error: unknown, repeatable: boolean, leads: boolean): number | undefined {
    this.#note(error);
    const remedy = remedyFor(error);
    if (remedy === "open") this.wasOpen = true;
    if (remedy === "none" || (remedy === "open" && !repeatable)) return undefined;
    if (remedy === "once" && this.#wasOnce) return undefined;
    this.#wasOnce ||= remedy === "once";
    const isHop = error instanceof TopicError && error.code === CODE.NOT_LEADER && leads;
    if (isHop && this.#hops++ < MAX_HOPS) return 0;
    this.#hops = 0;
    return this.next(error);
  }

  /** Milliseconds to wait before another try after a failure, whatever it was; `undefined` when there have been enough. */
  next(error: unknown): number | undefined {
    this.#note(error);
    if (this.#count >= this.#options.retries) return undefined;
    return delayAfter(++this.#count, this.#options);
  }

  #note(error: unknown): void {
    if (error instanceof TopicError || !(this.#failure instanceof TopicError)) {
      this.#failure = error;
    }
  }
}
