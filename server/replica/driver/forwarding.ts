/**
 * Requests that another server leads: on to it and back, many in one message.
 *
 *     message: { u8 kind, with 0x80 for a lease | u32 time left, in ms | u32 length | bytes } ...
 *     answer:  { u32 length | encoded result, none when it was not taken on } ...      in the same order
 *
 * One message is under way at a time. So what a client sends one after the other is done in that order, also when a message
 * could not be sent and has to go again, and while one is under way the next one gathers.
 *
 * @module
 */

import { decodeResult, encodeResult, type Result } from "../../../cluster/machine/mod.ts";
import type { Clock, Timer } from "../../../cluster/runtime.ts";
import { concatBytes, getU32, putU32 } from "../../../protocol/bytes.ts";
import { type Asker, NO_LEADER, OUTCOME_UNKNOWN } from "../service.ts";
import { type PeerNet, UnsentError } from "./parts.ts";
import { type Request, type RequestQueue, Shares } from "./requests.ts";

/** Bytes of the answers in one message, but for one more. */
const ANSWER_BYTES = 8 * 1024 * 1024;

/** The same of answers to questions: those that have no room are sent again, and whoever has come meanwhile need not wait long. */
const READ_BYTES = 1024 * 1024;

/** Requests, and bytes of them, in one message. */
export const FORWARD_LIMIT = { count: 1_024, bytes: 8 * 1024 * 1024 } as const;

/** Answers up to this have room in any case, as many as there may be. */
const MAX_SHORT_BYTES = 1_024;

const HEAD_BYTES = 9;
const QUESTION = 1;
const LEASE = 0x80;
/** Longest time that may be left, in milliseconds. */
const MAX_TIME_MS = 3_600_000;
/** So much longer than its last request a message is waited for, so that the leader's own answer comes first. */
const GRACE_MS = 250;

/**
 * Pause after requests that were not taken on, in milliseconds. Where the leader is, or who, is known no better in the same turn,
 * and trying for ever in one turn would keep the news from coming.
 */
const AGAIN_MS = 20;

/**
 * So long a message to a former leader is waited for by who leads now, in milliseconds: most are sent back at once, and one that
 * hangs is not to keep others.
 */
const FORMER_MS = 1_000;

/** The bytes are no message of requests. */
export class ForwardError extends Error {
  /** "ForwardError". */
  override readonly name = "ForwardError";
}

/** What the forwarding needs. */
export interface ForwarderParts {
  readonly clock: Clock;
  readonly peers: Pick<PeerNet, "request">;
  /** These were not taken on there, and have to find the leader again. */
  readonly putBack: (requests: readonly Request[]) => void;
  /** Another message can go. */
  readonly free: () => void;
}

/** Sends requests to the leader. */
export class Forwarder {
  readonly #parts: ForwarderParts;
  readonly #shares = new Shares();
  #sent: readonly Request[] | undefined;
  #pause: Timer | undefined;
  #patience: Timer | undefined;
  #isClosed = false;

  /** Nothing is under way. */
  constructor(parts: ForwarderParts) {
    this.#parts = parts;
  }

  /** Whether a message is under way, or waits for the next try. */
  get isBusy(): boolean {
    return this.isUnderWay || this.#pause !== undefined;
  }

  /** Whether a message is under way. */
  get isUnderWay(): boolean {
    return this.#sent !== undefined;
  }

  /** Takes questions out of a queue that can go in one message, as {@linkcode Shares.take}. */
  take(queue: RequestQueue, count: number, bytes: number): Request[] {
    return this.#shares.take(queue, count, bytes);
  }

  /** Sends requests, at least one; only while none are under way. */
  send(leader: string, requests: readonly Request[]): void {
    const { clock, peers } = this.#parts;
    this.#sent = requests;
    const now = clock.now();
    const last = requests.reduce((latest, { deadline }) => Math.max(latest, deadline), now);
    peers.request(leader, encodeRequests(requests, now), last - now + GRACE_MS)
      .then((answer) => {
        if (this.#sent === requests) this.#answered(requests, answer);
      }, (error) => {
        if (this.#sent === requests) this.#failed(requests, error);
      });
  }

  /** Waits for a moment more for the message under way; what comes of it later is not known. */
  hurry(): void {
    const requests = this.#sent;
    if (requests === undefined) return;
    const late = new Error("A former leader did not answer");
    this.#patience ??= this.#parts.clock.setTimer(FORMER_MS, () => this.#failed(requests, late));
  }

  /** Tries nothing again. */
  close(): void {
    this.#isClosed = true;
    this.#pause?.cancel();
    this.#patience?.cancel();
  }

  #answered(requests: readonly Request[], answer: Uint8Array): void {
    const results = decodeAnswers(answer, requests.length);
    const again: Request[] = [];
    for (const [i, request] of requests.entries()) {
      const result = results === undefined ? unknown(request) : results[i];
      if (result === undefined) again.push(request);
      else {
        this.#shares.note(request, result);
        request.done(result);
      }
    }
    this.#end(again, again.length < requests.length);
  }

  #failed(requests: readonly Request[], error: unknown): void {
    if (error instanceof UnsentError) return this.#end(requests);
    for (const request of requests) request.done(unknown(request));
    this.#end([]);
  }

  #end(again: readonly Request[], isTaken = false): void {
    const { clock, putBack } = this.#parts;
    this.#sent = undefined;
    this.#patience?.cancel();
    this.#patience = undefined;
    if (again.length === 0) return this.#free();
    putBack(again);
    if (this.#isClosed) return;
    if (isTaken) return this.#free();
    this.#pause = clock.setTimer(AGAIN_MS, () => this.#free());
  }

  #free(): void {
    this.#pause = undefined;
    this.#parts.free();
  }
}

/** What is known of a request that was sent and not answered. */
function unknown({ kind }: Request): Result {
  return kind === "command" ? OUTCOME_UNKNOWN : NO_LEADER;
}

/** The message with these requests. */
function encodeRequests(requests: readonly Request[], now: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { kind, lease, bytes, deadline } of requests) {
    const head = new Uint8Array(HEAD_BYTES);
    head[0] = (kind === "question" ? QUESTION : 0) | (lease ? LEASE : 0);
    putU32(head, 1, Math.min(MAX_TIME_MS, Math.max(0, Math.floor(deadline - now))));
    putU32(head, 5, bytes.length);
    parts.push(head, bytes);
  }
  return concatBytes(parts);
}

/**
 * The requests in a message, and the answer to it once all of them have theirs.
 *
 * @throws {ForwardError} when it is none
 */
export function decodeRequests(
  message: Uint8Array,
  now: number,
): { readonly requests: readonly Request[]; readonly answer: Promise<Uint8Array> } {
  const answers: Uint8Array[] = [];
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const requests: Request[] = [];
  let missing = 0;
  let size = 0;
  const asker: Asker = { client: requests, hasRoom: () => size < READ_BYTES };
  for (let at = 0; at < message.length;) {
    if (requests.length === FORWARD_LIMIT.count) {
      throw new ForwardError("More requests than allowed");
    }
    if (message.length - at < HEAD_BYTES) throw new ForwardError("Request is cut off");
    const flags = message[at] as number;
    const timeMs = getU32(message, at + 1);
    const start = at + HEAD_BYTES;
    const end = start + getU32(message, at + 5);
    if ((flags & ~(QUESTION | LEASE)) !== 0 || timeMs > MAX_TIME_MS || end > message.length) {
      throw new ForwardError("Request is none");
    }
    const place = 2 * requests.length;
    missing++;
    requests.push({
      kind: (flags & QUESTION) === 0 ? "command" : "question",
      lease: (flags & LEASE) !== 0,
      bytes: message.slice(start, end),
      deadline: now + timeMs,
      staysHere: true,
      asker,
      done: (result) => {
        let body = result === undefined ? new Uint8Array() : encodeResult(result);
        // A command that has the value before it as its result: it was done, and cannot be sent again.
        if (size >= ANSWER_BYTES && body.length > MAX_SHORT_BYTES) {
          body = encodeResult(OUTCOME_UNKNOWN);
        }
        size += body.length;
        const head = new Uint8Array(4);
        putU32(head, 0, body.length);
        answers[place] = head;
        answers[place + 1] = body;
        if (--missing === 0) resolve(concatBytes(answers));
      },
    });
    at = end;
  }
  if (requests.length === 0) throw new ForwardError("Message has no request");
  return { requests, answer: promise };
}

/** The results in an answer, `undefined` for what was not taken on; `undefined` as a whole when it is no such answer. */
function decodeAnswers(answer: Uint8Array, count: number): (Result | undefined)[] | undefined {
  const results: (Result | undefined)[] = [];
  let at = 0;
  try {
    while (at + 4 <= answer.length && results.length < count) {
      const end = at + 4 + getU32(answer, at);
      if (end > answer.length) return undefined;
      results.push(end === at + 4 ? undefined : decodeResult(answer.subarray(at + 4, end)));
      at = end;
    }
  } catch {
    // The decoder throws for nothing but bytes that are no result.
    return undefined;
  }
  return results.length === count && at === answer.length ? results : undefined;
}
