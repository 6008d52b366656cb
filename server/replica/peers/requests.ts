/**
 * Requests to one peer that have no answer yet.
 *
 * @module
 */

import { UnsentError } from "../driver/parts.ts";
import { STATUS } from "./frames.ts";
import { MAX_WAITING_REQUESTS } from "./limits.ts";

/** The longest wait that `setTimeout` takes, in milliseconds. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

/** A request got no answer, in time or at all. What it asked for may have been done. */
export class UnansweredError extends Error {
  /** "UnansweredError". */
  override readonly name = "UnansweredError";
}

/** One request. */
interface Request {
  readonly resolve: (answer: Uint8Array) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
  /** Whether it was handed to a connection. */
  isSent: boolean;
}

/** A request that has begun. */
export interface Begun {
  /** Its number, of 32 bits. */
  readonly number: number;
  /** Resolves with the answer. */
  readonly answer: Promise<Uint8Array>;
}

/** Knows the requests to one peer by their numbers. */
export class Requests {
  readonly #requests = new Map<number, Request>();
  #last = 0;

  /** Begins one that ends after `timeoutMs` at the latest. `undefined` when too many wait. */
  begin(timeoutMs: number): Begun | undefined {
    if (this.#requests.size >= MAX_WAITING_REQUESTS) return undefined;
    const number = this.#nextNumber();
    const { promise: answer, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const timer = setTimeout(
      () => this.#expire(number, timeoutMs),
      Math.min(timeoutMs, LONGEST_TIMEOUT_MS),
    );
    this.#requests.set(number, { resolve, reject, timer, isSent: false });
    return { number, answer };
  }

  /** It is handed to a connection now; `false` when it is over already. */
  sent(number: number): boolean {
    const request = this.#requests.get(number);
    if (request !== undefined) request.isSent = true;
    return request !== undefined;
  }

  /** The peer has said what became of it. Nothing happens when it is over already. */
  settle(number: number, status: number, answer: Uint8Array): void {
    const request = this.#end(number);
    if (status === STATUS.answered) request?.resolve(answer);
    else if (status === STATUS.unsent) {
      request?.reject(new UnsentError("The peer has too much to do"));
    } else request?.reject(new UnansweredError("The peer could not answer"));
  }

  /** It will not be sent. */
  refuse(number: number, reason: string): void {
    this.#end(number)?.reject(new UnsentError(reason));
  }

  /** The connection that the sent ones are on is gone. */
  lose(reason: string): void {
    for (const [number, { isSent }] of this.#requests) {
      if (isSent) this.#end(number)?.reject(new UnansweredError(reason));
    }
  }

  #expire(number: number, timeoutMs: number): void {
    const request = this.#end(number);
    if (request === undefined) return;
    const text = `No answer within ${timeoutMs} ms`;
    request.reject(request.isSent ? new UnansweredError(text) : new UnsentError(text));
  }

  #end(number: number): Request | undefined {
    const request = this.#requests.get(number);
    if (request === undefined) return undefined;
    clearTimeout(request.timer);
    this.#requests.delete(number);
    return request;
  }

  #nextNumber(): number {
    do this.#last = (this.#last + 1) >>> 0; while (this.#requests.has(this.#last));
    return this.#last;
  }
}
