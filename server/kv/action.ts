/**
 * What the actions of the key-value port are made of.
 *
 * @module
 */

import type { Failure, Result } from "../../cluster/machine/mod.ts";
import type { Interest, Subscriber } from "../../cluster/pubsub/mod.ts";
import type { Watcher } from "../../cluster/watch/mod.ts";
import type { ActionMembers, LineWriter, Members } from "../../protocol/kv/mod.ts";
import type { Peer } from "../net/conversation.ts";
import type { Entry } from "./access/entries.ts";
import type { Listing } from "./listing.ts";
import type { Services } from "./services.ts";

/** What is remembered of one connection. */
export interface ClientState {
  /** Whether members that an action does not have are refused. */
  strict: boolean;
  /** Namespace of keys that name none; "" for the one that all connections begin with. */
  use: string;
  /** Who it is, on a port where that matters. */
  entry?: Entry;
  /** Who it was before, or is: what it hears may be by the rights of any of them. */
  readonly shown: Set<Entry>;
  /** How often it has failed to show who it is. */
  failures: number;
  /** Who it is for others: its entry, the name that it gave itself where nobody has one, or its address. */
  name: string;
  /** What it has subscribed to. */
  readonly subscriber: Subscriber;
}

/** A node that a request names. */
export interface NamedNode {
  readonly path: Uint8Array;
  /** Whether it may be changed, or is only looked at. */
  readonly touch: "reads" | "changes";
}

/** A command or a question about several nodes. */
export interface Several {
  readonly kind: "command" | "question";
  readonly bytes: Uint8Array;
  /** All nodes that it is about. */
  readonly nodes: readonly NamedNode[];
  /** Most bytes of what a command tells, when that may be much more than it takes itself. Default: it is not. */
  readonly mostTold?: number;
}

/** How an action is done with a request whose members are right. */
export type Doing =
  /** By a command. */
  | {
    readonly kind: "command";
    /** Its bytes, or why there is none. */
    readonly make: (path: Uint8Array, request: Members) => Uint8Array | Failure;
    /** Whether it may change other nodes than the one it names. */
    readonly isBroad: (request: Members) => boolean;
  }
  /** By a question. */
  | {
    readonly kind: "question";
    /** Its bytes. */
    readonly make: (path: Uint8Array) => Uint8Array;
    /** Whether it is about other nodes than the one it names. */
    readonly isBroad: (request: Members) => boolean;
  }
  /** By one command or question about several nodes. */
  | {
    readonly kind: "several";
    /** It, or why there is none. */
    readonly make: (request: Members, use: string) => Several | Failure;
  }
  /** By as many questions as it takes. */
  | {
    readonly kind: "listing";
    /** What is listed, or what is wrong with the request. */
    readonly make: (request: Members, use: string) => Listing | Failure;
  }
  /** By the channels of this agent, once all before it is answered. */
  | {
    readonly kind: "channels";
    /** The channels and patterns that it names, or what is wrong with the request. */
    readonly make: (request: Members) => readonly Interest[] | Failure;
    readonly run: (
      interests: readonly Interest[],
      request: Members,
      services: Services,
      client: ClientState,
    ) => Result;
  }
  /** By the watches of the client, once all before it is answered. */
  | {
    readonly kind: "watches";
    /** What is to be done with them, or what is wrong with the request. */
    readonly make: (
      request: Members,
      use: string,
    ) => ((watcher: Watcher, services: Services) => Result | Promise<Result>) | Failure;
  }
  /** By the session of the client, once all before it is answered. */
  | { readonly kind: "session" }
  /** Here and now. */
  | {
    readonly kind: "local";
    readonly run: (request: Members, services: Services, client: ClientState) => Result;
    /** Whether the connection ends with it. Default: it goes on. */
    readonly last?: boolean;
  }
  /** Here, but not at once; nothing else of the connection is taken before it is done. */
  | {
    readonly kind: "awaited";
    readonly run: (
      request: Members,
      services: Services,
      client: ClientState,
      peer: Peer<LineWriter>,
    ) => Promise<Result>;
    /** Whether the connection ends with it, after it is done. */
    readonly isLast: (client: ClientState) => boolean;
  };

/** One row of the table of actions. */
export interface Action {
  /** Its name. */
  readonly name: string;
  /** Its members. */
  readonly members: ActionMembers;
  /** What it does. */
  readonly doing: Doing;
  /** Whether a success tells a revision. */
  readonly tellsRevision: boolean;
}

const encoder = new TextEncoder();

/** A success whose result is any value that JSON has. */
export function successOf(result: unknown): Result {
  return { ok: true, rev: 0, body: encoder.encode(JSON.stringify(result)) };
}
