/**
 * What a gateway asks servers for: requests go to the leader, once somebody has said who that is.
 *
 * @module
 */

import type { Result } from "../../../cluster/machine/mod.ts";
import type { Clock, Timer } from "../../../cluster/runtime.ts";
import { NO_BYTES } from "../../../protocol/bytes.ts";
import { decodeUtf8 } from "../../../protocol/text.ts";
import { background } from "../../logging/background.ts";
import { guardedClock } from "../../runtime.ts";
import { FORWARD_LIMIT, Forwarder } from "../driver/forwarding.ts";
import type { PeerNet } from "../driver/parts.ts";
import { type Request, RequestQueue } from "../driver/requests.ts";
import {
  type Answer,
  type Asker,
  NO_LEADER,
  NO_ROOM,
  OVERLOADED,
  SHUTTING_DOWN,
} from "../service.ts";
import { WHO_LEADS } from "./questions.ts";
import { StaleReads, type StaleReadsParts } from "./stale_reads.ts";

/** Requests that may wait, and bytes of them. */
const WAITING_LIMIT = { count: 65_536, bytes: 64 * 1024 * 1024 } as const;

/** How long a server may take to say who leads, in milliseconds. */
const LEADER_LIMIT_MS = 500;

/** Pause between two rounds of questions who leads, in milliseconds. */
const AGAIN_MS = 50;

/** How often requests are looked for whose time is over, in milliseconds. */
const EXPIRY_MS = 50;

/** What the visits need of their surroundings. */
export interface VisitsParts extends StaleReadsParts {
  /** The way to the servers. */
  readonly peers: () => Pick<PeerNet, "request">;
}

/** The requests of one gateway. */
export class Visits {
  readonly #parts: VisitsParts;
  readonly #clock: Clock;
  readonly #waiting = new RequestQueue(WAITING_LIMIT);
  readonly #stale: StaleReads;
  readonly #forwarder: Forwarder;
  #leaderId: string | undefined;
  #isFinding = false;
  #isFlushing = false;
  #isClosed = false;
  #again: Timer | undefined;
  #expiry: ReturnType<typeof setInterval> | undefined;

  /** Nobody has asked for anything. */
  constructor(parts: VisitsParts) {
    this.#parts = parts;
    this.#clock = guardedClock((error) => parts.log.unexpected(error));
    this.#stale = new StaleReads(parts, this.#clock);
    this.#forwarder = new Forwarder({
      clock: this.#clock,
      peers: {
        request: (to, bytes, timeoutMs) => parts.peers().request(to, bytes, timeoutMs),
      },
      putBack: (requests) => this.#putBack(requests),
      free: () => this.#flushSoon(),
    });
  }

  /** Who leads, as far as somebody has said. */
  get leaderId(): string | undefined {
    return this.#leaderId;
  }

  /** Takes a request on; `done` is called once, never before this returns. */
  ask(
    kind: Request["kind"],
    bytes: Uint8Array,
    lease: boolean,
    timeoutMs: number,
    done: (result: Result) => void,
    asker?: Asker,
  ): void {
    const request: Request = {
      kind,
      bytes,
      lease,
      deadline: this.#clock.now() + timeoutMs,
      staysHere: false,
      ...asker !== undefined && { asker },
      done: (result) => done(result ?? NO_ROOM),
    };
    if (this.#isClosed) return queueMicrotask(() => done(SHUTTING_DOWN));
    if (!this.#waiting.add(request)) return queueMicrotask(() => done(OVERLOADED));
    this.#expiry ??= setInterval(() => this.#expire(), EXPIRY_MS);
    this.#flushSoon();
  }

  /** Asks what some server has, as old as it may be; `done` as for {@linkcode Visits.ask}. */
  read(
    question: Uint8Array,
    timeoutMs: number,
    done: (answer: Answer) => void,
    asker?: Asker,
  ): void {
    if (!this.#isClosed) this.#expiry ??= setInterval(() => this.#expire(), EXPIRY_MS);
    this.#stale.ask(question, timeoutMs, done, asker);
  }

  /** Finds out who leads, unless that is known. To be called now and then. */
  look(): void {
    if (this.#leaderId === undefined) this.#find();
  }

  /** Tells all who wait that nothing comes. */
  close(): void {
    this.#isClosed = true;
    clearInterval(this.#expiry);
    this.#again?.cancel();
    this.#forwarder.close();
    this.#stale.close();
    for (const { done } of this.#waiting.take(Infinity, Infinity)) done(SHUTTING_DOWN);
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isClosed || this.#forwarder.isBusy || this.#waiting.length === 0) return;
    if (this.#leaderId === undefined) return this.#find();
    const { count, bytes } = FORWARD_LIMIT;
    const requests = this.#forwarder.take(this.#waiting, count, bytes);
    if (requests.length > 0) this.#forwarder.send(this.#leaderId, requests);
  }

  /** It leads no more, or has no room, or cannot be reached. */
  #putBack(requests: readonly Request[]): void {
    this.#leaderId = undefined;
    if (!this.#isClosed) return this.#waiting.putBack(requests);
    for (const { done } of requests) done(SHUTTING_DOWN);
  }

  #expire(): void {
    const now = this.#clock.now();
    for (const { done } of this.#waiting.takeExpired(now)) done(NO_LEADER);
    this.#stale.expire(now);
    if (this.#waiting.length + this.#stale.length > 0) return;
    clearInterval(this.#expiry);
    this.#expiry = undefined;
  }

  #find(): void {
    if (this.#isFinding || this.#isClosed) return;
    this.#isFinding = true;
    const found = this.#askWhoLeads().then((leaderId) => {
      this.#isFinding = false;
      if (this.#isClosed) return;
      this.#leaderId = leaderId;
      if (leaderId !== undefined) return this.#flushSoon();
      if (this.#waiting.length === 0) return;
      this.#again?.cancel();
      this.#again = this.#clock.setTimer(AGAIN_MS, () => this.#flushSoon());
    });
    background(found, this.#parts.log);
  }

  /** Whom most servers call the leader. */
  async #askWhoLeads(): Promise<string | undefined> {
    const servers = this.#parts.servers();
    if (servers.length === 0 && this.#waiting.length > 0) this.#parts.missing();
    const answers = await Promise.all(
      servers.map((id) => this.#request(id, WHO_LEADS, LEADER_LIMIT_MS)),
    );
    const votes = new Map<string, number>();
    for (const answer of answers) {
      const id = decodeUtf8(answer);
      if (servers.includes(id)) votes.set(id, (votes.get(id) ?? 0) + 1);
    }
    return [...votes].sort(([, a], [, b]) => b - a)[0]?.[0];
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
