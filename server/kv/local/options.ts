/**
 * What a program may say to the key-value store of its agent.
 *
 * @module
 */

import type { Consistency } from "../../replica/service.ts";

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
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
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
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
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
  /** It goes by itself so many milliseconds later, up to ten years. Default: it stays. */
  readonly ttlMs?: number;
  /** It goes when the value before was to go. Not with `ttlMs`. */
  readonly keepTtl?: boolean;
}

/**
 * What an increment does besides.
 *
 * @example
 * ```ts
 * import { Agent, type KvIncrementOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const options: KvIncrementOptions = { ttlMs: 60_000 };
 * console.log(await agent.kv.increment("visits", 1, options));
 * ```
 */
export interface KvIncrementOptions extends KvRequestOptions {
  /** The sum goes by itself so many milliseconds later. Default: when the value before was to go. */
  readonly ttlMs?: number;
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
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
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
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
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
 * Which children are listed.
 *
 * @example
 * ```ts
 * import { Agent, type KvChildrenOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const behind: KvChildrenOptions = { after: "a" };
 * for await (const name of agent.kv.children("^app", behind)) console.log(name);
 * ```
 */
export interface KvChildrenOptions extends KvGetOptions {
  /** Only what follows this one. */
  readonly after?: string;
  /** How many are asked for at a time, at most 10,000. Default 1,000. */
  readonly pageSize?: number;
}

/**
 * Which keys are listed.
 *
 * @example
 * ```ts
 * import { Agent, type KvKeysOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const flat: KvKeysOptions = { depth: 1 };
 * for await (const key of agent.kv.keys("^app", flat)) console.log(key);
 * ```
 */
export interface KvKeysOptions extends KvChildrenOptions {
  /** How many levels below, at most 16. Default: all. */
  readonly depth?: number;
}
