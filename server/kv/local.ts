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
  resolvePath,
  setCommand,
  textOfValue,
} from "../../cluster/machine/kv/mod.ts";
import type { Failure, Result, Success } from "../../cluster/machine/mod.ts";
import { errorOf } from "../../protocol/kv/errors.ts";
import type { KvEntry, KvExistence, KvKey, KvValue } from "../../protocol/kv/values.ts";
import { decodeUtf8 } from "../../protocol/text.ts";
import type { Consistency, StateService } from "../replica/service.ts";

export {
  ConditionFailedError,
  KvError,
  NoLeaderError,
  OutcomeUnknownError,
} from "../../protocol/kv/errors.ts";
export type { KvEntry, KvExistence, KvKey, KvValue } from "../../protocol/kv/values.ts";

/** How long a request may take, in milliseconds. */
const TIMEOUT_MS = 5_000;

/**
 * What all requests may say.
 *
 * @example
 * ```ts
 * import { Agent, type KvRequestOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 * });
 * const options: KvRequestOptions = { namespace: "app", timeoutMs: 1_000 };
 * await agent.kv.increment("visits", 1, options);
 * ```
 */
export interface KvRequestOptions {
  /** Namespace of a key that names none. Default: `global`. */
  readonly namespace?: string;
  /** How long it may take, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
}

/**
 * When a value is set.
 *
 * @example
 * ```ts
 * import { Agent, type KvSetOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 * });
 * const once: KvSetOptions = { nx: true };
 * await agent.kv.set("first", "me", once);
 * ```
 */
export interface KvSetOptions extends KvRequestOptions {
  /** Only if the key has no value. */
  readonly nx?: boolean;
  /** Only if the key has a value. */
  readonly xx?: boolean;
  /** Only if the last change of the key has this revision; 0: only if it has no value. */
  readonly ifRev?: number;
}

/**
 * When and what is deleted.
 *
 * @example
 * ```ts
 * import { Agent, type KvDeleteOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 * });
 * const all: KvDeleteOptions = { tree: true };
 * console.log(await agent.kv.delete("^app", all));
 * ```
 */
export interface KvDeleteOptions extends KvRequestOptions {
  /** Everything below the key, too. */
  readonly tree?: boolean;
  /** Only if the last change of the key has this revision. */
  readonly ifRev?: number;
}

/**
 * How fresh a value has to be.
 *
 * @example
 * ```ts
 * import { Agent, type KvGetOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 * });
 * const old: KvGetOptions = { consistency: "stale" };
 * console.log(await agent.kv.get("a", old));
 * ```
 */
export interface KvGetOptions extends KvRequestOptions {
  /** Default `linearizable`: all that was acknowledged before. `stale`: whatever this server has. */
  readonly consistency?: Consistency;
}

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

  /** The store behind `state`. */
  constructor(state: StateService) {
    this.#state = state;
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

function valueOf(body: Uint8Array): unknown {
  return JSON.parse(decodeUtf8(body));
}
