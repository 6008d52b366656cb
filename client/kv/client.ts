/**
 * The key-value client: a connection to an agent and a method for each thing that can be done.
 *
 * @module
 */

import { requireArgument } from "../../protocol/arguments.ts";
import { KvError } from "../../protocol/kv/errors.ts";
import { type Page, paged } from "../../protocol/kv/paging.ts";
import type {
  KvEntry,
  KvExistence,
  KvItem,
  KvKey,
  KvMessage,
  KvValue,
} from "../../protocol/kv/values.ts";
import type { CallOptions } from "../net/deadline.ts";
import { ConnectionClosedError } from "../net/errors.ts";
import { reportFault } from "../net/portable.ts";
import { Link } from "../net/reconnect.ts";
import type { RecordStream, StreamOptions } from "../net/record_stream.ts";
import { answerTimeout, type KvConnection, type Request, type Success } from "./connection.ts";
import { DEFAULT_TIMEOUT_MS, openKvConnection } from "./open.ts";
import {
  checkCallOptions,
  checkKey,
  checkKvConnectOptions,
  type KvCallOptions,
  type KvChildrenCallOptions,
  type KvConnectOptions,
  type KvDeleteCallOptions,
  type KvGetCallOptions,
  type KvKeysCallOptions,
  type KvSetCallOptions,
} from "./options.ts";
import { Subscription } from "./subscription.ts";

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
 * await using agent = await Agent.start({ dev: true, bind: "127.0.0.1:0", peerAddr: "127.0.0.1:0", kvAddr: "127.0.0.1:0" });
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
  readonly #subscriptions = new Set<Subscription>();

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
   * @throws {KvError} when the agent has no room, or speaks another version
   */
  static async connect(options: KvConnectOptions = {}): Promise<KvClient> {
    checkKvConnectOptions(options);
    const { reconnect = false } = options;
    const opener = {
      open: (signal?: AbortSignal): Promise<KvConnection> => openKvConnection(options, signal),
      // An agent that speaks another version goes on to do so; one that has no room may have some later.
      isFinal: (error: unknown): boolean => error instanceof KvError && error.code !== 429,
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
    await this.#call({ action: "PING" }, false, options);
  }

  /** The value of a key; `undefined` when it has none. */
  async get(key: KvKey, options: KvGetCallOptions = {}): Promise<KvEntry | undefined> {
    checkCallOptions("get", options);
    const { consistency } = options;
    const request = { ...about("GET", key, options), ...consistency && { consistency } };
    try {
      const { result, rev = 0 } = await this.#call(request, false, options);
      return { value: result as KvValue, rev };
    } catch (error) {
      if (error instanceof KvError && error.reason === "KEY_NOT_FOUND") return undefined;
      throw error;
    }
  }

  /**
   * Sets the value of a key. Resolves with the revision of the change.
   *
   * @throws {TypeError} when the value is none that JSON has
   */
  async set(key: KvKey, value: KvValue, options: KvSetCallOptions = {}): Promise<{ rev: number }> {
    checkCallOptions("set", options);
    const { nx, xx, ifRev } = options;
    const request = {
      ...about("SET", key, options),
      value: checked(value),
      ...nx && { nx },
      ...xx && { xx },
      ...ifRev !== undefined && { if_rev: ifRev },
    };
    const { rev = 0 } = await this.#call(request, true, options);
    return { rev };
  }

  /** Deletes the value of a key. Resolves with how many values there were. */
  async delete(key: KvKey, options: KvDeleteCallOptions = {}): Promise<number> {
    checkCallOptions("delete", options);
    const { tree, ifRev } = options;
    const request = {
      ...about("DEL", key, options),
      if_exists: true,
      ...tree && { tree },
      ...ifRev !== undefined && { if_rev: ifRev },
    };
    return (await this.#call(request, true, options)).result as number;
  }

  /** Adds to the whole number at a key, 0 without a value. Resolves with the sum. */
  async increment(key: KvKey, by = 1, options: KvCallOptions = {}): Promise<number> {
    checkCallOptions("increment", options);
    requireArgument("number to add", by, "number");
    const request = { ...about("INCR", key, options), by };
    return (await this.#call(request, true, options)).result as number;
  }

  /** Whether there is something at a key, and below it. */
  async exists(key: KvKey, options: KvGetCallOptions = {}): Promise<KvExistence> {
    checkCallOptions("exists", options);
    const { consistency } = options;
    const request = { ...about("EXISTS", key, options), ...consistency && { consistency } };
    return (await this.#call(request, false, options)).result as KvExistence;
  }

  /**
   * The keys below a key, in order; without one those of the namespace, with `^` all of them. They are asked for page by page,
   * each as of that moment: none comes twice, and none is missing that is there all the time. Ends like a call that fails.
   */
  keys(prefix?: KvKey, options: KvKeysCallOptions = {}): AsyncIterableIterator<string> {
    checkCallOptions("keys", options);
    const { depth } = options;
    return this.#list({ ...listing("KEYS", "prefix", prefix, options), depth }, options);
  }

  /** {@linkcode KvClient.keys} with their values. */
  entries(prefix?: KvKey, options: KvKeysCallOptions = {}): AsyncIterableIterator<KvItem> {
    checkCallOptions("entries", options);
    const { depth } = options;
    const request = { ...listing("KEYS", "prefix", prefix, options), depth, values: true };
    return this.#list(request, options);
  }

  /** The names one level below a key, with or without a value of their own, as {@linkcode KvClient.keys} lists them. */
  children(key?: KvKey, options: KvChildrenCallOptions = {}): AsyncIterableIterator<string> {
    checkCallOptions("children", options);
    return this.#list(listing("CHILDREN", "key", key, options), options);
  }

  #list<T>(request: Request, options: KvChildrenCallOptions): AsyncIterableIterator<T> {
    const pageAfter = async (after: string | undefined): Promise<Page<T>> => {
      const { result, next } = await this.#call({ ...request, after }, false, options);
      return { items: result as T[], next };
    };
    return paged(pageAfter, options.after);
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
    return (await this.#call(request, true, options)).result as number;
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
    if (this.#link.isOver) throw await this.closed ?? new ConnectionClosedError();
    const subscription = await Subscription.open(this.#options, list, options);
    this.#subscriptions.add(subscription);
    subscription.ended.then(() => this.#subscriptions.delete(subscription)).catch(reportFault);
    if (this.#link.isOver) await subscription.stop();
    return subscription;
  }

  /** Closes the connection, and ends subscriptions. Calls under way reject. Safe to call again. */
  async close(): Promise<void> {
    const stopped = [...this.#subscriptions].map((subscription) => subscription.stop());
    await Promise.all([this.#link.close(), ...stopped]);
  }

  /** {@linkcode KvClient.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #call(request: Request, changes: boolean, options: CallOptions): Promise<Success> {
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
  }
}

function about(action: string, key: KvKey, { namespace }: KvCallOptions): Request {
  checkKey(key);
  return { action, key, ...namespace !== undefined && { namespace } };
}

function listing(
  action: string,
  member: string,
  key: KvKey | undefined,
  { namespace, pageSize, consistency }: KvChildrenCallOptions,
): Request {
  if (key !== undefined) checkKey(key);
  return { action, [member]: key, namespace, limit: pageSize, consistency };
}

/** A value, unless JSON would have another one in its place. */
function checked(value: KvValue): KvValue {
  const refuse = (kind: string): never => {
    throw new TypeError(`Invalid value: expected one that JSON has, got ${kind}`);
  };
  if (value === undefined) refuse("undefined");
  if (typeof value === "number" && !Number.isFinite(value)) refuse(String(value));
  if (typeof value === "function" || typeof value === "symbol") refuse(`a ${typeof value}`);
  if (typeof value === "object") {
    // Goes through all of it, as it will be written.
    JSON.stringify(
      value,
      (_, part) => typeof part === "number" && !Number.isFinite(part) ? refuse(String(part)) : part,
    );
  }
  return value;
}
