/**
 * The mode `echo` of the port: what a client sends comes back, byte for byte.
 *
 * @module
 */

import type { LineWriter } from "../../protocol/kv/mod.ts";
import type { Conversation, Parser, Peer } from "../net/conversation.ts";

/** Sends back what comes. */
export class EchoConversation implements Conversation {
  /** Hands on what comes as it comes. */
  readonly parser: Parser;
  /** It goes on until the client ends it. */
  readonly ended = false;
  readonly #peer: Peer<LineWriter>;

  /** @param deliver Gets each piece. */
  constructor(peer: Peer<LineWriter>, deliver: (piece: Uint8Array) => void) {
    this.parser = { push: deliver, pending: 0 };
    this.#peer = peer;
  }

  /** Sends a piece back. */
  take(piece: Uint8Array): undefined {
    // The next read writes over it.
    this.#peer.outbox.append(piece.slice());
  }

  /** The parser throws nothing. */
  fail(error: unknown): void {
    throw error;
  }

  /** Nothing is under way. */
  finish(): void {}

  /** There is nothing to free. */
  close(): void {}

  /** Nothing is too late. */
  sweep(): void {}

  /** Nobody has rights. */
  recheck(): void {}
}
