/**
 * What goes into a rejoin file and what comes out of it: the seam between an instance and the file that outlives it
 * (docs/spec/serf.md 15).
 *
 * @module
 */

import type { SerfEvent } from "./event.ts";

/**
 * What a rejoin file kept of an earlier life. The times are the last ones that were in use, 0 for none.
 *
 * @example
 * ```ts
 * import type { Restored } from "@skein/agent/cluster";
 *
 * const restored: Restored = {
 *   members: new Map([["beta", "10.0.0.6:7946"]]),
 *   failed: new Map(),
 *   memberTime: 7n,
 *   eventTime: 3n,
 *   queryTime: 1n,
 * };
 * console.log(restored.members.size);
 * ```
 */
export interface Restored {
  /** Members that were alive, the own node included: name -> `ip:port`. */
  readonly members: ReadonlyMap<string, string>;
  /** Members that had failed, to be tried after those: name -> `ip:port`. */
  readonly failed: ReadonlyMap<string, string>;
  /** Of join and leave intents. */
  readonly memberTime: bigint;
  /** Of user events. Those up to this time are not told again. */
  readonly eventTime: bigint;
  /** Of queries. Those up to this time are not told again. */
  readonly queryTime: bigint;
}

/**
 * Who writes down what happens. Its methods must not throw.
 *
 * @example
 * ```ts
 * import type { Recorder } from "@skein/agent/cluster";
 *
 * const recorder: Recorder = {
 *   event: ({ type }, memberTime) => console.log(type, memberTime),
 *   tick() {},
 *   forget() {},
 *   leave: () => Promise.resolve(),
 *   close: () => Promise.resolve(),
 * };
 * await recorder.close();
 * ```
 */
export interface Recorder {
  /**
   * Something happened: called with every event, also those of internal queries, before the application is.
   *
   * @param memberTime the last time that the member clock gave out
   */
  event(event: SerfEvent, memberTime: bigint): void;
  /** Called from time to time and at the end with the last time that the member clock gave out. */
  tick(memberTime: bigint): void;
  /** A restored member was never seen again, and is not to be tried any more. */
  forget(name: string): void;
  /** The node leaves on purpose. Resolves when that is written down, or cannot be. */
  leave(): Promise<void>;
  /** Nothing happens any more. Resolves when everything is written down, or cannot be. */
  close(): Promise<void>;
}
