/**
 * What the ports of an agent ask of its replicated state.
 *
 * @module
 */

import type { Failure, Result } from "../../cluster/machine/mod.ts";
import type { WatchHub } from "../../cluster/watch/mod.ts";

/**
 * How fresh an answer has to be.
 *
 * @example
 * ```ts
 * import { Agent, type Consistency } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const consistency: Consistency = "lease";
 * console.log(await agent.kv.get("a", { consistency }));
 * ```
 */
export type Consistency =
  /** It shows all that was acknowledged anywhere before the question came. */
  | "linearizable"
  /** The same as long as no clock runs away, without asking other servers. */
  | "lease"
  /** Whatever this server has. */
  | "stale";

/** An answer, and how old it may be. */
export interface Answer {
  /** What the machine, or this server, says. */
  readonly result: Result;
  /** Milliseconds since this server last knew to have all that was committed; 0 unless the question was a `stale` one. */
  readonly lagMs: number;
}

/** Nobody leads, or nobody that can be reached. Not executed. */
export const NO_LEADER: Failure = { ok: false, code: 503, reason: "NO_LEADER" };
/** There is more to do than memory should be given for. Not executed. */
export const OVERLOADED: Failure = { ok: false, code: 503, reason: "OVERLOADED" };
/** Whoever asked has no room for the answer, and may ask again when there is. */
export const NO_ROOM: Failure = { ok: false, code: 503, reason: "OVERLOADED" };
/** The agent ends. Not executed. */
export const SHUTTING_DOWN: Failure = { ok: false, code: 503, reason: "SHUTTING_DOWN" };
/** It was proposed and nobody knows what becomes of it. */
export const OUTCOME_UNKNOWN: Failure = { ok: false, code: 504, reason: "OUTCOME_UNKNOWN" };
/** The leader's disk is full. Not executed. */
export const STORAGE_FULL: Failure = { ok: false, code: 507, reason: "STORAGE_FULL" };

/** Who asks something. */
export interface Asker {
  /** The same for all that one client asks, so that no client has to wait for all that another one asks. */
  readonly client: object;
  /** Whether there is room for an answer. */
  readonly hasRoom: () => boolean;
}

/** The replicated state, as any agent of the cluster gives access to it. */
export interface StateService {
  /**
   * Has a command executed once, or not at all, and tells what came of it: what the machine says, or one of the failures of
   * this module. `done` is called exactly once, never before this function returns, at the latest `timeoutMs` later.
   */
  propose(command: Uint8Array, timeoutMs: number, done: (result: Result) => void): void;
  /**
   * Answers a question; `done` as for {@linkcode StateService.propose}. Whether `asker` has room is asked right before the answer is
   * read, or the question goes to another server; without room the result is {@linkcode NO_ROOM}.
   */
  query(
    question: Uint8Array,
    consistency: Consistency,
    timeoutMs: number,
    done: (answer: Answer) => void,
    asker?: Asker,
  ): void;
  /** The leader as far as it is known here: the name of its agent. */
  readonly leader: string | undefined;
  /** The watches of this agent. */
  readonly watches: WatchHub;
}
