/**
 * One connection to the key-value port of an agent, shared by any number of requests under way: answers come in the order of
 * the requests.
 *
 * @module
 */

import { LineSplitter, TOO_LONG } from "../../protocol/kv/line_splitter.ts";
import { errorOf, type KvError, OutcomeUnknownError } from "../../protocol/kv/errors.ts";
import type { Problem } from "../../protocol/kv/problem.ts";
import { type CallOptions, waitFor } from "../net/deadline.ts";
import { ConnectionClosedError, TimeoutError } from "../net/errors.ts";
import { type Deferred, deferred, reportFault } from "../net/portable.ts";
import type { Socket } from "../net/socket.ts";

/** A success. */
export interface Success {
  /** What was asked for. */
  readonly result: unknown;
  /** The revision that goes with it. */
  readonly rev?: number;
  /** Milliseconds until what was found is due. */
  readonly ttl_ms?: number;
  /** Where a listing is to be gone on with. */
  readonly next?: string;
}

/** A request for the wire. */
export interface Request {
  /** Name of the action. */
  readonly action: string;
  /** The other members. */
  readonly [member: string]: unknown;
}

/** What comes unasked. */
export interface Push {
  /** Its kind. */
  readonly push: string;
  /** The other members. */
  readonly [member: string]: unknown;
}

/** A request under way. */
interface Exchange {
  /** Takes the answer. */
  answered(answer: Success | KvError): void;
  /** The connection ended. */
  closed(error: ConnectionClosedError): void;
}

/** Longest answer, in bytes; a value and what stands around it take less than a thirtieth. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** A write takes whole requests up to about this length, in UTF-16 units. */
const WRITE_UNITS = 256 * 1024;

/** What it is when a change was sent and no answer came. */
const UNKNOWN: Problem = { ok: false, code: 504, reason: "OUTCOME_UNKNOWN" };

/** One connection. */
export class KvConnection {
  /** Resolves when the connection has ended: with nothing after {@linkcode KvConnection.close}, else with the reason. */
  readonly closed: Promise<Error | undefined>;
  readonly #socket: Socket;
  readonly #onPush: (push: Push) => void;
  /** Those that wait for an answer, in order, from `#first` on. */
  #exchanges: Exchange[] = [];
  #first = 0;
  #outgoing: string[] = [];
  #writing = false;
  #closing = false;
  #ended: ConnectionClosedError | undefined;
  /** Why the agent says that it closes the connection. */
  #farewell: string | undefined;
  #keepAlive: ReturnType<typeof setInterval> | undefined;
  #sentLately = false;
  #heardLately = false;
  /** Whether an answer was waited for already when it was looked last. */
  #wasAsked = false;
  /** Settled when more is to be read. */
  #held: Deferred<void> | undefined;

  /** Takes over `socket`, which leads to an agent. `onPush` gets what comes unasked. */
  constructor(socket: Socket, onPush: (push: Push) => void = () => {}) {
    this.#socket = socket;
    this.#onPush = onPush;
    this.closed = this.#read();
  }

  /** Whether requests can no longer be sent. */
  get isClosed(): boolean {
    return this.#closing || this.#ended !== undefined;
  }

  /**
   * Asks for a sign of life whenever nothing was sent for `ms` milliseconds, and ends the connection when nothing has come for that
   * long although an answer is waited for: a machine that stands still says no farewell.
   */
  keepAlive(ms: number): void {
    if (!this.isClosed) this.#keepAlive = setInterval(() => this.#look(ms), ms);
  }

  /** Reads no more, but for what has come already, until {@linkcode KvConnection.resume}. */
  pause(): void {
    if (!this.isClosed) this.#held ??= deferred<void>();
  }

  /** Reads on. */
  resume(): void {
    this.#held?.resolve(undefined);
    this.#held = undefined;
  }

  /** Closes the connection; requests under way fail. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    if (!this.isClosed) {
      this.#closing = true;
      this.#socket.close();
      this.resume();
    }
    await this.closed;
  }

  /**
   * Sends a request and waits for its answer.
   *
   * Rejects with the agent's error, with `TimeoutError` after `options.timeoutMs`, and with `ConnectionClosedError` when the
   * connection ends; a request that changes something with `OutcomeUnknownError` in the last two cases, once it was sent.
   */
  call(
    request: Request,
    changes: boolean,
    options: CallOptions & { readonly timeoutMs: number },
  ): Promise<Success> {
    const { signal, timeoutMs } = options;
    const lost = (cause: Error): Error => {
      return changes ? new OutcomeUnknownError(UNKNOWN, { cause }) : cause;
    };
    const deadline = {
      signal,
      timeoutMs,
      timeoutError: () => lost(answerTimeout(request.action, timeoutMs)),
      // Its answer still has its place, and is thrown away.
      giveUp() {},
    };
    return waitFor<Success>(deadline, ({ resolve, reject }) => {
      if (this.isClosed) {
        throw new ConnectionClosedError({ cause: this.#ended?.cause ?? closedHere() });
      }
      this.#send(request, {
        answered: (answer) => answer instanceof Error ? reject(answer) : resolve(answer),
        closed: (error) => reject(lost(error)),
      });
    });
  }

  #look(ms: number): void {
    if (this.isClosed) return;
    if (this.#wasAsked && !this.#heardLately && this.#held === undefined) {
      this.#farewell = `Agent said nothing for ${ms} ms`;
      return this.#socket.close();
    }
    if (!this.#sentLately) this.#send({ action: "PING" }, IGNORED);
    this.#sentLately = this.#heardLately = false;
    this.#wasAsked = this.#first < this.#exchanges.length;
  }

  #send(request: Request, exchange: Exchange): void {
    this.#outgoing.push(`${JSON.stringify(request)}\n`);
    this.#exchanges.push(exchange);
    this.#sentLately = true;
    if (!this.#writing) this.#write().catch(reportFault);
  }

  /** What was asked for in one turn goes out in one write, or in a few when it is much. */
  async #write(): Promise<void> {
    this.#writing = true;
    await Promise.resolve();
    try {
      while (this.#outgoing.length > 0) {
        let text = "";
        let count = 0;
        while (count < this.#outgoing.length && text.length < WRITE_UNITS) {
          text += this.#outgoing[count++];
        }
        this.#outgoing.splice(0, count);
        await this.#socket.write(encoder.encode(text));
      }
    } catch {
      // The agent has gone, perhaps after an answer that is still to be read. Reading finds the end.
      this.#outgoing = [];
    } finally {
      this.#writing = false;
    }
  }

  async #read(): Promise<Error | undefined> {
    const splitter = new LineSplitter((line) => this.#receive(line), {
      lineBytes: MAX_ANSWER_BYTES,
      skippedBytes: 0,
    });
    let cause: Error;
    try {
      await this.#socket.pump((bytes) => {
        this.#heardLately = true;
        splitter.push(bytes);
        return this.#held?.promise;
      });
      cause = new Error(this.#farewell ?? "Agent closed the connection");
    } catch (error) {
      cause = error instanceof AnswerError
        ? error
        : new Error(this.#farewell ?? "Connection broke", { cause: error });
    }
    clearInterval(this.#keepAlive);
    if (this.#closing) cause = closedHere();
    else this.#socket.close();
    const ended = this.#ended = new ConnectionClosedError({ cause });
    const exchanges = this.#exchanges.slice(this.#first);
    this.#exchanges = [];
    for (const exchange of exchanges) exchange.closed(ended);
    return this.#closing ? undefined : ended;
  }

  #receive(line: Uint8Array): void {
    if (line === TOO_LONG) {
      throw new AnswerError(`Answer takes more than ${MAX_ANSWER_BYTES} bytes`);
    }
    const answer = readAnswer(line);
    if ("push" in answer) {
      if (answer.push === "closing") this.#farewell = `Agent says ${answer.reason} and closes`;
      if (answer.push === "ping" && !this.isClosed) this.#send({ action: "PING" }, IGNORED);
      return this.#onPush(answer as Push);
    }
    const exchange = this.#exchanges[this.#first];
    if (exchange === undefined) {
      this.#farewell ??= `Agent says ${answer.reason} unasked`;
      return;
    }
    // Moved up now and then, not for each answer.
    if (++this.#first === this.#exchanges.length || this.#first === 1_024) {
      this.#exchanges.splice(0, this.#first);
      this.#first = 0;
    }
    if (answer.status === "ok") return exchange.answered(answer as unknown as Success);
    exchange.answered(errorOf(answer as unknown as Problem));
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** For an answer that nobody wants. */
const IGNORED: Exchange = { answered() {}, closed() {} };

/** What came is no answer of an agent. */
class AnswerError extends Error {
  override readonly name = "AnswerError";
}

/** The members that an answer or a push has. */
export interface Answer {
  readonly status?: unknown;
  readonly push?: unknown;
  readonly reason?: unknown;
}

/** The answer, or the push, in a line; throws when it is none. */
export function readAnswer(line: Uint8Array): Answer {
  try {
    const answer: unknown = JSON.parse(decoder.decode(line));
    if (isAnswer(answer)) return answer;
  } catch {
    // It is no JSON, or no text.
  }
  throw new AnswerError("Expected the answer of an agent, got something else");
}

function isAnswer(value: unknown): value is Answer {
  if (typeof value !== "object" || value === null) return false;
  const { status, push, code, reason } = value as Record<string, unknown>;
  if (status === "error") return typeof code === "number" && typeof reason === "string";
  return status === "ok" || typeof push === "string";
}

/** What a call rejects with when `timeoutMs` pass. */
export function answerTimeout(action: string, timeoutMs: number): TimeoutError {
  return new TimeoutError(`Agent did not answer "${action}" within ${timeoutMs} ms`);
}

/** Why a connection has ended that the program has closed. */
export function closedHere(): Error {
  return new Error("Client was closed by this program");
}
