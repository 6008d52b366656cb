/**
 * The key-value store for the program that an agent runs in.
 *
 * @module
 */

import {
  deleteCommand,
  existsQuestion,
  getQuestion,
  incrementCommand,
  type Listed,
  resolvePath,
  setCommand,
  textOfValue,
} from "../../cluster/machine/kv/mod.ts";
import type { Failure, Result, Success } from "../../cluster/machine/mod.ts";
import { ACTIONS } from "../../protocol/kv/actions.ts";
import { errorOf } from "../../protocol/kv/errors.ts";
import { DEFAULT_LISTED } from "../../protocol/kv/limits.ts";
import { invalid, TOO_MANY_SUBSCRIPTIONS } from "../../protocol/kv/problem.ts";
import { type Page, paged } from "../../protocol/kv/paging.ts";
import type {
  KvEntry,
  KvExistence,
  KvItem,
  KvKey,
  KvMessage,
  KvValue,
} from "../../protocol/kv/values.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import { channelOf, interestOf, type PubSub } from "../../cluster/pubsub/mod.ts";
import { type EventFeed, Feed, type FeedOptions } from "../feed.ts";
import type { StateService } from "../replica/service.ts";
import { textOfMessage } from "./actions/channels.ts";
import { gather, listingOf } from "./listing.ts";
import type {
  KvChildrenOptions,
  KvDeleteOptions,
  KvGetOptions,
  KvKeysOptions,
  KvRequestOptions,
  KvSetOptions,
} from "./local_options.ts";

export {
  ConditionFailedError,
  KvError,
  NoLeaderError,
  OutcomeUnknownError,
} from "../../protocol/kv/errors.ts";
export type {
  KvEntry,
  KvExistence,
  KvItem,
  KvKey,
  KvMessage,
  KvValue,
} from "../../protocol/kv/values.ts";

export type * from "./local_options.ts";

/** How long a request may take, in milliseconds. */
const TIMEOUT_MS = 5_000;

/**
 * The key-value store of an agent that is a server. Each method rejects with a `KvError`: a `NoLeaderError` or an
 * `OutcomeUnknownError` when the servers cannot decide now, a `ConditionFailedError` when a condition does not hold.
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({ dev: true, bind: "127.0.0.1:0", peerAddr: "127.0.0.1:0", kvAddr: "none" });
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
  readonly #feeds = new Set<Feed<KvMessage>>();

  /** The store behind `state`, and the channels of the agent. */
  constructor(state: StateService, pubsub: PubSub) {
    this.#state = state;
    this.#pubsub = pubsub;
  }

  /** Sets the value of a key. Resolves with the revision of the change. */
  async set(key: KvKey, value: KvValue, options: KvSetOptions = {}): Promise<{ rev: number }> {
    const command = setCommand(pathOf(key, options), usable(textOfValue(value)), options);
    const { rev } = await this.#propose(command, options);
    return { rev };
  }

  /** The value of a key; `undefined` when it has none. */
  async get(key: KvKey, options: KvGetOptions = {}): Promise<KvEntry | undefined> {
    const result = await this.#query(getQuestion(pathOf(key, options)), options);
    if (!result.ok && result.reason === "KEY_NOT_FOUND") return undefined;
    const { body, rev } = success(result);
    return { value: valueOf(body) as KvValue, rev };
  }

  /** Deletes the value of a key. Resolves with how many values there were. */
  async delete(key: KvKey, options: KvDeleteOptions = {}): Promise<number> {
    const command = deleteCommand(pathOf(key, options), { ...options, ifExists: true });
    return valueOf((await this.#propose(command, options)).body) as number;
  }

  /** Adds to the whole number at a key, 0 without a value. Resolves with the sum. */
  async increment(key: KvKey, by = 1, options: KvRequestOptions = {}): Promise<number> {
    const command = incrementCommand(pathOf(key, options), by);
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
    if (!this.#pubsub.hasRoom(interests.length)) throw errorOf(TOO_MANY_SUBSCRIPTIONS);
    const feed = new Feed<KvMessage>(options, () => {
      this.#pubsub.leave(subscriber);
      this.#feeds.delete(feed);
    });
    const subscriber = this.#pubsub.subscriber({
      messages: (lines) => {
        for (const message of messagesIn(lines)) feed.take(message);
      },
      dropped: (count) => feed.miss(count),
    });
    for (const interest of interests) this.#pubsub.subscribe(subscriber, interest);
    this.#feeds.add(feed);
    return feed;
  }

  /** Ends all subscriptions. */
  close(): void {
    for (const feed of this.#feeds) feed.close();
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
