/**
 * Requests about topics that the program around an agent has done, without a port.
 *
 * @module
 */

import { OutcomeUnknownError } from "../../../protocol/kv/errors.ts";
import {
  CODE,
  FLAG,
  type Replies,
  type RequestKind,
  type Requests,
  TopicError,
  VERSION,
} from "../../../protocol/topics/mod.ts";
import { Lanes } from "../../files/lanes.ts";
import { SharedBacklog } from "../../net/outbox.ts";
import { HANDLERS } from "../dispatch.ts";
import { Buffers } from "../buffers.ts";
import type { Client, Handler } from "../handler.ts";
import { Packing } from "../packing.ts";
import type { RequestServices } from "../services.ts";

/** How long a request may take, in milliseconds. */
export const TIMEOUT_MS = 30_000;

/** What a server has of topics. */
export type LocalParts = Pick<RequestServices, "state" | "messages" | "cluster" | "autoCreate">;

/** How a request is done. */
export interface LocalAsk {
  /** Milliseconds that it may take. */
  readonly timeoutMs?: number | undefined;
  /** Whether what this server has is enough, although it may be behind. */
  readonly fromHere?: boolean;
  /** Ends waiting for messages. */
  readonly signal?: AbortSignal | undefined;
}

type LocalKind = Exclude<RequestKind, "hello" | "healthCheck">;

/** What only reads, or does no harm: nothing is open when its answer is lost. */
const HARMLESS: ReadonlySet<LocalKind> = new Set<LocalKind>([
  "fetch",
  "getOffset",
  "listTopics",
  "describeTopic",
  "fetchOffsets",
  "initProducer",
  "metadata",
  "describeGroup",
  "listGroups",
]);

/** Has requests done, by this server or by the one that leads. */
export class LocalRequests {
  /** What people know this server by. */
  readonly name: string;
  readonly #services: RequestServices;

  /** Asks `parts`. */
  constructor(parts: LocalParts) {
    this.name = parts.cluster.name;
    this.#services = {
      ...parts,
      requestLimitMs: TIMEOUT_MS,
      // What a program asks for is in its own memory, and waits for nobody.
      waiting: new SharedBacklog(Infinity),
      // What it gets it keeps.
      buffers: new Buffers(0),
      scarce: new Lanes(),
      packing: new Packing(),
      startedAt: performance.now(),
    };
  }

  /**
   * Has a request done.
   *
   * Rejects with a `TopicError`, or with an `OutcomeUnknownError` when it changes something and may have been done.
   */
  async ask<K extends LocalKind>(
    kind: K,
    body: Requests[K],
    { timeoutMs = TIMEOUT_MS, fromHere = false, signal }: LocalAsk = {},
  ): Promise<Replies[K]> {
    const handle = HANDLERS[kind] as unknown as Handler<K>;
    const flags = fromHere ? FLAG.anyServer : 0;
    const request = { kind, id: 0, version: VERSION.second, flags, body };
    const services = { ...this.#services, requestLimitMs: timeoutMs };
    const client = signal === undefined ? PROGRAM : { ...PROGRAM, whenOver: whenOver(signal) };
    const outcome = await handle(services, request, client);
    if (outcome.ok) return outcome.reply;
    const { code, message } = outcome;
    const error = new TopicError(code, code === CODE.NOT_LEADER ? "There is no leader" : message);
    if (code !== CODE.REQUEST_TIMEOUT || HARMLESS.has(kind)) throw error;
    throw lost(error);
  }
}

/** Whether it is not known if a request was done. */
export function isOpen(error: unknown): boolean {
  return error instanceof OutcomeUnknownError;
}

/** What became of it is not known. */
export function lost(cause: unknown): OutcomeUnknownError {
  return new OutcomeUnknownError({ ok: false, code: 504, reason: "OUTCOME_UNKNOWN" }, { cause });
}

/** The program around the agent may do everything, and takes what it asks for. */
const PROGRAM: Client = {
  may: () => true,
  inTurn: (work) => work(),
  whenOver: () => () => {},
  isGone: false,
};

function whenOver(signal: AbortSignal): Client["whenOver"] {
  return (over) => {
    if (signal.aborted) over();
    signal.addEventListener("abort", over);
    return () => signal.removeEventListener("abort", over);
  };
}
