/**
 * A watch, on a connection of its own, that goes on where it was when the connection has dropped, at any agent.
 *
 * When nobody reads, nothing is read from the connection: what happens meanwhile waits at the agent, as long as that keeps it. Only
 * what is there at first comes without a bound.
 *
 * @module
 */

import { errorOf, RevisionGoneError } from "../../protocol/kv/errors.ts";
import { REVISION_GONE } from "../../protocol/kv/problem.ts";
import type { KvChange, KvKey, KvWatch, KvWatchOptions } from "../../protocol/kv/values.ts";
import { pause } from "../net/deadline.ts";
import { ConnectionClosedError } from "../net/errors.ts";
import { type Deferred, deferred, reportFault } from "../net/portable.ts";
import { closedHere, type KvConnection, type Push } from "./connection.ts";
import { addressesIn, DEFAULT_TIMEOUT_MS, isFinal, openOneOf } from "./open.ts";
import type { KvConnectOptions } from "./options.ts";

const DEFAULT_BUFFER_SIZE = 1_024;

/** Pauses between tries to connect again, in milliseconds. */
const PAUSE_MS = { first: 100, longest: 10_000 } as const;

/**
 * So many tries in a row have to find that no agent that answers has the changes any more, when others do not answer: of those one
 * may only be slow, or between two leaders.
 */
const GONE_TRIES = 8;

/** A watch of a client. */
export class ClientWatch implements KvWatch {
  readonly #connect: KvConnectOptions;
  readonly #key: KvKey;
  readonly #options: KvWatchOptions;
  readonly #capacity: number;
  readonly #ending = new AbortController();
  #queue: KvChange[] = [];
  #connection: KvConnection | undefined;
  #opening: Promise<void> | undefined;
  /** For those who read, until there is something. */
  #reader: Deferred<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  /** The revision of the last change, how many of it were told, and whether that was all. */
  #rev: number | undefined;
  #told = 0;
  #isWhole = true;
  #isSynced: boolean;
  /** Whether some agent could not be asked at the last try. */
  #someAreSilent = false;
  /** Whether the connection was not read for a while: that may be why the agent ends it. */
  #wasHeld = false;
  /** Changes that were told before, and come again. */
  #skip = 0;
  /** Resolves when it is over, however that came. */
  readonly ended: Promise<void>;
  readonly #resolveEnded: () => void;

  /** Nothing is told before {@linkcode ClientWatch.begin}. */
  constructor(connect: KvConnectOptions, key: KvKey, options: KvWatchOptions) {
    this.#connect = connect;
    this.#key = key;
    this.#options = options;
    this.#capacity = options.bufferSize ?? DEFAULT_BUFFER_SIZE;
    this.#isSynced = options.initial !== true;
    const { promise, resolve } = deferred<void>();
    this.ended = promise;
    this.#resolveEnded = () => resolve(undefined);
  }

  /** Connects and watches. Rejects as a call does, and when it is ended meanwhile. */
  async begin(): Promise<void> {
    const { signal } = this.#options;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    try {
      signal?.throwIfAborted();
      const opening = this.#open(this.#ending.signal);
      this.#opening = opening.catch(() => {}); // Who ends it waits for that; what went wrong is told here.
      await opening;
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      this.#opening = undefined;
    }
  }

  /** Ends it, and closes its connection. */
  async stop(): Promise<void> {
    this.#ending.abort(new ConnectionClosedError({ cause: closedHere() }));
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    this.#wake();
    const opening = this.#opening;
    await this.#connection?.close();
    await opening;
    this.#resolveEnded();
  }

  /** {@linkcode ClientWatch.stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The changes. */
  [Symbol.asyncIterator](): AsyncIterator<KvChange> {
    return {
      next: () => this.#next(),
      return: async () => {
        await this.stop();
        return { done: true, value: undefined };
      },
    };
  }

  async #next(): Promise<IteratorResult<KvChange>> {
    for (;;) {
      const change = this.#queue.shift();
      if (change !== undefined) {
        if (this.#queue.length <= this.#capacity / 2) this.#connection?.resume();
        return { done: false, value: change };
      }
      if (this.#failure !== undefined) {
        const { error } = this.#failure;
        this.#failure = undefined;
        await this.stop();
        throw error;
      }
      if (this.#ending.signal.aborted) return { done: true, value: undefined };
      const reader = this.#reader ??= deferred<void>();
      if (this.#connection === undefined) this.#openAgain();
      await reader.promise;
    }
  }

  #wake(): void {
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
  }

  #openAgain(): void {
    this.#opening ??= this.#tryToOpen().catch((error) => this.#fail(error)).finally(() => {
      this.#opening = undefined;
      // It may have been lost meanwhile: whoever has read on since then has found that one is being opened.
      if (this.#connection === undefined) this.#wake();
    });
  }

  async #tryToOpen(): Promise<void> {
    const { reconnect = false } = this.#connect;
    const { minDelayMs = PAUSE_MS.first, maxDelayMs = PAUSE_MS.longest, maxAttempts = Infinity } =
      typeof reconnect === "object" ? reconnect : {};
    const { signal } = this.#ending;
    for (let attempt = 1;; attempt++) {
      if (reconnect !== false) {
        const longest = Math.min(maxDelayMs, minDelayMs * 2 ** (attempt - 1));
        await pause(longest * (1 - Math.random() / 2), signal);
      }
      if (signal.aborted) return;
      try {
        return await this.#open(signal);
      } catch (error) {
        if (signal.aborted) return;
        const mayBeElsewhere = error instanceof RevisionGoneError && this.#someAreSilent &&
          attempt < GONE_TRIES;
        const isLast = isFinal(error) && !mayBeElsewhere || attempt >= maxAttempts;
        if (reconnect === false || isLast) throw error;
      }
    }
  }

  /** Watches at the first agent that takes it. One that does not have the changes any more is not the last word. */
  async #open(signal: AbortSignal): Promise<void> {
    this.#someAreSilent = false;
    if (!this.#isSynced && this.#rev !== undefined) throw errorOf(REVISION_GONE);
    let failure: unknown;
    for (const left = new Set(addressesIn(this.#connect)); left.size > 0;) {
      try {
        return await this.#openOneOf(left, signal);
      } catch (error) {
        this.#someAreSilent ||= !(error instanceof RevisionGoneError);
        if (!(failure instanceof RevisionGoneError)) failure = error;
        signal.throwIfAborted();
      }
    }
    throw failure;
  }

  /** Watches at the first of some agents that answers; takes those away that need not be tried again. */
  async #openOneOf(left: Set<string>, signal: AbortSignal): Promise<void> {
    let isCurrent = true;
    const addresses = [...left];
    left.clear();
    const { connection, address } = await openOneOf(addresses, this.#connect, signal, (push) => {
      if (isCurrent && !this.#take(push)) isCurrent = false;
    });
    for (const other of addresses) if (other !== address) left.add(other);
    try {
      const { timeoutMs = DEFAULT_TIMEOUT_MS } = this.#connect;
      // Those that were to come again, and did not before this connection dropped as well, still are.
      this.#skip = this.#isWhole ? 0 : this.#told + this.#skip;
      this.#told = 0;
      this.#connection = connection;
      this.#wasHeld = false;
      const { result } = await connection.call(this.#request(), false, { timeoutMs, signal });
      // It may have come to an end while the answer was on its way.
      signal.throwIfAborted();
      const { fromRev } = this.#options;
      this.#rev ??= fromRev === undefined ? (result as { rev: number }).rev : fromRev - 1;
      connection.closed.then((error) => {
        if (this.#connection === connection) this.#lost(error);
      }).catch(reportFault);
    } catch (error) {
      isCurrent = false;
      this.#connection = undefined;
      await connection.close();
      throw error;
    }
  }

  #request(): { readonly action: string; readonly [member: string]: unknown } {
    const { namespace, tree, initial, old, fromRev } = this.#options;
    const about = { action: "WATCH", key: this.#key, namespace, tree, old };
    if (this.#rev === undefined) return { ...about, initial, from_rev: fromRev };
    return { ...about, from_rev: this.#isWhole ? this.#rev + 1 : this.#rev };
  }

  /** Takes a push; false when the connection is given up with it. */
  #take({ push, watch: _, ...rest }: Push): boolean {
    if (push === "ended") {
      this.#giveUpConnection();
      // The reader, or the next one, has another opened.
      this.#wake();
      return false;
    }
    if (push === "synced") {
      this.#isSynced = true;
      this.#rev = rest["rev"] as number;
      this.#queue.push({ kind: "synced", rev: this.#rev });
    } else if (push === "change") {
      const change = rest as unknown as Exclude<KvChange, { kind: "synced" }>;
      const isInitial = "initial" in change;
      if (!isInitial) this.#note(change.rev, change.more === true);
      if (this.#skip > 0) this.#skip--;
      else this.#queue.push(change);
    } else return true;
    this.#wake();
    if (this.#queue.length >= this.#capacity && this.#isSynced) {
      this.#connection?.pause();
      this.#wasHeld = true;
    }
    return true;
  }

  #note(rev: number, more: boolean): void {
    this.#told = rev === this.#rev ? this.#told + 1 : 1;
    this.#rev = rev;
    this.#isWhole = !more;
  }

  #giveUpConnection(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close().catch(reportFault);
  }

  #lost(error: Error | undefined): void {
    this.#connection = undefined;
    if (this.#ending.signal.aborted) return;
    const { reconnect = false } = this.#connect;
    if (reconnect === false && !this.#wasHeld) {
      return this.#fail(error ?? new ConnectionClosedError());
    }
    if (typeof reconnect === "object") reconnect.onStatus?.("disconnected", error);
    this.#wake();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake();
  }

  readonly #onAbort = (): void => {
    this.#queue = [];
    const reason: unknown = this.#options.signal?.reason;
    this.#fail(reason);
    this.#ending.abort(reason);
    this.#giveUpConnection();
  };
}
