/**
 * The key-value store for the program that an agent runs in.
 *
 * @module
 */

import {
  deleteCommand,
  existsQuestion,
  expireCommand,
  getQuestion,
  incrementCommand,
  type Listed,
  persistCommand,
  resolvePath,
  setCommand,
  textOfValue,
  ttlQuestion,
} from "../../../cluster/machine/kv/mod.ts";
import type { Failure, Result, Success } from "../../../cluster/machine/mod.ts";
import { ACTIONS } from "../../../protocol/kv/actions/actions.ts";
import { errorOf, KvError } from "../../../protocol/kv/errors.ts";
import { DEFAULT_LISTED } from "../../../protocol/kv/limits.ts";
import { invalid, TOO_MANY_SUBSCRIPTIONS } from "../../../protocol/kv/problem.ts";
import type { KvLock, KvLockOptions } from "../../../protocol/kv/lock/lock.ts";
import { takeLock } from "../../../protocol/kv/lock/take.ts";
import { type Page, paged } from "../../../protocol/kv/paging.ts";
import {
  type KvOutcome,
  type KvTransaction,
  membersOf,
} from "../../../protocol/kv/actions/transaction.ts";
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
} from "../../../protocol/kv/values.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import type { Watcher } from "../../../cluster/watch/mod.ts";
import { channelOf, interestOf, type PubSub } from "../../../cluster/pubsub/mod.ts";
import { type EventFeed, Feed, type FeedOptions } from "../../feed.ts";
import { SHUTTING_DOWN, type StateService } from "../../replica/service.ts";
import { textOfMessage } from "../actions/channels.ts";
import { beginWatch, watchOf } from "../actions/watches.ts";
import type { Several } from "../action.ts";
import { actionOf } from "../dispatch.ts";
import { gather, listingOf } from "../listing.ts";
import { LOCK_WORLD } from "./lock.ts";
import { LocalWatch } from "./watch.ts";
import type {
  KvChildrenOptions,
  KvDeleteOptions,
  KvGetOptions,
  KvIncrementOptions,
  KvKeysOptions,
  KvRequestOptions,
  KvSetOptions,
} from "./options.ts";

export {
  ConditionFailedError,
  KvError,
  NoLeaderError,
  OutcomeUnknownError,
  RevisionGoneError,
} from "../../../protocol/kv/errors.ts";
export type {
  KvCondition,
  KvOutcome,
  KvStep,
  KvTransaction,
} from "../../../protocol/kv/actions/transaction.ts";
export type * from "../../../protocol/kv/values.ts";
export type * from "./options.ts";

/** How long a request may take, in milliseconds. */
const TIMEOUT_MS = 5_000;

/**
 * The key-value store of an agent that is a server, or asks servers. Each method rejects with a `KvError`: a `NoLeaderError` or an
 * `OutcomeUnknownError` when the servers cannot decide now, a `ConditionFailedError` when a condition does not hold.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({ dev: true, bind: "127.0.0.1:0", peerAddr: "127.0.0.1:0", kvAddr: "none", sessionAddr: "none", topicsAddr: "none" });
 * const { kv } = agent;
 * const { rev } = await kv.set("greeting", "hello");
 * console.log(await kv.get("greeting")); // { value: "hello", rev: 1 }
 * await kv.set("greeting", "good day", { ifRev: rev });
 * console.log(await kv.increment("visits")); // 1
 * console.log(await kv.delete("greeting")); // 1
 * ```
 */
export class AgentKv {
  readonly #state: StateService;
  readonly #pubsub: PubSub;
  readonly #streams = new Set<Feed<KvMessage> | LocalWatch>();
  #isClosed = false;

  /** The store behind `state`, and the channels of the agent. */
  constructor(state: StateService, pubsub: PubSub) {
    this.#state = state;
    this.#pubsub = pubsub;
  }

  /** Sets the value of a key. Resolves with the revision of the change. */
  async set(key: KvKey, value: KvValue, options: KvSetOptions = {}): Promise<{ rev: number }> {
    const { ttlMs, keepTtl } = options;
    if (ttlMs !== undefined) checkTtl(ttlMs);
    if (ttlMs !== undefined && keepTtl) throw errorOf(invalid("keepTtl"));
    const command = setCommand(pathOf(key, options), usable(textOfValue(value)), options);
    const { rev } = await this.#propose(command, options);
    return { rev };
  }

  /** The value of a key; `undefined` when it has none. */
  async get(key: KvKey, options: KvGetOptions = {}): Promise<KvEntry | undefined> {
    const result = await this.#query(getQuestion(pathOf(key, options)), options);
    if (!result.ok && result.reason === "KEY_NOT_FOUND") return undefined;
    const { body, rev, ttlMs } = success(result);
    return { value: valueOf(body) as KvValue, rev, ...ttlMs !== undefined && { ttlMs } };
  }

  /** The values of 1 to 1,000 keys as of one moment, in their order, with `null` for a key that has none. */
  async getMany(keys: readonly KvKey[], options: KvGetOptions = {}): Promise<KvValue[]> {
    const { bytes } = severalOf("MGET", { keys }, options);
    return valueOf(success(await this.#query(bytes, options)).body) as KvValue[];
  }

  /** Sets the values of 1 to 1,000 keys, all of them or none. Resolves with the revision of the change, the same for all. */
  async setMany(
    items: readonly KvSetItem[],
    options: KvRequestOptions = {},
  ): Promise<{ rev: number }> {
    const asked = items.map(({ key, value, ttlMs }) => ({ key, value, ttl_ms: ttlMs }));
    const { bytes } = severalOf("MSET", { items: asked }, options);
    const { rev } = await this.#propose(bytes, options);
    return { rev };
  }

  /** How many milliseconds the value of a key has left: `Infinity` when it stays, `undefined` when there is none. */
  async ttl(key: KvKey, options: KvGetOptions = {}): Promise<number | undefined> {
    const result = await this.#query(ttlQuestion(pathOf(key, options)), options);
    if (!result.ok && result.reason === "KEY_NOT_FOUND") return undefined;
    const left = valueOf(success(result).body) as number;
    return left === -1 ? Infinity : left;
  }

  /**
   * Has the value of a key go by itself `ttlMs` milliseconds later, from 1 up to ten years. Resolves with whether there is a value.
   * Its revision stays.
   */
  async expire(key: KvKey, ttlMs: number, options: KvRequestOptions = {}): Promise<boolean> {
    checkTtl(ttlMs);
    return await this.#change(expireCommand(pathOf(key, options), ttlMs), options) !== undefined;
  }

  /** Has the value of a key stay. Resolves with whether it was to go. Its revision stays. */
  async persist(key: KvKey, options: KvRequestOptions = {}): Promise<boolean> {
    return await this.#change(persistCommand(pathOf(key, options)), options) === true;
  }

  /**
   * Does all the steps of a transaction at one moment, or none of them: those of `then` when all conditions hold, else those of
   * `else`. A step that finds no value has the result `null`; when any other step fails nothing is done, and this rejects with
   * its error, whose `field` says which of the two lists it is in.
   */
  async transaction(
    transaction: KvTransaction,
    options: KvRequestOptions = {},
  ): Promise<KvOutcome> {
    const { bytes } = severalOf("TXN", { ...membersOf(transaction) }, options);
    const { body, rev } = await this.#propose(bytes, options);
    return { ...valueOf(body) as Omit<KvOutcome, "rev">, rev };
  }

  /** Deletes the value of a key. Resolves with how many values there were. */
  async delete(key: KvKey, options: KvDeleteOptions = {}): Promise<number> {
    const command = deleteCommand(pathOf(key, options), { ...options, ifExists: true });
    return valueOf((await this.#propose(command, options)).body) as number;
  }

  /** Adds to the whole number at a key, 0 without a value. Resolves with the sum. */
  async increment(key: KvKey, by = 1, options: KvIncrementOptions = {}): Promise<number> {
    const { ttlMs } = options;
    if (ttlMs !== undefined) checkTtl(ttlMs);
    const command = incrementCommand(pathOf(key, options), by, ttlMs);
    return valueOf((await this.#propose(command, options)).body) as number;
  }

  /** Whether there is something at a key, and below it. */
  async exists(key: KvKey, options: KvGetOptions = {}): Promise<KvExistence> {
    const result = await this.#query(existsQuestion(pathOf(key, options)), options);
    return valueOf(success(result).body) as KvExistence;
  }

  /**
   * The keys below a key, in order; without one those of the namespace, with `^` all of them. They are listed page by page, each
   * as of the moment when it is asked for: none comes twice, and none is missing that is there all the time.
   */
  keys(prefix?: KvKey, options: KvKeysOptions = {}): AsyncIterableIterator<string> {
    return this.#list("keys", prefix, options);
  }

  /** {@linkcode AgentKv.keys} with their values. */
  entries(prefix?: KvKey, options: KvKeysOptions = {}): AsyncIterableIterator<KvItem> {
    return this.#list("entries", prefix, options);
  }

  /** The names one level below a key, with or without a value of their own, as {@linkcode AgentKv.keys} lists them. */
  children(key?: KvKey, options: KvChildrenOptions = {}): AsyncIterableIterator<string> {
    return this.#list("children", key, options);
  }

  /**
   * Publishes a message to a channel, from the agent itself. Returns how many subscribers of this agent and how many other agents it
   * went to; how many subscribers those have is not known. Who does not listen now misses it.
   *
   * @throws {KvError} when the channel is none, or the message is none that JSON has, or too large
   */
  publish(channel: KvKey, message: KvValue): number {
    const to = channelOf(channel);
    if (typeof to !== "string") throw errorOf(to);
    if (this.#isClosed) throw errorOf(SHUTTING_DOWN);
    return this.#pubsub.publish(to, usable(textOfMessage(message)), this.#pubsub.node);
  }

  /**
   * The messages of a channel or pattern, or of each of a list, from now on. Ends with the agent.
   *
   * @throws {KvError} when one is neither a channel nor a pattern, or there is no room for more subscriptions
   * @throws {RangeError} when the buffer size is not a whole number above 0
   */
  subscribe(
    channels: string | readonly KvKey[],
    options: FeedOptions = {},
  ): EventFeed<KvMessage> {
    const interests = (typeof channels === "string" ? [channels] : channels).map((one) => {
      const interest = interestOf(one);
      if ("ok" in interest) throw errorOf(interest);
      return interest;
    });
    if (this.#isClosed) throw errorOf(SHUTTING_DOWN);
    if (!this.#pubsub.hasRoom(interests.length)) throw errorOf(TOO_MANY_SUBSCRIPTIONS);
    const feed = new Feed<KvMessage>(options, () => {
      this.#pubsub.leave(subscriber);
      this.#streams.delete(feed);
    });
    const subscriber = this.#pubsub.subscriber({
      messages: (lines) => {
        for (const message of messagesIn(lines)) feed.take(message);
      },
      dropped: (count) => feed.miss(count),
    });
    for (const interest of interests) this.#pubsub.subscribe(subscriber, interest);
    this.#streams.add(feed);
    return feed;
  }

  /**
   * Watches a key: each change from now on, in order. Ends with the agent. Reading throws a `RevisionGoneError` when it cannot go on
   * without a gap: nobody has read for too long, or this server got the state of another one. One that is no server,
   * or has not come to `fromRev`, begins when a server has answered; what goes wrong there, as without a leader, reading throws, too.
   *
   * @throws {KvError} when the key is none, or a `RevisionGoneError` when changes since `fromRev` are not kept any more
   * @throws {RangeError} when the buffer size is not a whole number above 0
   */
  watch(key: KvKey, options: KvWatchOptions = {}): KvWatch {
    const { namespace, tree, initial, old, fromRev } = options;
    const request = { key, namespace, tree, initial, old, from_rev: fromRev };
    const wrong = ACTIONS["WATCH"]?.wrong(request);
    if (wrong !== undefined) throw errorOf(invalid(wrong === "from_rev" ? "fromRev" : wrong));
    const wanted = watchOf(request);
    if ("ok" in wanted) throw errorOf(wanted);
    if (this.#isClosed) throw errorOf(SHUTTING_DOWN);
    const onEnd = (one: LocalWatch): void => void this.#streams.delete(one);
    const begin = (watcher: Watcher) => beginWatch(watcher, wanted, this.#state, TIMEOUT_MS);
    const watch = new LocalWatch(this.#state.watches, begin, options, onEnd);
    this.#streams.add(watch);
    return watch;
  }

  /**
   * Takes a lock, as `KvClient.lock` does.
   *
   * @throws {LockTimeoutError} when it was not to be had in `options.waitMs`
   * @throws {RangeError} when a time is out of its bounds
   */
  lock(key: KvKey, options: KvLockOptions = {}): Promise<KvLock> {
    return takeLock(this, LOCK_WORLD, key, options);
  }

  /** Ends all subscriptions and watches, and begins no more. */
  close(): void {
    this.#isClosed = true;
    for (const stream of this.#streams) stream.close();
  }

  #list<T>(
    what: Listed,
    key: KvKey | undefined,
    options: KvKeysOptions,
  ): AsyncIterableIterator<T> {
    const { namespace, depth, pageSize: limit = DEFAULT_LISTED } = options;
    const { consistency = "linearizable", timeoutMs = TIMEOUT_MS } = options;
    const pageAfter = async (after: string | undefined): Promise<Page<T>> => {
      const wrong = ACTIONS["KEYS"]?.wrong({ limit, depth });
      if (wrong !== undefined) throw errorOf(invalid(wrong === "limit" ? "pageSize" : wrong));
      const listing = listingOf(what, { key, namespace, after, limit, depth });
      if ("ok" in listing) throw errorOf(listing);
      const { result, next } = await gather(this.#state, listing, consistency, timeoutMs);
      return { items: valueOf(success(result).body) as T[], next };
    };
    return paged(pageAfter, options.after);
  }

  /** What a command tells; `undefined` when there is no value. */
  async #change(command: Uint8Array, options: KvRequestOptions): Promise<unknown> {
    try {
      return valueOf((await this.#propose(command, options)).body);
    } catch (error) {
      if (error instanceof KvError && error.reason === "KEY_NOT_FOUND") return undefined;
      throw error;
    }
  }

  #propose(
    command: Uint8Array,
    { timeoutMs = TIMEOUT_MS }: KvRequestOptions,
  ): Promise<Success> {
    const { promise, resolve } = Promise.withResolvers<Result>();
    this.#state.propose(command, timeoutMs, resolve);
    return promise.then(success);
  }

  #query(
    question: Uint8Array,
    { consistency = "linearizable", timeoutMs = TIMEOUT_MS }: KvGetOptions,
  ): Promise<Result> {
    const { promise, resolve } = Promise.withResolvers<Result>();
    this.#state.query(question, consistency, timeoutMs, ({ result }) => resolve(result));
    return promise;
  }
}

function pathOf(key: KvKey, { namespace }: KvRequestOptions): Uint8Array {
  return usable(resolvePath(key, namespace));
}

/** The command or question of an action about several keys. */
function severalOf(
  name: string,
  members: Record<string, unknown>,
  { namespace }: KvRequestOptions,
): Several {
  const request = { ...members, namespace };
  const wrong = ACTIONS[name]?.wrong(request);
  if (wrong !== undefined) throw errorOf(invalid(wrong));
  const doing = actionOf(name)?.doing;
  if (doing?.kind !== "several") throw new RangeError(`Expected an action, got '${name}'`);
  const several = doing.make(request, "");
  if ("ok" in several) throw errorOf(several);
  return several;
}

function checkTtl(ttlMs: number): void {
  if (ACTIONS["EXPIRE"]?.wrong({ key: "k", ttl_ms: ttlMs })) throw errorOf(invalid("ttlMs"));
}

function usable(bytes: Uint8Array | Failure): Uint8Array {
  if (bytes instanceof Uint8Array) return bytes;
  throw errorOf(bytes);
}

function success(result: Result): Success {
  if (result.ok) return result;
  throw errorOf(result);
}

function messagesIn(lines: Uint8Array): KvMessage[] {
  return decodeUtf8(lines).trimEnd().split("\n").map((line) => {
    const { push: _, ...message } = JSON.parse(line);
    return message;
  });
}

function valueOf(body: Uint8Array): unknown {
  return JSON.parse(decodeUtf8(body));
}
