/**
 * What a client knows of its session.
 *
 * @module
 */

import type { Capability } from "../../../protocol/sessions/mod.ts";
import type { Call, Chance, Effect, SessionEvent } from "./inputs.ts";

/** How far a client is. Without a session it is disconnected: it has not been told to connect, or it is over. */
export type Phase = "disconnected" | "connecting-new" | "connecting-existing" | "connected";

/** What does not change. Times are milliseconds. */
export interface Settings {
  /** `host:port` of servers, in the order in which they are tried. */
  readonly addresses: readonly string[];
  readonly capabilities: readonly Capability[];
  /** The session of another client, which is gone on with. */
  readonly resume: string | undefined;
  readonly token: string | undefined;
  /** Whether a new session follows one that has expired. */
  readonly renew: boolean;
  /** How long one server is given. */
  readonly attemptMs: number;
  readonly keepAliveMs: number;
  readonly resendMs: number;
}

/** The calls of a program that are not answered. */
export interface Calls {
  /** Never sent, in the order in which they were made. */
  readonly queue: Set<Call>;
  /** Commands that were sent, by request id, which ascends. */
  readonly commands: Map<number, Call>;
  /** Queries that were sent, by correlation id. */
  readonly queries: Map<string, Call>;
  /** Bytes of the payloads of all of them. */
  bytes: number;
  /** The highest request id that was executed before those of this client, from `firstId` on; 0 in a session of its own. */
  highestBefore: number;
  firstId: number;
  /** The request id of the next command. */
  nextId: number;
  /** No command below waits. */
  lowest: number;
  /** Number of the next query. */
  nextQuery: number;
}

/** The way to a server. */
export interface Link {
  /** When the server is given up that is being asked for the session. */
  until: number;
  /** When the next one is asked. */
  dialAt: number;
  /** Which address that is. */
  turn: number;
  /** Where it was asked last. */
  address: string;
  /** Tells answers apart; 0 before the first attempt, and after each that was answered. */
  nonce: bigint;
  /** Attempts that failed, one after the other. */
  failures: number;
  /** Why the last one did. */
  reason: Error | undefined;
  /** Hints that were followed, one after the other. */
  redirects: number;
  /** The session is continued, and what is known of it is yet to come. */
  isContinued: boolean;
  connectedAt: number;
  heardAt: number;
  /** When a sign of life was asked for, of which nothing was heard yet. */
  askedAt: number;
  keepAliveAt: number;
  keepAliveMs: number;
}

/** All of it. */
export interface State {
  readonly settings: Settings;
  phase: Phase;
  /** Whether nothing follows. */
  isOver: boolean;
  /** Why calls are refused then. */
  end: Error | undefined;
  sessionId: string | undefined;
  /** Whether ids are still those of nobody: the session is another client's, whose last ones have to be learnt. */
  mustLearn: boolean;
  readonly calls: Calls;
  readonly link: Link;
  /** Addresses by the ids of servers, as servers tell them. */
  members: ReadonlyMap<string, string>;
  leader: string | undefined;
  /** The last server request that was delivered, the last that was acknowledged, and how many the program has not read. */
  delivered: number;
  acknowledged: number;
  unread: number;
  /** The jobs among the delivered ones that are not done, in their order. */
  readonly undone: Set<number>;
}

/** One step: what is known, when it is, and what is to be done. */
export interface Turn {
  readonly state: State;
  /** Milliseconds since 1970, by a clock that does not run back. */
  readonly now: number;
  readonly chance: Chance;
  readonly effects: Effect[];
}

/** A client that has not been told to connect. */
export function newState(settings: Settings): State {
  return {
    settings,
    phase: "disconnected",
    isOver: false,
    end: undefined,
    sessionId: settings.resume,
    mustLearn: settings.resume !== undefined,
    calls: {
      queue: new Set(),
      commands: new Map(),
      queries: new Map(),
      bytes: 0,
      highestBefore: 0,
      firstId: 1,
      nextId: 1,
      lowest: 1,
      nextQuery: 1,
    },
    link: {
      until: Infinity,
      dialAt: Infinity,
      turn: 0,
      address: "",
      nonce: 0n,
      failures: 0,
      reason: undefined,
      redirects: 0,
      isContinued: false,
      connectedAt: 0,
      heardAt: 0,
      askedAt: Infinity,
      keepAliveAt: Infinity,
      keepAliveMs: settings.keepAliveMs,
    },
    members: new Map(),
    leader: undefined,
    delivered: 0,
    acknowledged: 0,
    unread: 0,
    undone: new Set(),
  };
}

/** Has the program told. */
export function tell({ effects }: Turn, event: SessionEvent): void {
  effects.push({ type: "tell", event });
}

/** `ms`, a quarter more or less by chance. */
export function about({ chance }: Turn, ms: number): number {
  return ms * (0.75 + chance.float() / 2);
}
