/**
 * Keys, values and what is known of them, as programs see them.
 *
 * @module
 */

/**
 * A value of JSON.
 *
 * @example
 * ```ts
 * import type { KvValue } from "@skein/agent";
 *
 * const value: KvValue = { name: "a", ports: [80, 443], note: null };
 * console.log(value);
 * ```
 */
export type KvValue =
  | string
  | number
  | boolean
  | null
  | readonly KvValue[]
  | { readonly [name: string]: KvValue };

/**
 * A key: a text as clients write it, with `^` between its segments, or the segments from the root on.
 *
 * @example
 * ```ts
 * import type { KvKey } from "@skein/agent";
 *
 * const same: KvKey[] = ["app^users^42", ["app", "users", "42"]];
 * console.log(same);
 * ```
 */
export type KvKey = string | readonly string[];

/**
 * A value and when it was set.
 *
 * @example
 * ```ts
 * import { Agent, type KvEntry } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await agent.kv.set("a", 1);
 * const entry: KvEntry | undefined = await agent.kv.get("a");
 * console.log(entry?.rev);
 * ```
 */
export interface KvEntry {
  /** The value. */
  readonly value: KvValue;
  /** Revision of its last change. */
  readonly rev: number;
  /** Milliseconds until it goes by itself; without it, it stays. Listings do not tell. */
  readonly ttlMs?: number;
}

/**
 * Whether there is something at a key, and below it.
 *
 * @example
 * ```ts
 * import { Agent, type KvExistence } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await agent.kv.set("app^a", 1);
 * const found: KvExistence = await agent.kv.exists("^app");
 * console.log(found); // { value: false, children: true }
 * ```
 */
export interface KvExistence {
  /** Whether it has a value. */
  readonly value: boolean;
  /** Whether there are keys below it. */
  readonly children: boolean;
}

/**
 * A key with its value and when it was set.
 *
 * @example
 * ```ts
 * import { Agent, type KvItem } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await agent.kv.set("app^a", 1);
 * const items: KvItem[] = await Array.fromAsync(agent.kv.entries("^app"));
 * console.log(items); // [{ key: "app^a", value: 1, rev: 1 }]
 * ```
 */
export interface KvItem extends KvEntry {
  /** The path from the root on. */
  readonly key: string;
}

/**
 * A value for one of many keys.
 *
 * @example
 * ```ts
 * import { Agent, type KvSetItem } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const items: KvSetItem[] = [{ key: "a", value: 1 }, { key: "b", value: 2, ttlMs: 60_000 }];
 * await agent.kv.setMany(items);
 * console.log(await agent.kv.getMany(["a", "b", "c"])); // [1, 2, null]
 * ```
 */
export interface KvSetItem {
  /** The key. */
  readonly key: KvKey;
  /** Its value. */
  readonly value: KvValue;
  /** It goes by itself so many milliseconds later, up to ten years. Default: it stays. */
  readonly ttlMs?: number;
}

/**
 * A message of a channel.
 *
 * @example
 * ```ts
 * import { Agent, type KvMessage } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * using news = agent.kv.subscribe("news^*");
 * agent.kv.publish("news^weather", "sun");
 * for await (const message of news) {
 *   const { channel, from, seq, pattern }: KvMessage = message;
 *   console.log(channel, message.message, from, seq, pattern);
 *   break;
 * }
 * ```
 */
export interface KvMessage {
  /** The channel it was published to. */
  readonly channel: string;
  /** What was published. */
  readonly message: KvValue;
  /** Who has published it: the name that a client gave itself, or its address, or the name of an agent. */
  readonly from: string;
  /** Name of the agent where it was published, which numbers what is published there. */
  readonly node: string;
  /**
   * Its number among those of this channel that were published at that agent: where one is missing, a message is. The numbers
   * begin again when the agent does.
   */
  readonly seq: number;
  /** The pattern that it came for; `undefined` when it came for the channel itself. */
  readonly pattern?: string;
}

/**
 * What a watch tells: a change of a node's value, or, with `initial`, a value that is there already; `synced` after the last of
 * those. Changes of values that were told may come between them.
 *
 * @example
 * ```ts
 * import { Agent, type KvChange } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * await using changes = agent.kv.watch("a");
 * await agent.kv.set("a", 1);
 * const shown = (change: KvChange) => change.kind === "set" ? change.value : change.kind;
 * for await (const change of changes) {
 *   console.log(shown(change), change.rev); // 1 1
 *   break;
 * }
 * ```
 */
export type KvChange =
  | {
    /** The value was set. */
    readonly kind: "set";
    /** The path of the node. */
    readonly key: string;
    /** The value. */
    readonly value: KvValue;
    /** Whether there was none before; not told of what is there already. */
    readonly created?: boolean;
    /** It is there already. */
    readonly initial?: true;
    /** The value before, if there was one and the watch was to tell it. */
    readonly old?: KvValue;
    /** Revision of the change. */
    readonly rev: number;
    /** Another change of the same revision follows. */
    readonly more?: true;
  }
  | {
    /** It was deleted, or has expired. */
    readonly kind: "del" | "expire";
    readonly key: string;
    readonly old?: KvValue;
    readonly rev: number;
    readonly more?: true;
  }
  | {
    /** All that was there is told. */
    readonly kind: "synced";
    readonly rev: number;
  };

/**
 * What a watch is about.
 *
 * @example
 * ```ts
 * import { Agent, type KvWatchOptions } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const options: KvWatchOptions = { tree: true, initial: true };
 * for await (const { kind } of agent.kv.watch("^app", options)) {
 *   if (kind === "synced") break;
 * }
 * ```
 */
export interface KvWatchOptions {
  /** Namespace of a key that names none. Default: `global`. */
  readonly namespace?: string;
  /** All below the key, too. `^` is all there is. */
  readonly tree?: boolean;
  /** First what is there already, with the changes of what was told meanwhile. */
  readonly initial?: boolean;
  /** The values before, too. */
  readonly old?: boolean;
  /** Changes from this revision on, as far as they are kept. Not with `initial`. */
  readonly fromRev?: number;
  /** Changes that wait to be read; no more are asked for meanwhile. Of a client, beside what is there at first. Default 1,024. */
  readonly bufferSize?: number;
  /** Ends it; reading then throws the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * The changes of a watch, in order, none missing and none twice. One reader; leaving the loop ends it.
 *
 * Reading throws a `RevisionGoneError` when it cannot go on without a gap.
 *
 * @example
 * ```ts
 * import { Agent, type KvWatch } from "@skein/agent";
 *
 * await using agent = await Agent.start({
 *   dev: true,
 *   bind: "127.0.0.1:0",
 *   peerAddr: "127.0.0.1:0",
 *   kvAddr: "127.0.0.1:0",
 *   sessionAddr: "127.0.0.1:0",
 *   topicsAddr: "127.0.0.1:0",
 * });
 * const watch: KvWatch = agent.kv.watch("a");
 * await watch.stop();
 * ```
 */
export interface KvWatch extends AsyncIterable<KvChange>, AsyncDisposable {
  /** Ends it. Safe to call again. */
  stop(): Promise<void>;
}
