/**
 * One connection: bytes in, messages one after the other, answers out.
 *
 * @module
 */

import { joinHostPort } from "../../protocol/host_port.ts";
import type { Admission } from "./admission.ts";
import { type Conversation, type Peer, UnfinishedLimitError } from "./conversation.ts";
import { FIRST_READ_BYTES, LINGER_MS, MAX_READ_BYTES } from "./limits.ts";
import { FAIR_BYTES, Outbox, type OutboxLimits, type SharedBacklog } from "./outbox.ts";
import { plainHost } from "./problems.ts";
import type { SecureWire, Wire } from "./wire/wire.ts";
import type { ByteWriter, WriterPool } from "./writer_pool.ts";

/** What one connection may hold. */
export interface ConnectionLimits extends OutboxLimits {
  /** Bytes of a message that is not whole yet, and bytes of answers that wait, of a stranger. */
  readonly strangerBytes: number;
  /** Messages of all peers that share it which are not whole yet. Default: each counts for itself. */
  readonly unfinished?: SharedBacklog;
}

/** What the connections of a port have in common. */
export interface ConnectionParts<W extends ByteWriter, C extends Conversation> {
  /** The buffers for what is sent. */
  readonly writers: WriterPool<W>;
  /** How much may wait of one peer, and for it. */
  readonly limits: ConnectionLimits;
  /** Keeps count of the connections. */
  readonly admission: Admission;
  /**
   * Begins a conversation. Must not close the connection.
   *
   * @param deliver The parser has to call it with each message.
   */
  readonly open: (peer: Peer<W>, deliver: (message: Uint8Array) => void) => C;
  /** Gets what nobody expected to be thrown. */
  readonly onUnexpected: (error: unknown) => void;
  /** Whether peers have nothing to show: they are known at once, on TLS after its handshake. Default: they have. */
  readonly knowsAll?: boolean;
  /** Told why a handshake of TLS failed. Others can cause it, many times a second. */
  readonly onHandshakeFailure?: (peer: Peer<W>, cause: unknown) => void;
}

/** Takes a peer's messages until either side ends the connection. */
export class Connection<W extends ByteWriter, C extends Conversation> implements Peer<W> {
  /** The peer's `ip:port`. */
  readonly name: string;
  /** The peer's address without the port. */
  readonly source: string;
  /** Where answers and records go. */
  readonly outbox: Outbox<W>;
  /** What is said. */
  readonly conversation: C;
  readonly #conn: Wire;
  readonly #admission: Admission;
  readonly #strangerBytes: number;
  readonly #parts: ConnectionParts<W, C>;
  readonly #onUnexpected: (error: unknown) => void;
  /** Whole messages that wait to be taken. */
  readonly #messages: Uint8Array[] = [];
  /** The message that is being dealt with, when it takes time. */
  #running: Promise<void> | undefined;
  #stranger = true;
  /** What the shared count of unfinished messages has of this one. */
  #unfinished = 0;
  #draining = false;
  #closed = false;
  /** Closes the connection if the peer does not. */
  #limit: ReturnType<typeof setTimeout> | undefined;

  /** Takes over `conn`, which was admitted. */
  constructor(conn: Wire, parts: ConnectionParts<W, C>) {
    const { hostname, port } = conn.remoteAddr as Deno.NetAddr;
    this.source = plainHost(hostname);
    this.name = joinHostPort(this.source, port);
    this.#conn = conn;
    this.#admission = parts.admission;
    this.#strangerBytes = parts.limits.strangerBytes;
    this.#parts = parts;
    this.#onUnexpected = parts.onUnexpected;
    this.outbox = new Outbox(conn, parts.writers, parts.limits, (fault) => {
      this.close();
      if (fault !== undefined) this.#onUnexpected(fault);
    });
    this.#admission.enter(this);
    try {
      this.conversation = parts.open(this, (message) => this.#messages.push(message));
    } catch (error) {
      this.#admission.leave(this);
      throw error;
    }
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Ends the limits for strangers. */
  know(): void {
    this.#stranger = false;
    this.#admission.know(this);
  }

  /**
   * Serves the peer. Resolves, and never rejects, when the connection is closed.
   *
   * @param onEnd called then
   */
  async serve(onEnd: (connection: this) => void): Promise<void> {
    try {
      await this.#converse();
    } catch (error) {
      this.#onUnexpected(error);
    }
    this.close();
    onEnd(this);
  }

  /** Takes no further message. Resolves when what was asked for before is answered and sent, or the connection is closed. */
  async drain(): Promise<void> {
    this.#draining = true;
    try {
      // When it fails, it does so in the loop, too.
      await Promise.allSettled([this.#running]);
      await this.#finish();
    } catch (error) {
      this.#onUnexpected(error);
    }
  }

  /** As {@linkcode Peer.hangUp}. The read that waits ends when the peer closes its end, too. */
  hangUp(): void {
    if (this.#closed || this.#limit !== undefined) return;
    this.#draining = true;
    this.#limit = setTimeout(() => this.close(), LINGER_MS);
    this.outbox.drained(0).then(() => this.#conn.closeWrite()).catch(() => {
      // The peer is gone, or the connection was closed here.
    });
  }

  /** Closes the connection at once and frees what it has. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#limit);
    this.#admission.leave(this);
    this.#countUnfinished(0);
    this.outbox.close();
    this.#conn.close();
    try {
      this.conversation.close();
    } catch (error) {
      this.#onUnexpected(error);
    }
  }

  get #takesMessages(): boolean {
    return !this.#closed && !this.#draining && !this.conversation.ended;
  }

  /**
   * Messages wait here while one is dealt with and while the peer does not read its answers. `conn.readable` would close
   * the connection at the end of the input, and take away what the peer is still to read.
   */
  async #converse(): Promise<void> {
    const { outbox, conversation } = this;
    if (isSecure(this.#conn) && !await this.#shakeHands(this.#conn)) return;
    if (this.#parts.knowsAll === true) this.know();
    let buffer = new Uint8Array(FIRST_READ_BYTES);
    while (this.#takesMessages) {
      let count: number | null;
      try {
        count = await this.#conn.read(buffer);
      } catch {
        // The peer is gone, or the connection was closed here.
        return;
      }
      if (count === null) break;
      let problem = this.#split(buffer.subarray(0, count));
      for (const message of this.#messages) {
        if (!this.#takesMessages) break;
        const running = conversation.take(message);
        if (running !== undefined) {
          this.#running = running;
          await running;
          this.#running = undefined;
        }
        if (outbox.congested) await outbox.drained();
        else if (this.#stranger && outbox.backlog > this.#strangerBytes) await outbox.drained(0);
      }
      // They are views of the buffer.
      this.#messages.length = 0;
      problem ??= this.#excess();
      if (problem !== undefined && this.#takesMessages) conversation.fail(problem);
      // Before the next read, which is a system call that the peer would wait for.
      outbox.flush();
      if (!this.#stranger) buffer = nextBuffer(buffer, count);
    }
    if (conversation.ended) await this.#linger();
    else await this.#finish();
  }

  /** Whether the peer speaks TLS, and has said so before its time as a stranger was over. */
  async #shakeHands(conn: SecureWire): Promise<boolean> {
    try {
      await conn.handshake();
      return !this.#closed;
    } catch (cause) {
      if (!this.#closed) this.#parts.onHandshakeFailure?.(this, cause);
      return false;
    }
  }

  /** Adds what is whole in `chunk` to the messages; returns what is wrong with the rest. */
  #split(chunk: Uint8Array): unknown {
    try {
      this.conversation.parser.push(chunk);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** What is wrong with the size of a message that is not whole yet, if anything. */
  #excess(): UnfinishedLimitError | undefined {
    const { pending } = this.conversation.parser;
    this.#countUnfinished(pending);
    if (this.#stranger && pending > this.#strangerBytes) {
      return new UnfinishedLimitError(
        `Message of a stranger takes ${pending} or more of ${this.#strangerBytes} bytes`,
      );
    }
    if (pending <= FAIR_BYTES || !this.#parts.limits.unfinished?.isFull) return undefined;
    return new UnfinishedLimitError("Messages of all clients that are not whole take too much");
  }

  #countUnfinished(bytes: number): void {
    const { unfinished } = this.#parts.limits;
    if (unfinished === undefined || this.#closed && bytes > 0) return;
    unfinished.bytes += bytes - this.#unfinished;
    this.#unfinished = bytes;
  }

  /** No more messages are taken, but the peer may still read: it gets what it has asked for, and no more records. */
  async #finish(): Promise<void> {
    if (!this.#closed) await this.conversation.finish();
    await this.outbox.drained(0);
  }

  /**
   * Lets the peer read its last answer. Closing with unread bytes in the receive buffer would reset the connection and
   * take the answer away, so what the peer still sends is read and thrown away for a while.
   */
  async #linger(): Promise<void> {
    const limit = setTimeout(() => this.close(), LINGER_MS);
    try {
      await this.outbox.drained(0);
      if (this.#closed) return;
      await this.#conn.closeWrite();
      const buffer = new Uint8Array(MAX_READ_BYTES);
      while (!this.#closed && await this.#conn.read(buffer) !== null);
    } catch {
      // The peer is gone, or has had its time.
    } finally {
      clearTimeout(limit);
    }
  }
}

function isSecure(conn: Wire): conn is SecureWire {
  return "handshake" in conn;
}

/**
 * The buffer for the next read: the same memory while the size fits, twice as much after a full read, just enough after a
 * small one, since a waiting read holds on to it.
 */
function nextBuffer(last: Uint8Array<ArrayBuffer>, used: number): Uint8Array<ArrayBuffer> {
  const size = last.length;
  if (used === size && size < MAX_READ_BYTES) return new Uint8Array(size * 2);
  if (used < size / 4 && size > FIRST_READ_BYTES) return new Uint8Array(size / 2);
  return last;
}
