/**
 * Stale reads of a gateway's clients: any server answers them, the next one when one does not.
 *
 * @module
 */

import { NO_BYTES } from "../../../protocol/bytes.ts";
import type { Clock } from "../../../cluster/runtime.ts";
import { background } from "../../logging/background.ts";
import type { AgentLog } from "../../logging/log.ts";
import type { PeerNet } from "../driver/parts.ts";
import { type Request, RequestQueue, Shares } from "../driver/requests.ts";
import {
  type Answer,
  type Asker,
  NO_LEADER,
  NO_ROOM,
  OVERLOADED,
  SHUTTING_DOWN,
} from "../service.ts";
import { decodeReadAnswer, encodeRead } from "./questions.ts";

/** Reads that may wait, and bytes of them. */
const WAITING_LIMIT = { count: 65_536, bytes: 64 * 1024 * 1024 } as const;

/** Reads under way at a time. */
export const MAX_READING = 32;

/** How long a server may take before the next one is asked, in milliseconds. */
const ANSWER_LIMIT_MS = 1_000;

/** Pause before servers are asked again when none has answered, in milliseconds. */
const AGAIN_MS = 50;

/** What it needs of its surroundings. */
export interface StaleReadsParts {
  /** The way to the servers. */
  readonly peers: () => Pick<PeerNet, "request">;
  /** The ids of the servers that may be asked. */
  readonly servers: () => readonly string[];
  readonly log: Pick<AgentLog, "unexpected">;
  /** Somebody wants something, and there is no server. */
  readonly missing: () => void;
}

/** The stale reads of one gateway. */
export class StaleReads {
  readonly #parts: StaleReadsParts;
  readonly #clock: Clock;
  readonly #waiting = new RequestQueue(WAITING_LIMIT);
  readonly #shares = new Shares();
  /** How old the answer to a read is, in milliseconds, until it is told. */
  readonly #lags = new WeakMap<Request, number>();
  /** Reads that are under way, and how many of each client. */
  #reading = 0;
  readonly #readers = new Map<Asker["client"], number>();
  /** The server that has answered last. */
  #server: string | undefined;
  readonly #pausing = new Set<() => void>();
  #isSoon = false;
  #isClosed = false;

  /** Nobody has asked for anything. */
  constructor(parts: StaleReadsParts, clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
  }

  /** How many wait. */
  get length(): number {
    return this.#waiting.length;
  }

  /** Takes a read on; `done` is called once, never before this returns. */
  ask(
    question: Uint8Array,
    timeoutMs: number,
    done: (answer: Answer) => void,
    asker?: Asker,
  ): void {
    const request: Request = {
      kind: "question",
      bytes: question,
      lease: false,
      deadline: this.#clock.now() + timeoutMs,
      staysHere: false,
      ...asker !== undefined && { asker },
      done: (result = NO_ROOM) => done({ result, lagMs: this.#lags.get(request) ?? 0 }),
    };
    if (this.#isClosed) return queueMicrotask(() => request.done(SHUTTING_DOWN));
    if (!this.#waiting.add(request)) return queueMicrotask(() => request.done(OVERLOADED));
    this.#readSoon();
  }

  /** Answers those whose time is over. */
  expire(now: number): void {
    for (const { done } of this.#waiting.takeExpired(now)) done(NO_LEADER);
  }

  /** Tells all who wait that nothing comes. */
  close(): void {
    this.#isClosed = true;
    for (const over of this.#pausing) over();
    for (const { done } of this.#waiting.take(Infinity, Infinity)) done(SHUTTING_DOWN);
  }

  #readSoon(): void {
    if (this.#isSoon || this.#reading === MAX_READING) return;
    this.#isSoon = true;
    queueMicrotask(() => {
      this.#isSoon = false;
      this.#readMore();
    });
  }

  #readMore(): void {
    const free = MAX_READING - this.#reading;
    const requests = this.#shares.take(this.#waiting, free, Infinity, this.#readers);
    this.#reading += requests.length;
    for (const request of requests) background(this.#read(request), this.#parts.log);
  }

  async #read(request: Request): Promise<void> {
    const { result, lagMs } = await this.#ask(request);
    this.#reading--;
    const { asker } = request;
    if (asker !== undefined) {
      const left = (this.#readers.get(asker.client) ?? 0) - 1;
      if (left > 0) this.#readers.set(asker.client, left);
      else this.#readers.delete(asker.client);
    }
    this.#shares.note(request, result);
    this.#lags.set(request, lagMs);
    request.done(result);
    this.#readSoon();
  }

  /** Asks one server after the other until the time is over. */
  async #ask({ bytes, deadline }: Request): Promise<Answer> {
    const left = (): number => this.#isClosed ? 0 : deadline - this.#clock.now();
    while (left() > 0) {
      const servers = this.#parts.servers();
      if (servers.length === 0) this.#parts.missing();
      const first = servers.filter((id) => id === this.#server);
      for (const id of [...first, ...servers.filter((id) => id !== this.#server)]) {
        const limitMs = Math.min(left(), ANSWER_LIMIT_MS);
        if (limitMs <= 0) break;
        const answer = await this.#request(id, encodeRead(bytes), limitMs).then(decodeReadAnswer);
        if (answer === undefined) continue;
        this.#server = id;
        return answer;
      }
      await this.#pause(Math.min(left(), AGAIN_MS));
    }
    return { result: this.#isClosed ? SHUTTING_DOWN : NO_LEADER, lagMs: 0 };
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        timer.cancel();
        this.#pausing.delete(over);
        resolve();
      };
      const timer = this.#clock.setTimer(ms, over);
      this.#pausing.add(over);
    });
  }

  /** An answer; no bytes when there is none. */
  async #request(id: string, bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    try {
      return await this.#parts.peers().request(id, bytes, timeoutMs);
    } catch {
      // Whatever it was that went wrong on the way there, or back: another one is asked.
      return NO_BYTES;
    }
  }
}
