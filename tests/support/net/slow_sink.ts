/**
 * A connection whose writes end when the test says so, with as many bytes as it says.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { Sink } from "../../../server/net/outbox.ts";

/** Shows what is written, and takes as much of it as a test wants. */
export class SlowSink implements Sink {
  /** Each write as it came. */
  readonly writes: Uint8Array[] = [];
  /** What was taken of each. */
  readonly taken: Uint8Array[] = [];
  #pending: { resolve: (written: number) => void; reject: (error: Error) => void } | undefined;

  /** Waits for {@linkcode SlowSink.take} or {@linkcode SlowSink.fail}. */
  write(bytes: Uint8Array): Promise<number> {
    assert.equal(this.#pending, undefined, "two writes at a time");
    this.writes.push(bytes.slice());
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    this.#pending = { resolve, reject };
    return promise;
  }

  /** Takes `count` bytes of the last write, by default all. */
  async take(count: number = this.writes.at(-1)?.length ?? 0): Promise<void> {
    const last = this.writes.at(-1) ?? assert.fail("nothing was written");
    this.taken.push(last.subarray(0, count));
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.resolve(count);
    await turn();
  }

  /** Breaks the last write. */
  async fail(): Promise<void> {
    const pending = this.#pending;
    this.#pending = undefined;
    pending?.reject(new Error("broken"));
    await turn();
  }
}

/** Resolves in the next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
