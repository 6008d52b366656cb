/**
 * The key-value client: a connection to an agent and a method for each thing that can be done.
 *
 * @module
 */

import { takeLock } from "../../protocol/kv/lock/take.ts";
import type { KvLock, KvLockOptions } from "../../protocol/kv/lock/lock.ts";
import type { KvOutcome, KvTransaction } from "../../protocol/kv/actions/transaction.ts";
import type {
  KvEntry,
  KvExistence,
  KvItem,
  KvKey,
  KvMessage,
  KvSetItem,
  KvValue,
  KvWatch,
  KvWatchOptions,
} from "../../protocol/kv/values.ts";
import type { CallOptions } from "../net/deadline.ts";
import { ConnectionClosedError } from "../net/errors.ts";
import { reportFault } from "../net/portable.ts";
import { Link } from "../net/reconnect.ts";
import type { RecordStream, StreamOptions } from "../net/record_stream.ts";
import * as commands from "./commands.ts";
import { answerTimeout, type KvConnection } from "./connection.ts";
import { lockWorld } from "./lock.ts";
import { DEFAULT_TIMEOUT_MS, isFinal, openKvConnection } from "./open.ts";
import {
  checkCallOptions,
  checkKey,
  checkKvConnectOptions,
  type KvCallOptions,
  type KvChildrenCallOptions,
  type KvConnectOptions,
  type KvDeleteCallOptions,
  type KvDispatchCallOptions,
  type KvGetCallOptions,
  type KvIncrementCallOptions,
  type KvKeysCallOptions,
  type KvSetCallOptions,
} from "./options.ts";
import { checked } from "./requests.ts";
import { Subscription } from "./subscription.ts";
import { ClientWatch } from "./watch.ts";

/** What has a connection of its own. */
type Stream = ClientWatch | Subscription;

/**
 * A connection to the key-value port of an agent. Calls may overlap in any number; they are done in the order in which they
 * were made, as far as one changes what another reads.
 *
 * Calls reject with a `KvError` when the agent refuses or fails, and with `TimeoutError`, `ConnectionClosedError` or the
 * signal's reason when there is no answer. A call that changes something rejects with an `OutcomeUnknownError` when its answer
 * was lost: it may have been done.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { ConditionFailedError, KvClient } from "@skein/agent/client";
 * import assert from "node:assert/strict";
 *
 * // Usually the agent is another process; this one makes the example complete.
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "none",
 *   topicsAddr: "none",
 * });
 *
 * await using client = await KvClient.connect({ address: agent.state!.addresses.kvAddr! });
 * const { rev } = await client.set("greeting", "hello");
 * assert.deepEqual(await client.get("greeting"), { value: "hello", rev });
 * assert.equal(await client.increment("visits"), 1);
 * await assert.rejects(client.set("greeting", "hi", { nx: true }), ConditionFailedError);
 * assert.equal(await client.delete("greeting"), 1);
 * ```
 */
export class KvClient implements AsyncDisposable {
  /**
   * Resolves when the connection has ended and none is to follow: with nothing after {@linkcode KvClient.close}, else with the
   * reason.
   */
  readonly closed: Promise<Error | undefined>;
  readonly #link: Link<KvConnection>;
  readonly #options: KvConnectOptions;
  readonly #timeoutMs: number;
  readonly #streams = new Set<Stream>();

  private constructor(link: Link<KvConnection>, options: KvConnectOptions) {
    this.#link = link;
    this.#options = options;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.closed = link.closed;
  }

  /**
   * Connects to an agent.
   *
   * @throws {ConnectError} when no connection comes about
   * @throws {KvError} when the agent has no room, speaks another version, or knows no such token, user or password
   */
  static async connect(options: KvConnectOptions = {}): Promise<KvClient> {
    checkKvConnectOptions(options);
    const { reconnect = false } = options;
    const opener = {
      open: (signal?: AbortSignal): Promise<KvConnection> => openKvConnection(options, signal),
      isFinal,
    };
    const again = reconnect === true ? {} : reconnect || undefined;
    return new KvClient(new Link(await opener.open(options.signal), opener, again), options);
  }

  /** Whether there is a connection now. */
  get connected(): boolean {
    return this.#link.current?.isClosed === false;
  }

  /** Asks for a sign of life. */
  async ping(options: CallOptions = {}): Promise<void> {
    checkCallOptions("ping", options);
    await this.#caller({ action: "PING" }, false, options);
  }

  /** The value of a key; `undefined` when it has none. */
  get(key: KvKey, options?: KvGetCallOptions): Promise<KvEntry | undefined> {
    return commands.get(this.#caller, key, options);
  }

  /** The values of 1 to 1,000 keys as of one moment, in their order, with `null` for a key that has none. */
  getMany(keys: readonly KvKey[], options?: KvGetCallOptions): Promise<KvValue[]> {
    return commands.getMany(this.#caller, keys, options);
  }

  /**
   * Sets the value of a key. Resolves with the revision of the change.
   *
   * @throws {TypeError} when the value is none that JSON has
   */
  set(key: KvKey, value: KvValue, options?: KvSetCallOptions): Promise<{ rev: number }> {
    return commands.set(this.#caller, key, value, options);
  }

  /**
   * Sets the values of 1 to 1,000 keys, all of them or none. Resolves with the revision of the change, the same for all.
   *
   * @throws {TypeError} when a value is none that JSON has
   */
  setMany(items: readonly KvSetItem[], options?: KvCallOptions): Promise<{ rev: number }> {
    return commands.setMany(this.#caller, items, options);
  }

  /** Deletes the value of a key. Resolves with how many values there were. */
  delete(key: KvKey, options?: KvDeleteCallOptions): Promise<number> {
    return commands.remove(this.#caller, key, options);
  }

  /** Adds to the whole number at a key, 0 without a value. Resolves with the sum. */
  increment(key: KvKey, by = 1, options?: KvIncrementCallOptions): Promise<number> {
    return commands.increment(this.#caller, key, by, options);
  }

  /** How many milliseconds the value of a key has left: `Infinity` when it stays, `undefined` when there is none. */
  ttl(key: KvKey, options?: KvGetCallOptions): Promise<number | undefined> {
    return commands.ttl(this.#caller, key, options);
  }

  /**
   * Has the value of a key go by itself `ttlMs` milliseconds later, from 1 up to ten years. Resolves with whether there is a value.
   * Its revision stays.
   */
  expire(key: KvKey, ttlMs: number, options?: KvCallOptions): Promise<boolean> {
    return commands.expire(this.#caller, key, ttlMs, options);
  }

  /** Has the value of a key stay. Resolves with whether it was to go. Its revision stays. */
  persist(key: KvKey, options?: KvCallOptions): Promise<boolean> {
    return commands.persist(this.#caller, key, options);
  }

  /**
   * Does all the steps of a transaction at one moment, or none of them: those of `then` when all conditions hold, else those of
   * `else`. A step that finds no value has the result `null`; when any other step fails nothing is done, and the call rejects
   * with its error, whose `field` says which of the two lists it is in.
   *
   * @throws {TypeError} when a value is none that JSON has, or a step has an action that there is not
   */
  transaction(transaction: KvTransaction, options?: KvCallOptions): Promise<KvOutcome> {
    return commands.transaction(this.#caller, transaction, options);
  }

  /**
   * Has a job done by one of the sessions that are connected and have a capability, each in turn. Resolves with the number of the
   * job when one of them has it; that it is done is not told. Should its session end without having acknowledged it, another one
   * gets it. Send it by a session where it must not be handed out twice.
   *
   * @throws {KvError} with the reason `NO_WORKER` when nobody is connected who has it, with `TOO_MANY_JOBS` when they have too much to do
   * @throws {TypeError} when the payload is none that JSON has
   */
  dispatch(
    capability: string,
    payload: KvValue,
    options?: KvDispatchCallOptions,
  ): Promise<number> {
    return commands.dispatch(this.#caller, capability, payload, options);
  }

  /** Whether there is something at a key, and below it. */
  exists(key: KvKey, options?: KvGetCallOptions): Promise<KvExistence> {
    return commands.exists(this.#caller, key, options);
  }

  /**
   * The keys below a key, in order; without one those of the namespace, with `^` all of them. They are asked for page by page,
   * each as of that moment: none comes twice, and none is missing that is there all the time. Ends like a call that fails.
   */
  keys(prefix?: KvKey, options?: KvKeysCallOptions): AsyncIterableIterator<string> {
    return commands.keys(this.#caller, prefix, options);
  }

  /** {@linkcode KvClient.keys} with their values. */
  entries(prefix?: KvKey, options?: KvKeysCallOptions): AsyncIterableIterator<KvItem> {
    return commands.entries(this.#caller, prefix, options);
  }

  /** The names one level below a key, with or without a value of their own, as {@linkcode KvClient.keys} lists them. */
  children(key?: KvKey, options?: KvChildrenCallOptions): AsyncIterableIterator<string> {
    return commands.children(this.#caller, key, options);
  }

  /**
   * Publishes a message to a channel. Resolves with how many subscribers of the agent and how many other agents it went to; how
   * many subscribers those have is not known. Who does not listen now misses it.
   *
   * @throws {TypeError} when the message is none that JSON has
   */
  async publish(channel: KvKey, message: KvValue, options: CallOptions = {}): Promise<number> {
    checkCallOptions("publish", options);
    checkKey(channel);
    const request = { action: "PUBLISH", channel, message: checked(message) };
    return (await this.#caller(request, true, options)).result as number;
  }

  /**
   * Subscribes to a channel or pattern, or to each of a list, on a connection of its own. Resolves when what is published from then on
   * comes; with `reconnect` it is subscribed again after the connection has dropped, and what was published in between is missing.
   */
  async subscribe(
    channels: string | readonly KvKey[],
    options: StreamOptions = {},
  ): Promise<RecordStream<KvMessage>> {
    checkCallOptions("subscribe", options);
    const list = typeof channels === "string" ? [channels] : channels;
    for (const channel of list) checkKey(channel);
    return await this.#begin(new Subscription(this.#options, list, options));
  }

  /**
   * Watches a key, on a connection of its own. Resolves when the agent tells each change from then on, in order. With `reconnect` it
   * goes on where it was after the connection has dropped, at the next of the addresses that can be reached; what is read ends
   * with a `RevisionGoneError` when no agent has the changes since any more, or the connection dropped before `synced`. Agents that
   * do not answer are asked again, up to eight times, before it is believed of those that do.
   */
  async watch(key: KvKey, options: KvWatchOptions = {}): Promise<KvWatch> {
    checkCallOptions("watch", options);
    checkKey(key);
    return await this.#begin(new ClientWatch(this.#options, key, options));
  }

  /**
   * Takes a lock: the key, which is to be for nothing else, is set as soon as it has no value. The lock is held until it is released,
   * or its signal fires; what is written by a holder that does not know yet is only kept away by {@linkcode KvLock.fence}. To hold
   * it beyond the life of one connection the client has to `reconnect`.
   *
   * @throws {LockTimeoutError} when it was not to be had in `options.waitMs`
   * @throws {RangeError} when a time is out of its bounds
   */
  async lock(key: KvKey, options: KvLockOptions = {}): Promise<KvLock> {
    checkCallOptions("lock", options);
    checkKey(key);
    return await takeLock(this, lockWorld(() => this.#link.isOver), key, options);
  }

  async #begin<T extends Stream>(stream: T): Promise<T> {
    if (this.#link.isOver) throw await this.closed ?? new ConnectionClosedError();
    this.#streams.add(stream);
    stream.ended.then(() => this.#streams.delete(stream)).catch(reportFault);
    await stream.begin();
    return stream;
  }

  /** Closes the connection, and ends subscriptions and watches, also those that are under way. Calls under way reject. Safe to call again. */
  async close(): Promise<void> {
    const stopped = [...this.#streams].map((stream) => stream.stop());
    await Promise.all([this.#link.close(), ...stopped]);
  }

  /** {@linkcode KvClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #caller: commands.KvCaller = async (request, changes, options) => {
    const { signal, timeoutMs = this.#timeoutMs } = options;
    const withSignal = signal === undefined ? {} : { signal };
    const { current } = this.#link;
    if (current !== undefined) return current.call(request, changes, { ...withSignal, timeoutMs });
    const start = performance.now();
    const connection = await this.#link.forCall({
      signal,
      timeoutMs,
      timeoutError: () => answerTimeout(request.action, timeoutMs),
      giveUp: () => {},
    });
    const left = Math.max(0, timeoutMs - (performance.now() - start));
    return connection.call(request, changes, { ...withSignal, timeoutMs: left });
  };
}
