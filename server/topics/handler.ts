/**
 * How a kind of request is done.
 *
 * @module
 */

import type { Failure } from "../../cluster/machine/mod.ts";
import { CODE, type Replies, type RequestKind, type RequestOf } from "../../protocol/topics/mod.ts";
import type { Deed } from "../kv/access/rights.ts";
import { type Refusal, refusal, refusalOf } from "./refusals.ts";
import type { RequestServices } from "./services.ts";

/** What has come of a request. */
export type Outcome<K extends RequestKind> =
  | {
    readonly ok: true;
    readonly reply: Replies[K];
    /** What the messages of the reply stand in, from {@linkcode FETCHED_AT} on: the frame has room around them. */
    readonly buffer?: Uint8Array<ArrayBuffer>;
  }
  | Refusal;

/** Who has sent it. */
export interface Client {
  /** Whether it may do something to a topic. */
  may(deed: Deed, topic: string): boolean;
  /** Does some work when the client has read so much that there is room for what comes of it, one after the other. */
  inTurn<T>(work: () => Promise<T>): Promise<T>;
  /** Whether the connection is gone, so that nobody hears of an answer. */
  readonly isGone: boolean;
  /** Calls `over` when nobody waits for an answer any longer; what is returned takes it back. */
  whenOver(over: () => void): () => void;
}

/** Does a request. What has to keep its place among the requests of its connection is handed on before anything is awaited. */
export type Handler<K extends RequestKind> = (
  services: RequestServices,
  request: RequestOf<K>,
  client: Client,
) => Outcome<K> | Promise<Outcome<K>>;

/** The body of what came of a command, or of the answer to a question, at this server as the leader; or why there is none. */
export function ask(
  { state, cluster, requestLimitMs }: RequestServices,
  kind: "command" | "question",
  bytes: Uint8Array,
  timeoutMs: number = requestLimitMs,
): Promise<{ readonly ok: true; readonly body: Uint8Array } | Refusal> {
  return new Promise((resolve) => {
    state.askHere(kind, bytes, timeoutMs, (result) => {
      resolve(result?.ok ? result : refusalOf(result as Failure | undefined, cluster));
    });
  });
}

/**
 * Does what may have a long answer when the client has read the ones before, so that one of a client is in memory, and none while
 * too much waits for all clients.
 */
export async function listed<K extends RequestKind>(
  { waiting }: RequestServices,
  client: Client,
  list: () => Promise<Outcome<K>>,
): Promise<Outcome<K>> {
  return await client.inTurn(async () => {
    return waiting.isFull || client.isGone
      ? refusal(CODE.OVERLOADED, "Too many answers wait to be read")
      : await list();
  });
}

/** That something was done. */
export function done<R>(reply: R): { readonly ok: true; readonly reply: R } {
  return { ok: true, reply };
}
