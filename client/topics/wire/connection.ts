/**
 * One connection to the topics port of a server, shared by any number of requests under way: replies come in any order, each with
 * the id of its request.
 *
 * @module
 */

import {
  FLAG,
  flagsOf,
  FrameError,
  FrameWriter,
  PayloadError,
  readError,
  readReply,
  readReplyHead,
  type Replies,
  replySplitter,
  type RequestKind,
  type Requests,
  STATUS,
  TopicError,
  VERSION,
  writeRequest,
} from "../../../protocol/topics/mod.ts";
import { Alarms } from "../../net/alarms.ts";
import { type CallOptions, type Settle, waitFor } from "../../net/deadline.ts";
import { ConnectionClosedError, TimeoutError } from "../../net/errors.ts";
import { reportFault } from "../../net/portable.ts";
import type { Socket } from "../../net/socket.ts";
import type { Traffic } from "../statistics.ts";
import { Pulse } from "./pulse.ts";
import { UnsentError } from "./retry.ts";

/** Requests of one connection that servers take at once; more of them wait here. */
export const MAX_IN_FLIGHT = 256;

/** Of those so many may wait at the server for messages: what is answered at once does not wait behind them. */
export const MAX_WAITING_IN_FLIGHT = 240;

/** Servers read nothing more while so many bytes of requests wait for answers. */
const MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024;

/** How long a server may say nothing, by default, in milliseconds. */
const SILENT_MS = 10_000;

/** A buffer that has grown beyond this is not kept, in bytes. */
const MAX_IDLE_BYTES = 1024 * 1024;

/** How a request is sent. */
export interface RequestOptions extends CallOptions {
  /** Milliseconds to wait for the reply. */
  readonly timeoutMs: number;
  /** Bits of `FLAG`. */
  readonly flags?: number;
}

/** A request, from when it is asked for until there is a reply. */
interface Exchange {
  /** Bytes that it takes, once it is sent. */
  bytes: number;
  /** Whether it may wait at the server for messages. */
  readonly isPatient: boolean;
  /** Appends it with an id. */
  send(writer: FrameWriter, id: number): void;
  /** Takes the payload of a result. */
  answered(payload: Uint8Array): void;
  /** There is no result. */
  failed(error: unknown): void;
}

/** One connection. */
export class TopicConnection {
  /** Resolves when the connection has ended: with nothing after {@linkcode TopicConnection.close}, else with the reason. */
  readonly closed: Promise<Error | undefined>;
  /** What the server can do besides, bits of `FEATURE`: nothing before it has said so. */
  features = 0;
  readonly #socket: Socket;
  readonly #traffic: Traffic;
  readonly #silentMs: number;
  readonly #pulse: Pulse;
  /** Those that wait for a reply, by id; those whose caller has given up keep their place until it comes. */
  readonly #exchanges = new Map<number, Exchange>();
  readonly #alarms = new Alarms();
  /** Those that wait for a place. */
  readonly #waiting = new Set<Exchange>();
  #lastId = 0;
  /** How many of those that wait for a reply are patient. */
  #patient = 0;
  /** Bytes of those that wait for a reply. */
  #bytes = 0;
  #outgoing = new FrameWriter();
  #spare = new FrameWriter();
  #writing: Promise<void> | undefined;
  #closing = false;
  /** Whether something could not be written. */
  #isBroken = false;
  #ended: ConnectionClosedError | undefined;
  #usedAt = performance.now();

  /** Takes over `socket`, which leads to a server; it is dead when nothing comes for `silentMs` although it was asked. */
  constructor(socket: Socket, traffic: Traffic, silentMs: number = SILENT_MS) {
    this.#socket = socket;
    this.#traffic = traffic;
    this.#silentMs = silentMs;
    this.#pulse = new Pulse({
      alarms: this.#alarms,
      silentMs,
      bytes: () => this.#bytes,
      ask: () => this.#askForLife(),
      dead: () => void this.#end(new Error("Server says nothing")),
    });
    this.closed = this.#read();
  }

  /** Whether requests can no longer be sent. */
  get isClosed(): boolean {
    return this.#closing || this.#ended !== undefined;
  }

  /** Since when nothing is under way, by `performance.now()`; `Infinity` while something is. */
  get idleSince(): number {
    return this.#exchanges.size > 0 || this.#writing !== undefined ? Infinity : this.#usedAt;
  }

  /**
   * Sends a request and waits for its reply.
   *
   * Rejects with the `TopicError` of the server; with `UnsentError` when the connection has ended before it was sent, with
   * `ConnectionClosedError` when after; with `TimeoutError` after `options.timeoutMs`, and with a `RangeError` when the request does
   * not fit a frame.
   */
  call<K extends RequestKind>(
    kind: K,
    request: Requests[K],
    { signal, timeoutMs, flags = 0 }: RequestOptions,
  ): Promise<Replies[K]> {
    const askedAt = performance.now();
    const all = flagsOf(request, flags);
    let settle!: Settle<Replies[K]>;
    const exchange: Exchange = {
      bytes: 0,
      isPatient: kind === "fetch" && (request as Requests["fetch"]).maxWaitMs > 0,
      send: (writer, id) => writeRequest(writer, id, kind, request, { flags: all }),
      answered: (payload) => settle.resolve(readReply(payload, kind, VERSION.second, all)),
      failed: (error) => settle.reject(error),
    };
    const deadline = {
      signal,
      timeoutMs,
      alarms: this.#alarms,
      timeoutError: () => {
        const text = `Server did not answer "${kind}" within ${Math.round(timeoutMs)} ms`;
        // Also of one that waits for a place: those that have them may wait for nothing.
        this.#overdue(askedAt);
        return this.#waiting.has(exchange) ? new UnsentError(text) : new TimeoutError(text);
      },
      giveUp: () => void this.#waiting.delete(exchange),
    };
    return waitFor<Replies[K]>(deadline, (own) => {
      settle = own;
      this.#begin(exchange);
    });
  }

  /** Sends a request that gets no reply. Resolves when it has left; rejects as {@linkcode TopicConnection.call} does. */
  async post<K extends RequestKind>(kind: K, request: Requests[K], flags: number): Promise<void> {
    if (this.isClosed) throw this.#unsent();
    const all = flagsOf(request, flags | FLAG.async);
    writeRequest(this.#outgoing, ++this.#lastId, kind, request, { flags: all });
    await this.#flush();
    if (this.isClosed || this.#isBroken) throw new ConnectionClosedError({ cause: this.#reason() });
  }

  /** Closes the connection; requests under way fail. Resolves when nothing of it is left. */
  async close(): Promise<void> {
    if (!this.isClosed) {
      this.#closing = true;
      this.#socket.close();
    }
    await this.closed;
  }

  #begin(exchange: Exchange): void {
    if (this.isClosed) throw this.#unsent();
    if (this.#hasPlace(exchange)) this.#send(exchange);
    else this.#waiting.add(exchange);
  }

  #hasPlace({ isPatient }: Exchange): boolean {
    return this.#exchanges.size < MAX_IN_FLIGHT &&
      (!isPatient || this.#patient < MAX_WAITING_IN_FLIGHT);
  }

  #send(exchange: Exchange): void {
    const id = ++this.#lastId;
    const before = this.#outgoing.length;
    exchange.send(this.#outgoing, id);
    exchange.bytes = this.#outgoing.length - before;
    this.#exchanges.set(id, exchange);
    this.#bytes += exchange.bytes;
    if (exchange.isPatient) this.#patient++;
    this.#pulse.asked();
    this.#flush().catch(reportFault);
  }

  /** Asks what any server answers at once, if it reads on; whether it does. */
  #askForLife(): boolean {
    if (this.#exchanges.size >= MAX_IN_FLIGHT || this.#bytes >= MAX_IN_FLIGHT_BYTES) return false;
    this.#send({
      bytes: 0,
      isPatient: false,
      send: (writer, id) => writeRequest(writer, id, "healthCheck", {}),
      answered() {},
      failed() {},
    });
    return true;
  }

  /** What is sent in one turn goes out in one write. Resolves when it has. */
  #flush(): Promise<void> {
    return this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    await Promise.resolve();
    try {
      while (this.#outgoing.length > 0 && !this.isClosed) {
        const writer = this.#outgoing;
        this.#outgoing = this.#spare;
        this.#traffic.bytesSent += writer.length;
        await this.#socket.write(writer.view());
        writer.reset();
        this.#spare = writer.capacity > MAX_IDLE_BYTES ? new FrameWriter() : writer;
      }
    } catch {
      // The server has gone, perhaps after a reply that is still to be read. Reading finds the end.
      this.#isBroken = true;
      this.#outgoing.reset();
    } finally {
      this.#usedAt = performance.now();
      this.#writing = undefined;
    }
  }

  async #read(): Promise<Error | undefined> {
    const splitter = replySplitter((bytes) => this.#receive(bytes));
    let cause: Error;
    try {
      await this.#socket.pump((bytes) => {
        this.#pulse.heard();
        this.#traffic.bytesReceived += bytes.length;
        splitter.push(bytes);
      });
      cause = new Error("Server closed the connection");
    } catch (error) {
      cause = isNonsense(error)
        ? new Error(`Server sends what is no reply: ${error.message}`, { cause: error })
        : new Error("Connection broke", { cause: error });
    }
    return this.#end(cause);
  }

  #end(cause: Error): Error | undefined {
    if (this.#ended === undefined) {
      const reason = this.#closing ? closedHere() : cause;
      if (!this.#closing) this.#socket.close();
      this.#ended = new ConnectionClosedError({ cause: reason });
      const under = [...this.#exchanges.values()];
      const waiting = [...this.#waiting];
      this.#exchanges.clear();
      this.#bytes = 0;
      this.#pulse.end();
      this.#waiting.clear();
      for (const exchange of under) exchange.failed(this.#ended);
      for (const exchange of waiting) exchange.failed(this.#unsent());
    }
    return this.#closing ? undefined : this.#ended;
  }

  #receive(bytes: Uint8Array): void {
    const { id, status, code, payload } = readReplyHead(bytes);
    const exchange = this.#exchanges.get(id as number);
    // Nobody has asked for it.
    if (exchange === undefined) return;
    // What cannot be read is thrown, and ends the connection with all that wait for it.
    if (status === STATUS.ok) exchange.answered(payload);
    else exchange.failed(new TopicError(code, readError(payload)));
    this.#exchanges.delete(id as number);
    this.#bytes -= exchange.bytes;
    if (exchange.isPatient) this.#patient--;
    this.#usedAt = performance.now();
    this.#next();
  }

  /** Sends one that has waited for a place. */
  #next(): void {
    for (const exchange of this.#waiting) {
      if (!this.#hasPlace(exchange)) continue;
      this.#waiting.delete(exchange);
      try {
        return this.#send(exchange);
      } catch (error) {
        // It does not fit a frame.
        exchange.failed(error);
      }
    }
  }

  #overdue(askedAt: number): void {
    const { heardAt } = this.#pulse;
    if (heardAt < askedAt && performance.now() - heardAt >= this.#silentMs) {
      queueMicrotask(() => this.#end(new Error("Server says nothing")));
    }
  }

  #reason(): unknown {
    return this.#ended?.cause ?? closedHere();
  }

  #unsent(): UnsentError {
    return new UnsentError("Connection is closed", { cause: this.#reason() });
  }
}

/** Why a connection has ended that the program has closed. */
export function closedHere(): Error {
  return new Error("Client was closed by this program");
}

function isNonsense(error: unknown): error is Error {
  return error instanceof FrameError || error instanceof PayloadError;
}
