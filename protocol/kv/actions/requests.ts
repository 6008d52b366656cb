/**
 * The members of the requests, by action.
 *
 * @module
 */

/** A key as requests have it: the text of a path, or its segments. */
export type RequestKey = string | readonly string[];

/** How fresh an answer has to be. */
type Freshness = "linearizable" | "lease" | "stale";

/** What all actions about one node have. */
export interface TargetRequest {
  readonly key: RequestKey;
  readonly namespace?: string;
}

/** How long a value is to live: at most one of them. */
export interface LifeRequest {
  /** Seconds, which may have a fraction. */
  readonly ttl?: number;
  /** Milliseconds. */
  readonly ttl_ms?: number;
}

/** SET. */
export interface SetRequest extends TargetRequest, LifeRequest {
  /** Any value of JSON. */
  readonly value: unknown;
  /** As long as the value before. */
  readonly keep_ttl?: boolean;
  readonly nx?: boolean;
  readonly xx?: boolean;
  readonly if_rev?: number;
  readonly get?: boolean;
}

/** GET and EXISTS. */
export interface ReadRequest extends TargetRequest {
  readonly consistency?: Freshness;
}

/** KEYS. */
export interface KeysRequest {
  readonly prefix?: RequestKey;
  readonly namespace?: string;
  /** A path, as answers tell it. */
  readonly after?: RequestKey;
  readonly limit?: number;
  readonly depth?: number;
  readonly values?: boolean;
  readonly consistency?: Freshness;
}

/** CHILDREN. */
export interface ChildrenRequest {
  readonly key?: RequestKey;
  readonly namespace?: string;
  /** A name, as answers tell it. */
  readonly after?: string;
  readonly limit?: number;
  readonly consistency?: Freshness;
}

/** DEL. */
export interface DeleteRequest extends TargetRequest {
  readonly if_rev?: number;
  readonly tree?: boolean;
  readonly if_exists?: boolean;
}

/** INCR and DECR. */
export interface IncrementRequest extends TargetRequest, LifeRequest {
  readonly by?: number;
}

/** WATCH. */
export interface WatchNodeRequest {
  readonly key: RequestKey;
  readonly namespace?: string | undefined;
  readonly tree?: boolean | undefined;
  readonly initial?: boolean | undefined;
  readonly old?: boolean | undefined;
  /** Changes from this revision on; not with `initial`. */
  readonly from_rev?: number | undefined;
  /** All changes of one revision together. */
  readonly coalesce?: boolean | undefined;
}

/** UNWATCH. */
export interface UnwatchRequest {
  /** The number that WATCH told. */
  readonly watch: number;
}

/** SUBSCRIBE and UNSUBSCRIBE. */
export interface ChannelsRequest {
  readonly channel?: RequestKey;
  readonly channels?: readonly RequestKey[];
}

/** PUBLISH. */
export interface PublishRequest {
  readonly channel: RequestKey;
  /** Any value of JSON. */
  readonly message: unknown;
}

/** EXPIRE. */
export interface ExpireRequest extends TargetRequest, LifeRequest {}

/** MGET. */
export interface GetManyRequest {
  readonly keys: readonly RequestKey[];
  readonly namespace?: string;
  readonly consistency?: Freshness;
}

/** MSET. */
export interface SetManyRequest {
  readonly items: readonly SetItemRequest[];
  readonly namespace?: string;
}

/** One item of MSET. */
export interface SetItemRequest extends LifeRequest {
  readonly key: RequestKey;
  /** Any value of JSON. */
  readonly value: unknown;
}

/** PING and ECHO. */
export interface ValueRequest {
  readonly value?: unknown;
}

/** HELLO. */
export interface HelloRequest {
  readonly client?: string;
  readonly strict?: boolean;
  readonly version?: number;
}

/** AUTH: a token, or a user and a password. */
export interface AuthRequest {
  readonly token?: string;
  readonly user?: string;
  readonly password?: string;
}

/** USE. */
export interface UseRequest {
  readonly namespace: string;
}

/** INFO. */
export interface InfoRequest {
  readonly section?: string;
}

/** SESSION. */
export interface SessionRequest {
  readonly op: "create" | "continue" | "close" | "ack";
  /** Of `continue`. */
  readonly session?: string;
  /** Of `create`. */
  readonly capabilities?: Readonly<Record<string, string>>;
  /** Of `ack`. */
  readonly ack?: number;
}

/** What any request has that is executed once. */
export interface OnceMembers {
  readonly rid?: number;
  readonly low?: number;
}

/** DISPATCH. */
export interface DispatchRequest {
  readonly capability: string;
  /** Its value; any without it. */
  readonly value?: string;
  /** Any value of JSON. */
  readonly payload: unknown;
}
