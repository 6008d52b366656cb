/**
 * The jobs of a session that wait to be read.
 *
 * @module
 */

import type { KvValue } from "../../protocol/kv/values.ts";
import { deferred } from "../net/portable.ts";
import type { ServerRequest } from "./core/inputs.ts";

/**
 * Something that this session is to do, and no other as long as it lives.
 *
 * @example
 * ```ts
 * import { SessionClient, type SessionJob } from "@skein/agent/client";
 *
 * async function work(address: string, resize: (job: SessionJob) => Promise<void>): Promise<void> {
 *   await using session = new SessionClient({ address, capabilities: { resize: "gpu" } });
 *   await session.connect();
 *   for await (const job of session.jobs) {
 *     await resize(job);
 *     job.done();
 *   }
 * }
 * console.log(work.name);
 * ```
 */
export interface SessionJob {
  /** Its number among all jobs. */
  readonly job: number;
  /** The capability that it was given to this session for. */
  readonly capability: string;
  /** What is to be done. */
  readonly payload: KvValue;
  /**
   * It is done, and nobody gets it any more. The servers hear of that once all jobs before it are done. Does nothing when the
   * session of the job is over: another one has the job then. Safe to call again.
   */
  done(): void;
}

/** What is told of jobs. */
export interface JobListener {
  /** The program has read so many. */
  taken(count: number): void;
  /** It has done one. */
  done(requestId: number, sessionId: string | undefined): void;
}

const decoder = new TextDecoder();

/** A queue of jobs. */
export class JobQueue {
  readonly #listener: JobListener;
  #jobs: SessionJob[] = [];
  #waiter = deferred<void>();
  #end: { readonly error: Error | undefined } | undefined;

  /** `listener` hears of what the program does. */
  constructor(listener: JobListener) {
    this.#listener = listener;
  }

  /** Takes the server request that hands a job to a session. */
  push({ requestId, payload: push }: ServerRequest, sessionId: string | undefined): void {
    const done = (): void => this.#listener.done(requestId, sessionId);
    const read = jobIn(push);
    if (read === undefined) {
      this.#listener.taken(1);
      return done();
    }
    const { job, capability, payload } = read;
    this.#jobs.push({ job, capability, payload, done });
    this.#waiter.resolve(undefined);
    this.#waiter = deferred();
  }

  /** The session that they are of is over. */
  clear(): void {
    this.#listener.taken(this.#jobs.splice(0).length);
  }

  /** Nothing comes any more. */
  end(error: Error | undefined): void {
    this.#end = { error };
    this.#waiter.resolve(undefined);
  }

  /** The next one, as soon as there is one. Throws after the last when the session has ended with an error. */
  async next(): Promise<IteratorResult<SessionJob>> {
    for (;;) {
      const value = this.#jobs.shift();
      if (value !== undefined) {
        this.#listener.taken(1);
        return { done: false, value };
      }
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return { done: true, value: undefined };
      await this.#waiter.promise;
    }
  }
}

/** A job that nobody can read nobody can do. */
function jobIn(push: Uint8Array): Omit<SessionJob, "done"> | undefined {
  try {
    return JSON.parse(decoder.decode(push));
  } catch {
    // The parser throws for nothing but text that is no JSON.
    return undefined;
  }
}
