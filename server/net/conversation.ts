/**
 * What a port makes of the bytes of one peer: the part of a connection that knows the protocol.
 *
 * A port brings a {@linkcode Parser}, which cuts bytes into messages, and a {@linkcode Conversation}, which takes them in
 * order and puts what it has to say into the outbox of its {@linkcode Peer}. Everything else is the connection's.
 *
 * @module
 */

import type { Outbox } from "./outbox.ts";
import type { ByteWriter } from "./writer_pool.ts";

/** The other end of a connection. */
export interface Peer<W extends ByteWriter> {
  /** Its `ip:port`, by which logs name it. */
  readonly name: string;
  /** Its address without the port: what limits go by. */
  readonly source: string;
  /** Where answers and records for it go. */
  readonly outbox: Outbox<W>;
  /** It has shown that it speaks the protocol, and who it is if that matters: the limits for strangers end. */
  know(): void;
  /** Closes the connection at once, whatever waits. Not while the conversation begins. */
  close(): void;
  /**
   * Ends the connection although the other end may be silent: no further message is taken, what is in the outbox is sent, and
   * the other end gets a moment to read it. The conversation must have {@linkcode Conversation.ended}.
   */
  hangUp(): void;
}

/** A peer sent more of a message that is not whole yet than it may: as a stranger, or beside all that others do. */
export class UnfinishedLimitError extends Error {
  override readonly name = "UnfinishedLimitError";
}

/** Cuts a stream of bytes into whole messages, wherever the network cut it. */
export interface Parser {
  /**
   * Takes the next bytes and hands out, at once, each message that is whole; it may be a view of `bytes`. Throws when no
   * message can begin with what is there.
   */
  push(bytes: Uint8Array): void;
  /** Bytes that it holds of a message which is not whole yet. */
  readonly pending: number;
}

/** What is said with one peer. Whatever its functions throw is a fault of the program and closes the connection. */
export interface Conversation {
  /** Finds the messages of the peer. */
  readonly parser: Parser;
  /** Whether the connection is to be closed once the answers are out; no message is taken any more. */
  readonly ended: boolean;
  /**
   * Takes the next message, whose bytes last until it is dealt with. Returns a promise when the next message, and further
   * bytes, have to wait: because one thing is done after the other, or because enough is under way.
   */
  take(message: Uint8Array): Promise<void> | undefined;
  /** The parser threw this, or a {@linkcode UnfinishedLimitError} is due. Throws it again when it is no fault of the peer's. */
  fail(error: unknown): void;
  /**
   * The peer sends no more, or is not listened to any more, but it still reads. Ends records, and resolves when everything
   * that was asked for is in the outbox. May be called again.
   */
  finish(): Promise<void> | void;
  /** The connection is gone: frees everything. Called once. */
  close(): void;
}
