/**
 * A watch of the program that an agent runs in.
 *
 * @module
 */

import type { Begun, Watcher, WatchHub } from "../../../cluster/watch/mod.ts";
import { errorOf } from "../../../protocol/kv/errors.ts";
import { type Problem, REVISION_GONE } from "../../../protocol/kv/problem.ts";
import type { KvChange, KvWatch } from "../../../protocol/kv/values.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";

const DEFAULT_BUFFER_SIZE = 1_024;

/** How a watch is read. */
interface ReadOptions {
  readonly bufferSize?: number;
  readonly signal?: AbortSignal;
}

/** A watch of the agent itself. */
export class LocalWatch implements KvWatch {
  readonly #watcher: Watcher;
  readonly #onEnd: (watch: LocalWatch) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #capacity: number;
  readonly #queue: KvChange[] = [];
  /** For those who read, until there is something. */
  #reader: PromiseWithResolvers<void> | undefined;
  #room: PromiseWithResolvers<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;

  /**
   * Begins.
   *
   * @param onEnd Called when it is over.
   * @throws {KvError} when it cannot begin there
   * @throws {RangeError} when the buffer size is not a whole number above 0
   */
  constructor(
    hub: WatchHub,
    begin: (watcher: Watcher) => Begun | Problem | Promise<Begun | Problem>,
    { bufferSize = DEFAULT_BUFFER_SIZE, signal }: ReadOptions,
    onEnd: (watch: LocalWatch) => void,
  ) {
    if (!Number.isInteger(bufferSize) || bufferSize < 1) {
      throw new RangeError(`Buffer size must be a whole number above 0, got ${bufferSize}`);
    }
    signal?.throwIfAborted();
    this.#capacity = bufferSize;
    this.#signal = signal;
    this.#onEnd = onEnd;
    const isCongested = (): boolean => this.#queue.length >= this.#capacity;
    this.#watcher = hub.watcher({
      get congested() {
        return isCongested();
      },
      drained: () => {
        if (!isCongested() || this.#isOver) return Promise.resolve();
        this.#room ??= Promise.withResolvers();
        return this.#room.promise;
      },
      push: (push, _watch, rest) => {
        if (push === "ended") return this.#fail(errorOf(REVISION_GONE));
        const members = JSON.parse(`{${decodeUtf8(rest).slice(1)}`);
        this.#queue.push(push === "synced" ? { kind: "synced", ...members } : members);
        this.#wake();
      },
      tooSlow: () => this.#fail(errorOf(REVISION_GONE)),
    });
    const begun = begin(this.#watcher);
    if (begun instanceof Promise) {
      begun.then((begun) => "ok" in begun && this.#fail(errorOf(begun)))
        .catch((error) => this.#fail(error));
    } else if ("ok" in begun) throw errorOf(begun);
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  /** Ends it at once; what has come can still be read. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#watcher.close();
    this.#room?.resolve();
    this.#wake();
    this.#onEnd(this);
  }

  /** See {@linkcode KvWatch.stop}. */
  stop(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** {@linkcode LocalWatch.stop}. */
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
      if (this.#queue.length <= this.#capacity / 2) {
        this.#room?.resolve();
        this.#room = undefined;
      }
      if (change !== undefined) return { done: false, value: change };
      if (this.#failure !== undefined) {
        const { error } = this.#failure;
        this.#failure = undefined;
        throw error;
      }
      if (this.#isOver) return { done: true, value: undefined };
      await (this.#reader ??= Promise.withResolvers()).promise;
    }
  }

  #wake(): void {
    this.#reader?.resolve();
    this.#reader = undefined;
  }

  #fail(error: unknown): void {
    if (this.#isOver) return;
    this.#failure = { error };
    this.close();
  }

  readonly #onAbort = (): void => {
    this.#queue.length = 0;
    this.#fail(this.#signal?.reason);
  };
}
