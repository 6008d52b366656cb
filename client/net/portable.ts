/**
 * What Deno has and Node 20 has not.
 *
 * @module
 */

/** A promise with the functions that settle it: `Promise.withResolvers`. */
export interface Deferred<T> {
  /** Pending until one of the others is called. */
  readonly promise: Promise<T>;
  /** Fulfils it. */
  readonly resolve: (value: T) => void;
  /** Rejects it. */
  readonly reject: (reason: unknown) => void;
}

/** A promise that is settled from outside. */
export function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((...settle) => [resolve, reject] = settle);
  return { promise, resolve, reject };
}

/** Makes an error that nobody can have expected one of the program's, as `reportError` does: it is uncaught. */
export function reportFault(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Lets others have the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
