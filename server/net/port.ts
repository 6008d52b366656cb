/**
 * One port of an agent: a listener, its connections, the search for peers that do not read, and the end of it all.
 *
 * @module
 */

import { Connection, type ConnectionParts } from "./connection.ts";
import type { Conversation, Peer } from "./conversation.ts";
import { within } from "./deadline.ts";
import { Listener } from "./listener.ts";
import { sendAtOnce } from "./wire/promptness.ts";
import type { SecureWire, Wire } from "./wire/wire.ts";
import { type Refusal, Refusals } from "./refusals.ts";
import type { ByteWriter } from "./writer_pool.ts";

/** How often stalled peers are looked for, as a part of the time they have. */
const SWEEPS_PER_LIMIT = 6;

/** What a port is made of. */
export interface PortParts<W extends ByteWriter, C extends Conversation>
  extends ConnectionParts<W, C> {
  /** A peer that takes no byte for this long, although some wait, is disconnected; in milliseconds. */
  readonly stallLimitMs: number;
  /** Answers that are under way get this long when the port closes, in milliseconds. */
  readonly drainLimitMs: number;
  /** Told when no connection could be accepted. Others can cause it, many times a second. */
  readonly onAcceptFailure: (cause: unknown) => void;
  /** Told when a peer was disconnected because it read nothing. */
  readonly onStall: (peer: Peer<W>) => void;
  /** Puts TLS around a connection. Default: connections are not encrypted. */
  readonly secure?: (wire: Wire) => SecureWire;
  /** What a peer is told that finds no room. Default: it is disconnected without a word. */
  readonly refusal?: Refusal;
}

/** Serves all who connect, until it is closed. */
export class Port<W extends ByteWriter, C extends Conversation> implements AsyncDisposable {
  /** Where it listens. */
  readonly address: Deno.NetAddr;
  readonly #listener: Listener<Deno.TcpConn>;
  readonly #parts: PortParts<W, C>;
  /** The open connections, each with what resolves when it has ended. */
  readonly #connections = new Map<Connection<W, C>, Promise<void>>();
  readonly #refusals = new Refusals();
  #sweep: ReturnType<typeof setInterval> | undefined;
  #closed: Promise<void> | undefined;

  /** Begins to serve. Takes over `socket`. */
  constructor(socket: Deno.Listener<Deno.TcpConn>, parts: PortParts<W, C>) {
    this.#listener = new Listener(socket);
    this.#parts = parts;
    this.address = this.#listener.address;
    this.#listener.start((conn) => this.#serve(conn), parts.onAcceptFailure);
  }

  /** How many connections are open. */
  get size(): number {
    return this.#connections.size;
  }

  /** What is said on the open connections. */
  *conversations(): Iterable<C> {
    for (const { conversation } of this.#connections.keys()) yield conversation;
  }

  /** Stops listening, gives answers under way a moment, and closes all connections. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Same as {@linkcode Port.close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { drainLimitMs } = this.#parts;
    const accepting = this.#listener.close();
    clearInterval(this.#sweep);
    const connections = [...this.#connections.keys()];
    const served = [...this.#connections.values()];
    const drained = connections.map((connection) => connection.drain());
    this.#refusals.close();
    await within(drainLimitMs, Promise.all(drained));
    for (const connection of connections) connection.close();
    // A message that is still being dealt with must not keep the program from ending.
    await within(drainLimitMs, Promise.all(served));
    await accepting;
  }

  #serve(plain: Deno.TcpConn): void {
    const { admission, refusal, onUnexpected, secure } = this.#parts;
    const secured = (): Wire => secure === undefined ? plain : secure(plain);
    if (!admission.admit((plain.remoteAddr as Deno.NetAddr).hostname)) {
      // To encrypt a refusal is work, of which there is so much at a time.
      if (refusal === undefined || !this.#refusals.hasRoom) return plain.close();
      this.#refusals.refuse(secured(), refusal).catch(onUnexpected);
      return;
    }
    sendAtOnce(plain);
    const conn = secured();
    let connection: Connection<W, C>;
    try {
      connection = new Connection(conn, this.#parts);
    } catch (error) {
      conn.close();
      return onUnexpected(error);
    }
    const served = connection.serve(this.#forget);
    if (connection.closed) return;
    this.#connections.set(connection, served);
    this.#sweep ??= setInterval(
      () => this.#closeStalled(),
      this.#parts.stallLimitMs / SWEEPS_PER_LIMIT,
    );
  }

  readonly #forget = (connection: Connection<W, C>): void => {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  };

  #closeStalled(): void {
    const now = performance.now();
    for (const connection of this.#connections.keys()) {
      if (connection.outbox.stalledFor(now) < this.#parts.stallLimitMs) continue;
      connection.close();
      this.#parts.onStall(connection);
    }
  }
}
