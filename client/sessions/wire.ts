/**
 * One connection to the session port of a server: messages out, messages in.
 *
 * @module
 */

import {
  clientFrame,
  type ClientMessage,
  frameSplitter,
  MessageError,
  readServerMessage,
  type ServerMessage,
} from "../../protocol/sessions/mod.ts";
import { concatBytes } from "../../protocol/bytes.ts";
import { pause } from "../net/deadline.ts";
import { dial, type TlsOptions } from "../net/dial.ts";
import type { Socket } from "../net/socket.ts";

/** A write takes whole messages up to about so many bytes. */
const WRITE_BYTES = 256 * 1024;

/** How long a connection that is given up may take to write what was sent, in milliseconds. */
const FLUSH_MS = 1_000;

/** What hears of a connection. */
export interface WireListener {
  /** It has come about. */
  opened(): void;
  /** A message has come. */
  message(message: ServerMessage): void;
  /** Bytes have come, and with them the end of no message. */
  heard(): void;
  /** It did not come about, or has ended, and not by {@linkcode Wire.close}. */
  lost(error: Error): void;
}

/** A connection, from dialling on. */
export class Wire {
  /** Resolves when nothing of it is left. */
  readonly ended: Promise<void>;
  readonly #listener: WireListener;
  readonly #closing = new AbortController();
  #socket: Socket | undefined;
  #outgoing: ClientMessage[] = [];
  #writing: Promise<void> | undefined;
  #isBehind = false;

  /** Connects to `address`, for at most `timeoutMs` milliseconds. */
  constructor(
    address: string,
    options: { readonly timeoutMs: number; readonly tls: TlsOptions | undefined },
    listener: WireListener,
  ) {
    this.#listener = listener;
    this.ended = this.#run(address, options);
  }

  /** Sends a message. What is sent `again` is left out while the server does not take what was sent before. */
  send(message: ClientMessage, again: boolean): void {
    if (this.#closing.signal.aborted || (again && this.#isBehind)) return;
    const last = this.#outgoing.length - 1;
    const isAck = message.kind === "serverRequestAck";
    // An acknowledgement is one of everything before.
    if (isAck && this.#outgoing[last]?.kind === message.kind) this.#outgoing[last] = message;
    else this.#outgoing.push(message);
    this.#writing ??= this.#write();
  }

  /** Writes what was sent, and closes the connection. Nothing is heard of it any more. Resolves with `ended`. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#writing !== undefined) {
      const flushed = new AbortController();
      const limit = pause(FLUSH_MS, flushed.signal);
      await Promise.race([this.#writing, limit]);
      flushed.abort();
      await limit;
    }
    this.#socket?.close();
    await this.ended;
  }

  async #run(address: string, options: Parameters<typeof dial>[1]): Promise<void> {
    const { signal } = this.#closing;
    let error: Error;
    try {
      const socket = await dial(address, { ...options, signal });
      this.#socket = socket;
      if (signal.aborted) socket.close();
      error = await this.#read(socket);
      socket.close();
    } catch (failure) {
      error = failure as Error;
    }
    if (!signal.aborted) this.#listener.lost(error);
  }

  /** Why nothing more comes. */
  async #read(socket: Socket): Promise<Error> {
    const { signal } = this.#closing;
    let count = 0;
    const splitter = frameSplitter((bytes) => {
      count++;
      if (!signal.aborted) this.#listener.message(readServerMessage(bytes));
    });
    try {
      const pumping = socket.pump((bytes) => {
        const before = count;
        splitter.push(bytes);
        if (count === before && !signal.aborted) this.#listener.heard();
      });
      if (!signal.aborted) this.#listener.opened();
      await pumping;
      return new Error("Server closed the connection");
    } catch (error) {
      if (error instanceof MessageError) return error;
      return new Error("Connection broke", { cause: error });
    }
  }

  /** What is sent in one turn goes out in one write, or in a few when it is much. */
  async #write(): Promise<void> {
    await Promise.resolve();
    try {
      while (this.#outgoing.length > 0 && this.#socket !== undefined) {
        const frames: Uint8Array[] = [];
        for (let bytes = 0; frames.length < this.#outgoing.length && bytes < WRITE_BYTES;) {
          const frame = clientFrame(this.#outgoing[frames.length] as ClientMessage);
          frames.push(frame);
          bytes += frame.length;
        }
        this.#outgoing.splice(0, frames.length);
        this.#isBehind = true;
        await this.#socket.write(concatBytes(frames));
        this.#isBehind = false;
      }
    } catch {
      // The server has gone. Reading finds the end.
      this.#outgoing = [];
    } finally {
      this.#writing = undefined;
    }
  }
}
