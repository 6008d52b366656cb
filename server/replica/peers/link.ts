/**
 * The way to one peer on one lane: a queue, and a connection while there is something to say.
 *
 * @module
 */

import type { Address } from "../../../cluster/runtime.ts";
import type { Writer } from "../../../protocol/msgpack/mod.ts";
import { background, guarded } from "../../logging/background.ts";
import type { Admission } from "../../net/admission.ts";
import { Connection, type ConnectionLimits } from "../../net/connection.ts";
import { pause } from "../../net/deadline.ts";
import { dial, DialError } from "../../net/dial.ts";
import type { WriterPool } from "../../net/writer_pool.ts";
import { UnsentError } from "../driver/parts.ts";
import { Caller } from "./caller.ts";
import { requestFrame } from "./frames.ts";
import type { Hello, Lane } from "./hello.ts";
import {
  BATCH_BYTES,
  MAX_BLOCK_BYTES,
  MAX_STRANGER_BYTES,
  NEWS_LIMIT_MS,
  type PeerTimings,
} from "./limits.ts";
import { Outgoing, type Waiting } from "./outgoing.ts";
import type { PeerParts } from "./parts.ts";
import { Requests } from "./requests.ts";

/** What waits in a connection is bounded by the queue and by who asked; so reading never has to wait for it. */
const LIMITS: ConnectionLimits = {
  backlogBytes: 4 * MAX_BLOCK_BYTES,
  waitingRecords: 0,
  waitingBytes: 0,
  strangerBytes: MAX_STRANGER_BYTES,
};

/** What the ways to all peers have in common. */
export interface LinkParts extends PeerParts {
  /** The buffers for what is sent. */
  readonly writers: WriterPool<Writer>;
  /** Ends connections on which no hello comes. */
  readonly admission: Admission;
  readonly timings: PeerTimings;
  /** The peer has said hello. */
  readonly opened: (hello: Hello) => void;
  /** A connection could not be made, or broke; told for each. */
  readonly failed: (id: string, lane: Lane, problem: string) => void;
}

/** Sends to one peer what it is given, as long as it is told where that peer is. */
export class Link {
  readonly #parts: LinkParts;
  readonly #id: string;
  readonly #lane: Lane;
  readonly #outgoing = new Outgoing();
  readonly #requests = new Requests();
  #address: Address;
  #connection: Connection<Writer, Caller> | undefined;
  #running: Promise<void> | undefined;
  #pumping = false;
  /** Ends the present pause or dial. */
  #attempt = new AbortController();
  /** Connections in a row that were not made, or did not last. */
  #failures = 0;
  #endedAt = -Infinity;
  /** When the peer came by itself last, while it was not reached. */
  #cameAt = -Infinity;
  #closed = false;

  /** Dials when there is something to say. */
  constructor(id: string, lane: Lane, address: Address, parts: LinkParts) {
    this.#id = id;
    this.#lane = lane;
    this.#address = address;
    this.#parts = parts;
  }

  /** Whether the peer listens. */
  get isConnected(): boolean {
    return this.#caller?.isOpen ?? false;
  }

  /** When something came last, by `performance.now()`; `undefined` without a connection. */
  get heardAt(): number | undefined {
    return this.isConnected ? this.#caller?.heardAt : undefined;
  }

  /** Bytes that wait here. */
  get queuedBytes(): number {
    return this.#outgoing.bytes + (this.#caller?.backlog ?? 0);
  }

  /** The peer is at another address now. */
  move(address: Address): void {
    this.#address = address;
    this.#failures = 0;
    this.#attempt.abort();
    this.#connection?.close();
  }

  /** Sends a frame; `false` when too much waits. */
  send(frame: Uint8Array): boolean {
    if (this.#closed || !this.#outgoing.add({ kind: "message", frame })) return false;
    this.wake();
    return true;
  }

  /**
   * The peer has come by itself: it is there, and may want news before it is known where. Those wait for a while, as long as dialling
   * fails; what was to be told to it before is none of it.
   */
  came(): void {
    if (this.isConnected) return;
    this.#outgoing.clear(["news"]);
    this.#cameAt = performance.now();
    this.#failures = 0;
    if (this.#connection === undefined) this.#attempt.abort();
  }

  /** Has what waits leave now, if there is a connection that takes it. */
  flush(): void {
    const caller = this.#caller;
    if (!caller?.isOpen || caller.backlog > BATCH_BYTES || this.#outgoing.isEmpty) return;
    this.#give(caller);
    caller.flush();
  }

  /** Sends a frame with news, which is lost when the connection breaks before; `false` when too much waits. */
  sendNews(frame: Uint8Array): boolean {
    if (this.#closed || !this.#outgoing.add({ kind: "news", frame })) return false;
    this.wake();
    return true;
  }

  /** Gives the connection up for a new one. */
  renew(): void {
    this.#connection?.close();
  }

  /** Sends a request and resolves with its answer. Rejects as `PeerNet` says. */
  request(bytes: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    if (this.#closed) return Promise.reject(new UnsentError("The link is closed"));
    const begun = this.#requests.begin(timeoutMs);
    if (begun === undefined) return Promise.reject(new UnsentError("Too many requests wait"));
    const { number, answer } = begun;
    const frame = requestFrame(number, bytes);
    if (this.#outgoing.add({ kind: "request", frame, request: number })) this.wake();
    else this.#requests.refuse(number, "Too many bytes wait for this peer");
    return answer;
  }

  /** Asks for a sign of life. To be called every `periodMs`. */
  beat(periodMs: number): void {
    this.#caller?.beat(periodMs);
  }

  /** Ends it; what waits is lost. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#attempt.abort();
    this.#connection?.close();
    await this.#running;
    this.#drop("The link is closed");
  }

  get #caller(): Caller | undefined {
    return this.#connection?.conversation;
  }

  /** Whether there is to be a connection: something waits, or the peer has to know at once what is listened to. */
  get #hasReason(): boolean {
    return !this.#outgoing.isEmpty || (this.#lane !== "bulk" && this.#parts.pubsub.isListening);
  }

  /** Sees to it that there is a connection if there is a reason, and that what waits is sent at the end of this turn. */
  wake(): void {
    const { log } = this.#parts;
    if (this.#running === undefined) {
      if (!this.#hasReason) return;
      this.#running = this.#run();
      background(this.#running, log);
    } else if (this.isConnected && !this.#pumping) {
      this.#pumping = true;
      queueMicrotask(guarded(() => background(this.#pump(), log), log));
    }
  }

  /** Connects as long as there is a reason. */
  async #run(): Promise<void> {
    try {
      while (!this.#closed && this.#hasReason) {
        this.#attempt = new AbortController();
        await pause(this.#pauseMs(), this.#attempt.signal);
        if (this.#closed) break;
        if (this.#attempt.signal.aborted) continue;
        await this.#converse();
        this.#endedAt = performance.now();
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #converse(): Promise<void> {
    const { timings, writers, admission, log } = this.#parts;
    let conn: Deno.TcpConn;
    try {
      conn = await dial(this.#address, timings.dialMs, this.#attempt.signal);
    } catch (error) {
      if (!(error instanceof DialError)) throw error;
      return this.#fail(error.message);
    }
    const connection = new Connection<Writer, Caller>(conn, {
      writers,
      limits: LIMITS,
      admission,
      open: (peer, deliver) => new Caller(peer, deliver, this.#callerParts()),
      onUnexpected: (error) => log.unexpected(error),
    });
    const caller = connection.conversation;
    const since = performance.now();
    this.#connection = connection;
    caller.begin();
    await connection.serve(() => {});
    this.#connection = undefined;
    this.#requests.lose(caller.problem ?? "The connection broke");
    this.#outgoing.clear(["news"]);
    if (caller.hello === undefined) return this.#fail(caller.problem ?? "No hello came");
    const { longest } = timings.pauseMs;
    this.#failures = performance.now() - since < longest ? this.#failures + 1 : 0;
    if (this.#isWanted) this.#tell(caller.problem ?? "The connection broke");
  }

  #callerParts(): ConstructorParameters<typeof Caller>[2] {
    return {
      ...this.#parts,
      to: this.#id,
      lane: this.#lane,
      opened: (hello) => {
        this.#parts.opened(hello);
        this.wake();
      },
      settle: (number, status, answer) => this.#requests.settle(number, status, answer),
    };
  }

  /** Hands what waits to the connection, a little of each channel at a time. */
  async #pump(): Promise<void> {
    try {
      while (this.#caller?.isOpen && !this.#outgoing.isEmpty) {
        const caller = this.#caller;
        this.#give(caller);
        if (caller.backlog > BATCH_BYTES) await caller.drained(BATCH_BYTES);
      }
    } finally {
      this.#pumping = false;
    }
  }

  #give(caller: Caller): void {
    const items = this.#outgoing.take().filter(({ request }) =>
      request === undefined || this.#requests.sent(request)
    );
    caller.send(items.map(({ frame }) => frame));
  }

  /** Nobody was reached: what waits is not kept for later, but for news to who has just come. */
  #fail(problem: string): void {
    if (!this.#isWanted) return;
    this.#failures++;
    this.#tell(problem);
    const isThere = performance.now() - this.#cameAt < NEWS_LIMIT_MS;
    this.#drop(problem, isThere ? ["message", "request"] : undefined);
  }

  /** Whether the present attempt has not been given up here. */
  get #isWanted(): boolean {
    return !this.#attempt.signal.aborted;
  }

  #tell(problem: string): void {
    this.#parts.failed(this.#id, this.#lane, problem);
  }

  #drop(reason: string, kinds?: readonly Waiting["kind"][]): void {
    for (const { request } of this.#outgoing.clear(kinds)) {
      if (request !== undefined) this.#requests.refuse(request, reason);
    }
  }

  /** How long to wait before the next attempt. */
  #pauseMs(): number {
    if (this.#failures === 0) return 0;
    const { first, longest } = this.#parts.timings.pauseMs;
    const whole = Math.min(first * 2 ** (this.#failures - 1), longest);
    const ms = whole * (1 + this.#parts.random.float()) / 2;
    return Math.max(0, ms - (performance.now() - this.#endedAt));
  }
}
