/**
 * A client with a session that outlives its connections, its servers and, if need be, its process.
 *
 * @module
 */

import { errorOf } from "../../protocol/kv/errors.ts";
import { kindOf } from "../../protocol/arguments.ts";
import { isJobPush } from "../../protocol/kv/job.ts";
import { MAX_PAYLOAD_BYTES } from "../../protocol/sessions/mod.ts";
import type { CallOptions } from "../net/deadline.ts";
import type { ServerRequest, SessionEvent, SessionEvents } from "./core/inputs.ts";
import { Driver } from "./driver.ts";
import { SessionExpiredError } from "./errors.ts";
import { Inbox } from "./inbox.ts";
import { JobQueue, type SessionJob } from "./jobs.ts";
import { type PayloadCaller, SessionKv } from "./kv.ts";
import {
  checkCall,
  checkClose,
  DEFAULT_TIMEOUT_MS,
  type SessionCloseOptions,
  type SessionOptions,
  settingsOf,
} from "./options.ts";

/** A function of the program that is told of an event. */
type Handler = (detail: never) => void;

/**
 * A session: each command is executed exactly once, in the order in which they were made, and each server request comes once and in
 * order, whatever dies in between.
 *
 * Calls may overlap in any number up to 10,000 and 16 MiB, and may be made while there is no connection, before
 * {@linkcode SessionClient.connect} too. Only a command that the servers had no room for is executed later than those that
 * were made after it. They reject with a `KvError` when the servers refuse them, with a `QueueFullError` when there are too many, with
 * `TimeoutError`, `SessionExpiredError`, `ConnectionClosedError` or the signal's reason when there is no answer; a
 * command that was sent with an `OutcomeUnknownError` then: it was executed once or not at all.
 *
 * @example
 * ```ts
 * import { SessionClient } from "@skein/agent/client";
 *
 * async function work(address: string): Promise<void> {
 *   await using session = new SessionClient({ address, capabilities: { worker: "v2" } });
 *   session.on("reconnecting", ({ reason }) => console.log(reason.message));
 *   await session.connect();
 *   console.log(session.sessionId, await session.kv.increment("starts"));
 *   for await (const change of await session.kv.watch("^jobs", { tree: true })) console.log(change);
 * }
 * console.log(work.name);
 * ```
 */
export class SessionClient implements AsyncDisposable {
  /** Keys and values, and watches. */
  readonly kv: SessionKv;
  /**
   * What servers tell unasked, but for watches of {@linkcode SessionClient.kv} and jobs: in order, each once. It is acknowledged as it
   * arrives, until 1,000 are not read; then the servers keep the rest. Who goes on with another client's session gets
   * what that had not acknowledged, and the changes of its watches unless the same are watched again: read them.
   */
  readonly serverRequests: AsyncIterable<ServerRequest>;
  /**
   * What this session is to do, as others dispatch jobs to those with its capabilities: in order, each until it is done. The servers
   * send no more than 100 that are not, nor what else follows these. A session that does not read them keeps them from others.
   */
  readonly jobs: AsyncIterable<SessionJob>;
  /**
   * Resolves when the session is over, or this client's part in it: with nothing after {@linkcode SessionClient.close}, else with
   * the reason.
   */
  readonly closed: Promise<Error | undefined>;
  readonly #driver: Driver;
  readonly #inbox: Inbox;
  readonly #jobs: JobQueue;
  readonly #timeoutMs: number;
  readonly #handlers = new Map<string, Set<Handler>>();

  /**
   * Does not connect.
   *
   * @throws {TypeError} when an option is unknown or wrong
   */
  constructor(options: SessionOptions = {}) {
    const settings = settingsOf(options);
    const { tls = false, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    this.#timeoutMs = timeoutMs;
    this.#inbox = new Inbox((count) => this.#driver.taken(count));
    this.#driver = new Driver(settings, tls === true ? {} : tls || undefined, {
      deliver: (request) => {
        if (isJobPush(request.payload)) this.#jobs.push(request, this.sessionId);
        else this.#inbox.push(request);
      },
      tell: (event) => this.#tell(event),
    });
    this.#jobs = new JobQueue(this.#driver);
    this.jobs = { [Symbol.asyncIterator]: () => ({ next: () => this.#jobs.next() }) };
    this.closed = this.#driver.ended;
    this.kv = new SessionKv(this.#call, this.#inbox);
    const next = (): Promise<IteratorResult<ServerRequest>> => this.#inbox.next();
    this.serverRequests = { [Symbol.asyncIterator]: () => ({ next }) };
  }

  /** The id of the session, once there is one; it is a secret. Another client can go on with it by `resume`. */
  get sessionId(): string | undefined {
    return this.#driver.state.sessionId;
  }

  /** Whether there is a connection with the session now. */
  get connected(): boolean {
    return this.#driver.state.phase === "connected";
  }

  /** The id of the server that leads, as far as servers have told. */
  get leader(): string | undefined {
    return this.#driver.state.leader;
  }

  /**
   * Connects to the server that leads, and resolves when the session is there. When it rejects because of `timeoutMs` or the signal,
   * the client goes on to look for a server, until it is closed.
   *
   * @throws {ConnectError} when no server gives a session in time
   * @throws {SessionExpiredError} when the session to `resume` is over
   * @throws {SessionRejectedError} when the servers do not know the token, or refuse the capabilities
   */
  async connect(options: CallOptions = {}): Promise<void> {
    checkCall("connect", options);
    await this.#driver.connect({ ...options, timeoutMs: options.timeoutMs ?? this.#timeoutMs });
  }

  /** Has a command executed exactly once. Resolves with its result. At most 1 MiB. */
  async command(payload: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    checkCall("command", options);
    return await this.#call("command", "the command", copyOf(payload), options);
  }

  /** Has a question answered, as of a moment after this call. Resolves with its result. At most 1 MiB. */
  async query(payload: Uint8Array, options: CallOptions = {}): Promise<Uint8Array> {
    checkCall("query", options);
    return await this.#call("query", "the query", copyOf(payload), options);
  }

  /** Has `handler` called whenever something becomes of the session. What it returns takes that back. */
  on<N extends keyof SessionEvents>(
    name: N,
    handler: (detail: SessionEvents[N]) => void,
  ): () => void {
    const handlers = this.#handlers.get(name) ?? new Set();
    this.#handlers.set(name, handlers.add(handler));
    return () => void handlers.delete(handler);
  }

  /**
   * Ends the session; while there is no connection, or with `keep`, it stays at the servers as long as they wait for it. Calls
   * under way reject, and what is read ends. Resolves when nothing is left. Safe to call again.
   */
  async close(options: SessionCloseOptions = {}): Promise<void> {
    checkClose(options);
    await this.#driver.close(options.keep ?? false);
  }

  /** {@linkcode SessionClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #call: PayloadCaller = async (type, name, payload, options) => {
    if (payload.length > MAX_PAYLOAD_BYTES) {
      throw errorOf({ ok: false, code: 413, reason: "PAYLOAD_TOO_LARGE" });
    }
    const { timeoutMs = this.#timeoutMs } = options;
    return await this.#driver.call(type, name, payload, { ...options, timeoutMs });
  };

  #tell({ name, detail }: SessionEvent): void {
    if (name === "sessionExpired") {
      this.#inbox.endWatches(new SessionExpiredError());
      this.#jobs.clear();
    }
    if (name === "disconnected") {
      this.#inbox.end(detail.reason);
      this.#jobs.end(detail.reason);
    }
    // In a turn of its own, so that what the program's function throws is the program's.
    for (const handler of this.#handlers.get(name) ?? []) {
      queueMicrotask(() => handler(detail as never));
    }
  }
}

function copyOf(payload: Uint8Array): Uint8Array {
  if (payload instanceof Uint8Array) return payload.slice();
  throw new TypeError(`Invalid payload: expected a Uint8Array, got ${kindOf(payload)}`);
}
