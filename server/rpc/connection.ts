/**
 * One RPC connection: bytes in, requests one after the other, answers out.
 *
 * @module
 */

import { Splitter } from "../../protocol/msgpack/mod.ts";
import { type Conversation, REQUEST_LIMITS } from "./conversation.ts";
import { FIRST_READ_BYTES, LINGER_MS, MAX_READ_BYTES, MAX_REQUEST_BYTES } from "./limits.ts";
import type { Session } from "./session.ts";

/** Reads requests from a TCP connection until either side ends it. */
export class Connection {
  /** What the agent remembers of it. */
  readonly session: Session;
  readonly #conn: Deno.TcpConn;
  readonly #conversation: Conversation;
  readonly #splitter: Splitter;
  /** Whole values that wait to be taken. */
  readonly #values: Uint8Array[] = [];
  #closed = false;

  /** @param session Its output must write to `conn`. */
  constructor(conn: Deno.TcpConn, session: Session, conversation: Conversation) {
    this.session = session;
    this.#conn = conn;
    this.#conversation = conversation;
    this.#splitter = new Splitter((value) => this.#values.push(value), {
      ...REQUEST_LIMITS,
      maxValueBytes: MAX_REQUEST_BYTES,
    });
  }

  /** Whether it is closed. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Serves the client. Resolves, and never rejects, when the connection is closed.
   *
   * Requests wait here while a command runs and while the client does not read its answers. `conn.readable` would close
   * the connection at the end of the input, and take away what the client is still to read.
   *
   * @param onEnd called then
   */
  async serve(onEnd: (connection: Connection) => void): Promise<void> {
    const { output } = this.session;
    try {
      this.#conn.setNoDelay(true);
      let buffer = new Uint8Array(FIRST_READ_BYTES);
      while (this.#takesRequests) {
        const count = await this.#conn.read(buffer);
        if (count === null) break;
        const problem = this.#split(buffer.subarray(0, count));
        for (const value of this.#values) {
          if (!this.#takesRequests) break;
          const running = this.#conversation.take(value);
          if (running !== undefined) await running;
          if (output.congested) await output.drained();
        }
        // They are views of the buffer.
        this.#values.length = 0;
        if (problem !== undefined && this.#takesRequests) this.#conversation.fail(problem);
        // Before the next read, which is a system call that the client would wait for.
        output.flush();
        buffer = nextBuffer(buffer, count);
      }
      if (this.#conversation.ended) await this.#linger();
      else await this.#finish();
    } catch {
      // The client is gone, or the connection was closed here.
    }
    this.close();
    onEnd(this);
  }

  /** Closes the connection at once and frees what it has. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.session.close();
    this.#conn.close();
  }

  get #takesRequests(): boolean {
    return !this.#closed && !this.#conversation.ended;
  }

  /** Adds what is whole in `chunk` to the values; returns what is wrong with the rest. */
  #split(chunk: Uint8Array): unknown {
    try {
      this.#splitter.push(chunk);
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** The client sends no more, but may still read: it gets what it has asked for, and no more records. */
  async #finish(): Promise<void> {
    this.session.end();
    await this.session.output.drained(0);
  }

  /**
   * Lets the client read its last answer. Closing with unread requests in the receive buffer would reset the connection
   * and take the answer away, so what the client still sends is read and thrown away for a while.
   */
  async #linger(): Promise<void> {
    const limit = setTimeout(() => this.close(), LINGER_MS);
    try {
      await this.session.output.drained(0);
      if (this.#closed) return;
      await this.#conn.closeWrite();
      const buffer = new Uint8Array(MAX_READ_BYTES);
      while (!this.#closed && await this.#conn.read(buffer) !== null);
    } finally {
      clearTimeout(limit);
    }
  }
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
