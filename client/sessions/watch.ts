/**
 * A watch that belongs to a session: it lives on while there is no connection, and nothing of it is missing or comes twice.
 *
 * @module
 */

import { errorOf } from "../../protocol/kv/errors.ts";
import { REVISION_GONE } from "../../protocol/kv/problem.ts";
import type { KvChange, KvKey, KvWatch, KvWatchOptions } from "../../protocol/kv/values.ts";
import type { KvCaller } from "../kv/commands.ts";
import { checkKey } from "../kv/options.ts";
import { deferred, reportFault } from "../net/portable.ts";
import type { Inbox, PushReader, WatchPush } from "./inbox.ts";

/**
 * What a watch of a session is about.
 *
 * @example
 * ```ts
 * import type { SessionWatchOptions } from "@skein/agent/client";
 *
 * const options: SessionWatchOptions = { tree: true, initial: true };
 * console.log(options);
 * ```
 */
export type SessionWatchOptions = Pick<
  KvWatchOptions,
  "namespace" | "tree" | "initial" | "old" | "signal"
>;

/** A watch of a session. */
export class SessionWatch implements KvWatch, PushReader {
  readonly #inbox: Inbox;
  readonly #call: KvCaller;
  readonly #signal: AbortSignal | undefined;
  #number = 0;
  #changes: { readonly change: KvChange; readonly taken: () => void }[] = [];
  #reader = deferred<void>();
  #end: { error: unknown } | undefined;
  #stopped: Promise<void> | undefined;

  private constructor(inbox: Inbox, call: KvCaller, signal: AbortSignal | undefined) {
    this.#inbox = inbox;
    this.#call = call;
    this.#signal = signal;
  }

  /** Watches a key. Rejects as a call does. */
  static async open(
    inbox: Inbox,
    call: KvCaller,
    key: KvKey,
    { signal, ...options }: SessionWatchOptions,
  ): Promise<SessionWatch> {
    checkKey(key);
    const watch = new SessionWatch(inbox, call, signal);
    await inbox.whileOpening(async () => {
      const request = { action: "WATCH", key, ...options };
      const { result } = await call(request, true, signal ? { signal } : {});
      watch.#number = (result as { readonly watch: number }).watch;
      inbox.claim(watch.#number, watch);
    });
    signal?.addEventListener("abort", watch.#onAbort, { once: true });
    if (signal?.aborted) watch.#onAbort();
    return watch;
  }

  /** Takes what is told. */
  take({ push, watch: _, ...rest }: WatchPush, taken: () => void): void {
    if (push === "change") {
      this.#keep(rest as unknown as KvChange, taken);
    } else if (push === "synced") {
      this.#keep({ kind: "synced", rev: Number(rest["rev"]) }, taken);
    } else {
      taken();
      if (push === "overflow") this.end(errorOf(REVISION_GONE));
    }
  }

  /** Nothing comes any more. */
  end(error: unknown): void {
    this.#end ??= { error };
    this.#reader.resolve(undefined);
  }

  /** Ends it, at the servers too. Safe to call again. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  /** {@linkcode SessionWatch.stop}. */
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
      const first = this.#changes.shift();
      if (first !== undefined) {
        first.taken();
        return { done: false, value: first.change };
      }
      if (this.#end !== undefined) {
        const { error } = this.#end;
        this.#end = { error: undefined };
        await this.stop();
        if (error === undefined) return { done: true, value: undefined };
        throw error;
      }
      await this.#reader.promise;
    }
  }

  #keep(change: KvChange, taken: () => void): void {
    if (this.#end !== undefined) return taken();
    this.#changes.push({ change, taken });
    this.#reader.resolve(undefined);
    this.#reader = deferred();
  }

  async #stop(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.end(undefined);
    for (const { taken } of this.#changes.splice(0)) taken();
    this.#inbox.release(this.#number, this);
    // One that is being opened may turn out to be the same.
    await this.#inbox.allOpened();
    if (!this.#inbox.isUnread(this.#number)) return;
    try {
      await this.#call({ action: "UNWATCH", watch: this.#number }, true, {});
      this.#inbox.forget(this.#number);
    } catch {
      // The session is over, and its watches with it; or it goes on, and what is told is passed over.
    }
  }

  readonly #onAbort = (): void => {
    for (const { taken } of this.#changes.splice(0)) taken();
    this.end(this.#signal?.reason);
    this.stop().catch(reportFault);
  };
}
