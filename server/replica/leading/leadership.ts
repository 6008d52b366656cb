/**
 * What those ask of the replica below them who do something while it leads: sessions, and groups of consumers.
 *
 * @module
 */

import type { Machine, Result } from "../../../cluster/machine/mod.ts";

/** A server of the log, which may lead. */
export interface Leadership {
  /** The term in which it leads, once its machine has all that was acknowledged before. */
  readonly readyTerm: number | undefined;
  /** The machine. */
  readonly machine: Pick<Machine, "query">;
  /**
   * Has a command executed, or a question answered linearizably, by this server as the leader. `done` is called once, later, with
   * `undefined` when it does not lead and has done nothing.
   */
  askHere(
    kind: "command" | "question",
    bytes: Uint8Array,
    timeoutMs: number,
    done: (result: Result | undefined) => void,
  ): void;
}
