/**
 * Keys and values by a session: what changes something is done exactly once, however often it has to be sent.
 *
 * @module
 */

import { errorOf } from "../../protocol/kv/errors.ts";
import type { KvOutcome, KvTransaction } from "../../protocol/kv/actions/transaction.ts";
import type { Problem } from "../../protocol/kv/problem.ts";
import type {
  KvEntry,
  KvExistence,
  KvItem,
  KvKey,
  KvSetItem,
  KvValue,
  KvWatch,
} from "../../protocol/kv/values.ts";
import * as commands from "../kv/commands.ts";
import { readAnswer, type Success } from "../kv/connection.ts";
import type {
  KvCallOptions,
  KvChildrenCallOptions,
  KvDeleteCallOptions,
  KvDispatchCallOptions,
  KvGetCallOptions,
  KvIncrementCallOptions,
  KvKeysCallOptions,
  KvSetCallOptions,
} from "../kv/options.ts";
import type { CallOptions } from "../net/deadline.ts";
import type { Inbox } from "./inbox.ts";
import { SessionWatch, type SessionWatchOptions } from "./watch.ts";
import { checkWatch } from "./options.ts";

/** Has a payload done, as a command or as a query; `name` is what it is called in errors. */
export type PayloadCaller = (
  type: "command" | "query",
  name: string,
  payload: Uint8Array,
  options: CallOptions,
) => Promise<Uint8Array>;

const encoder = new TextEncoder();

/**
 * Keys and values by a session.
 *
 * Calls reject with a `KvError` when the servers refuse or fail. A call that changes something rejects with an
 * `OutcomeUnknownError` when nobody will know what became of it: after its time, or the end of its session. It was done once or
 * not at all then.
 *
 * @example
 * ```ts
 * import { SessionClient, type SessionKv } from "@skein/agent/client";
 *
 * async function countUp(address: string): Promise<number> {
 *   await using session = new SessionClient({ address });
 *   await session.connect();
 *   const kv: SessionKv = session.kv;
 *   return await kv.increment("visits");
 * }
 * console.log(countUp.name);
 * ```
 */
export class SessionKv {
  readonly #inbox: Inbox;
  readonly #call: commands.KvCaller;

  /** Of a client. */
  constructor(call: PayloadCaller, inbox: Inbox) {
    this.#inbox = inbox;
    this.#call = async (request, changes, options) => {
      const { signal, timeoutMs } = options;
      const payload = encoder.encode(JSON.stringify(request));
      const type = changes ? "command" : "query";
      const given = { ...signal && { signal }, ...timeoutMs !== undefined && { timeoutMs } };
      const answer = readAnswer(await call(type, `"${request.action}"`, payload, given));
      if (answer.status === "ok") return answer as unknown as Success;
      throw errorOf(answer as unknown as Problem);
    };
  }

  /** The value of a key; `undefined` when it has none. */
  get(key: KvKey, options?: KvGetCallOptions): Promise<KvEntry | undefined> {
    return commands.get(this.#call, key, options);
  }

  /** The values of 1 to 1,000 keys as of one moment, in their order, with `null` for a key that has none. */
  getMany(keys: readonly KvKey[], options?: KvGetCallOptions): Promise<KvValue[]> {
    return commands.getMany(this.#call, keys, options);
  }

  /**
   * Sets the value of a key. Resolves with the revision of the change.
   *
   * @throws {TypeError} when the value is none that JSON has
   */
  set(key: KvKey, value: KvValue, options?: KvSetCallOptions): Promise<{ rev: number }> {
    return commands.set(this.#call, key, value, options);
  }

  /**
   * Sets the values of 1 to 1,000 keys, all of them or none. Resolves with the revision of the change, the same for all.
   *
   * @throws {TypeError} when a value is none that JSON has
   */
  setMany(items: readonly KvSetItem[], options?: KvCallOptions): Promise<{ rev: number }> {
    return commands.setMany(this.#call, items, options);
  }

  /** Deletes the value of a key. Resolves with how many values there were. */
  delete(key: KvKey, options?: KvDeleteCallOptions): Promise<number> {
    return commands.remove(this.#call, key, options);
  }

  /** Adds to the whole number at a key, 0 without a value. Resolves with the sum. */
  increment(key: KvKey, by = 1, options?: KvIncrementCallOptions): Promise<number> {
    return commands.increment(this.#call, key, by, options);
  }

  /** How many milliseconds the value of a key has left: `Infinity` when it stays, `undefined` when there is none. */
  ttl(key: KvKey, options?: KvGetCallOptions): Promise<number | undefined> {
    return commands.ttl(this.#call, key, options);
  }

  /**
   * Has the value of a key go by itself `ttlMs` milliseconds later, from 1 up to ten years. Resolves with whether there is a value.
   * Its revision stays.
   */
  expire(key: KvKey, ttlMs: number, options?: KvCallOptions): Promise<boolean> {
    return commands.expire(this.#call, key, ttlMs, options);
  }

  /** Has the value of a key stay. Resolves with whether it was to go. Its revision stays. */
  persist(key: KvKey, options?: KvCallOptions): Promise<boolean> {
    return commands.persist(this.#call, key, options);
  }

  /**
   * Does all the steps of a transaction at one moment, or none of them: those of `then` when all conditions hold, else those of
   * `else`. A step that finds no value has the result `null`; when any other step fails nothing is done, and the call rejects
   * with its error, whose `field` says which of the two lists it is in.
   *
   * @throws {TypeError} when a value is none that JSON has, or a step has an action that there is not
   */
  transaction(transaction: KvTransaction, options?: KvCallOptions): Promise<KvOutcome> {
    return commands.transaction(this.#call, transaction, options);
  }

  /**
   * Has a job done by one of the sessions that are connected and have a capability, each in turn. Resolves with the number of the
   * job when one of them has it; that it is done is not told. Should its session end without having acknowledged it, another one
   * gets it.
   *
   * @throws {KvError} with the reason `NO_WORKER` when nobody is connected who has it, with `TOO_MANY_JOBS` when they have too much to do
   * @throws {TypeError} when the payload is none that JSON has
   */
  dispatch(
    capability: string,
    payload: KvValue,
    options?: KvDispatchCallOptions,
  ): Promise<number> {
    return commands.dispatch(this.#call, capability, payload, options);
  }

  /** Whether there is something at a key, and below it. */
  exists(key: KvKey, options?: KvGetCallOptions): Promise<KvExistence> {
    return commands.exists(this.#call, key, options);
  }

  /**
   * The keys below a key, in order; without one those of the namespace, with `^` all of them. They are asked for page by page,
   * each as of that moment: none comes twice, and none is missing that is there all the time. Ends like a call that fails.
   */
  keys(prefix?: KvKey, options?: KvKeysCallOptions): AsyncIterableIterator<string> {
    return commands.keys(this.#call, prefix, options);
  }

  /** {@linkcode SessionKv.keys} with their values. */
  entries(prefix?: KvKey, options?: KvKeysCallOptions): AsyncIterableIterator<KvItem> {
    return commands.entries(this.#call, prefix, options);
  }

  /** The names one level below a key, with or without a value of their own, as {@linkcode SessionKv.keys} lists them. */
  children(key?: KvKey, options?: KvChildrenCallOptions): AsyncIterableIterator<string> {
    return commands.children(this.#call, key, options);
  }

  /**
   * Watches a key. Resolves when the servers tell each change from then on, in order. It belongs to the session: while there is no
   * connection the servers keep what happens. A session has one watch of a kind: another one of the same key and options gets the
   * same changes, and what is there already only if it is the first. Reading throws a `RevisionGoneError` when changes became too
   * many for the servers, and ends like the session.
   */
  async watch(key: KvKey, options: SessionWatchOptions = {}): Promise<KvWatch> {
    checkWatch(options);
    return await SessionWatch.open(this.#inbox, this.#call, key, options);
  }
}
