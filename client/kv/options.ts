/**
 * What a program gives to a key-value client and its calls.
 *
 * @module
 */

import {
  kindOf,
  type OptionKinds,
  requireArgument,
  requireOptions,
} from "../../protocol/arguments.ts";
import type { KvKey } from "../../protocol/kv/values.ts";
import type { CallOptions } from "../net/deadline.ts";
import type { TlsOptions } from "../net/dial.ts";
import { checkReconnectOptions, type ReconnectOptions } from "../net/reconnect.ts";

/**
 * Where and how to connect.
 *
 * @example
 * ```ts
 * import { KvClient, type KvConnectOptions } from "@skein/agent/client";
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const options: KvConnectOptions = { address: agent.state?.addresses.kvAddr ?? "", reconnect: true };
 * await using client = await KvClient.connect(options);
 * await client.set("a", 1);
 * ```
 */
export interface KvConnectOptions {
  /**
   * The agent's key-value address, `host:port`; several with commas between, which are tried in turn,
   * the next one when one has failed or said nothing for half a second. Default "127.0.0.1:8379".
   */
  readonly address?: string;
  /** What the agent is told who connects. Default: nothing. */
  readonly name?: string;
  /** Token that the agent is shown, after each connect. Default: none. */
  readonly token?: string;
  /** User whose password the agent is shown, in place of a token. Default: none. */
  readonly user?: string;
  /** Password of `user`. */
  readonly password?: string;
  /** Whether and how connections are encrypted. Default false. */
  readonly tls?: boolean | TlsOptions;
  /** Milliseconds to wait for the connection, and for each answer. Default 10,000. */
  readonly timeoutMs?: number;
  /** Gives the first connection up. */
  readonly signal?: AbortSignal;
  /**
   * Whether and how to connect again after the connection has dropped. Calls under way reject all the same, since the agent may
   * have carried them out. Default false.
   */
  readonly reconnect?: boolean | ReconnectOptions;
}

/**
 * What all calls about a key may say.
 *
 * @example
 * ```ts
 * import { KvClient, type KvCallOptions } from "@skein/agent/client";
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const options: KvCallOptions = { namespace: "app", timeoutMs: 1_000 };
 * await using client = await KvClient.connect({ address: agent.state?.addresses.kvAddr ?? "" });
 * console.log(await client.increment("visits", 1, options));
 * ```
 */
export interface KvCallOptions extends CallOptions {
  /** Namespace of a key that names none. Default: `global`. */
  readonly namespace?: string;
}

/**
 * When a value is set.
 *
 * @example
 * ```ts
 * import { KvClient, type KvSetCallOptions } from "@skein/agent/client";
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const options: KvSetCallOptions = { nx: true };
 * await using client = await KvClient.connect({ address: agent.state?.addresses.kvAddr ?? "" });
 * await client.set("first", "me", options);
 * ```
 */
export interface KvSetCallOptions extends KvCallOptions {
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
 * import { KvClient, type KvIncrementCallOptions } from "@skein/agent/client";
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const options: KvIncrementCallOptions = { ttlMs: 60_000 };
 * await using client = await KvClient.connect({ address: agent.state?.addresses.kvAddr ?? "" });
 * console.log(await client.increment("visits", 1, options));
 * ```
 */
export interface KvIncrementCallOptions extends KvCallOptions {
  /** The sum goes by itself so many milliseconds later. Default: when the value before was to go. */
  readonly ttlMs?: number;
}

/**
 * Who may get a job.
 *
 * @example
 * ```ts
 * import { type KvClient, type KvDispatchCallOptions } from "@skein/agent/client";
 *
 * const gpu: KvDispatchCallOptions = { value: "gpu" };
 * const resize = (client: KvClient): Promise<number> => client.dispatch("resize", { image: 3 }, gpu);
 * console.log(resize.name);
 * ```
 */
export interface KvDispatchCallOptions extends CallOptions {
  /** The value that the capability has to have. Default: any. */
  readonly value?: string;
}

/**
 * When and what is deleted.
 *
 * @example
 * ```ts
 * import { KvClient, type KvDeleteCallOptions } from "@skein/agent/client";
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const options: KvDeleteCallOptions = { tree: true };
 * await using client = await KvClient.connect({ address: agent.state?.addresses.kvAddr ?? "" });
 * console.log(await client.delete("^app", options));
 * ```
 */
export interface KvDeleteCallOptions extends KvCallOptions {
  /** Everything below the key, too. */
  readonly tree?: boolean;
  /** Only if the last change of the key has this revision. */
  readonly ifRev?: number;
}

/**
 * How fresh an answer has to be.
 *
 * @example
 * ```ts
 * import { KvClient, type KvGetCallOptions } from "@skein/agent/client";
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const options: KvGetCallOptions = { consistency: "stale" };
 * await using client = await KvClient.connect({ address: agent.state?.addresses.kvAddr ?? "" });
 * console.log(await client.get("a", options));
 * ```
 */
export interface KvGetCallOptions extends KvCallOptions {
  /**
   * Default `linearizable`: all that was acknowledged before. `lease`: the same as long as no clock runs away. `stale`: whatever
   * the agent has.
   */
  readonly consistency?: "linearizable" | "lease" | "stale";
}

/**
 * Which children are listed.
 *
 * @example
 * ```ts
 * import { KvClient, type KvChildrenCallOptions } from "@skein/agent/client";
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const options: KvChildrenCallOptions = { after: "a" };
 * await using client = await KvClient.connect({ address: agent.state?.addresses.kvAddr ?? "" });
 * for await (const name of client.children("^app", options)) console.log(name);
 * ```
 */
export interface KvChildrenCallOptions extends KvGetCallOptions {
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
 * import { KvClient, type KvKeysCallOptions } from "@skein/agent/client";
 * import { Agent } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const options: KvKeysCallOptions = { depth: 1 };
 * await using client = await KvClient.connect({ address: agent.state?.addresses.kvAddr ?? "" });
 * for await (const key of client.keys("^app", options)) console.log(key);
 * ```
 */
export interface KvKeysCallOptions extends KvChildrenCallOptions {
  /** How many levels below, at most 16. Default: all. */
  readonly depth?: number;
}

const CALL: OptionKinds = { signal: "signal", timeoutMs: "number" };
const CONNECT: OptionKinds = {
  ...CALL,
  address: "text",
  name: "text",
  token: "secret",
  user: "text",
  password: "secret",
  tls: "any",
  reconnect: "any",
};
const KEYED: OptionKinds = { ...CALL, namespace: "text" };
const LISTING: OptionKinds = { ...KEYED, consistency: "text", after: "text", pageSize: "number" };

/** The kinds of the options of each call. */
const KINDS = {
  ping: CALL,
  get: { ...KEYED, consistency: "text" },
  exists: { ...KEYED, consistency: "text" },
  ttl: { ...KEYED, consistency: "text" },
  getMany: { ...KEYED, consistency: "text" },
  set: {
    ...KEYED,
    nx: "switch",
    xx: "switch",
    ifRev: "number",
    ttlMs: "number",
    keepTtl: "switch",
  },
  setMany: KEYED,
  delete: { ...KEYED, tree: "switch", ifRev: "number" },
  increment: { ...KEYED, ttlMs: "number" },
  expire: KEYED,
  persist: KEYED,
  transaction: KEYED,
  keys: { ...LISTING, depth: "number" },
  entries: { ...LISTING, depth: "number" },
  children: LISTING,
  lock: { signal: "signal", ttlMs: "number", waitMs: "number", name: "text", renew: "switch" },
  publish: CALL,
  dispatch: { ...CALL, value: "text" },
  subscribe: { ...CALL, bufferSize: "number" },
  watch: {
    signal: "signal",
    namespace: "text",
    tree: "switch",
    initial: "switch",
    old: "switch",
    fromRev: "number",
    bufferSize: "number",
  },
} as const satisfies Readonly<Record<string, OptionKinds>>;

/**
 * Checks the options of a call, for programs whose compiler does not.
 *
 * @throws {TypeError} when one is unknown or of a wrong type
 */
export function checkCallOptions(call: keyof typeof KINDS, options: CallOptions): void {
  requireOptions(call, options, KINDS[call]);
}

/**
 * Checks a key.
 *
 * @throws {TypeError} when it is neither a text nor a list of texts
 */
export function checkKey(key: KvKey): void {
  if (typeof key === "string") return;
  if (Array.isArray(key)) return requireArgument("key", key, "list");
  throw new TypeError(`Invalid key: expected a string or an array of strings, got ${kindOf(key)}`);
}

/**
 * Checks the options of a client.
 *
 * @throws {TypeError} when one is unknown or of a wrong type
 */
export function checkKvConnectOptions(options: KvConnectOptions): void {
  requireArgument("options of connect", options, "object");
  const { reconnect = false, tls = false } = options;
  requireOptions("connect", options, CONNECT);
  checkReconnectOptions(reconnect);
  if (typeof tls !== "boolean") {
    requireOptions("tls", tls, { caCerts: "list", serverName: "text" });
  }
  const { token, user, password } = options;
  if (token !== undefined && user !== undefined) {
    throw new TypeError("Invalid options of connect: expected a token or a user, got both");
  }
  if ((user === undefined) !== (password === undefined)) {
    throw new TypeError("Invalid options of connect: expected a user and a password, got one");
  }
}
