/**
 * A connection to the session port of a simulated server: the real conversation and outbox, on a simulated stream.
 *
 * @module
 */

import type { LineWriter } from "../../../../protocol/kv/mod.ts";
import {
  type ClientMessage,
  readClientMessage,
  readServerMessage,
  type ServerMessage,
} from "../../../../protocol/sessions/mod.ts";
import type { Peer } from "../../../../server/net/conversation.ts";
import { Outbox } from "../../../../server/net/outbox.ts";
import type { WriterPool } from "../../../../server/net/writer_pool.ts";
import { SessionConversation } from "../../../../server/sessions/conversation.ts";
import { MAX_BACKLOG_BYTES } from "../../../../server/sessions/limits.ts";
import type { Services } from "../../../../server/sessions/services.ts";
import type { SimStream } from "../../simulation/stream.ts";

const LENGTH_BYTES = 4;

/** What a connection is made of. */
export interface ConnectionParts {
  readonly writers: WriterPool<LineWriter>;
  readonly services: Services;
  /** A message is about to be taken, or was put into the outbox. */
  readonly hears: (connection: SimulatedConnection, message: ClientMessage) => void;
  readonly says: (connection: SimulatedConnection, message: ServerMessage) => void;
  /** It has ended. */
  readonly ended: (connection: SimulatedConnection) => void;
}

/** An outbox whose messages are looked at. */
class OpenOutbox extends Outbox<LineWriter> {
  /** Gets each message. */
  says: (message: ServerMessage) => void = () => {};

  override append(bytes: Uint8Array): void {
    this.says(readServerMessage(bytes.subarray(LENGTH_BYTES)));
    super.append(bytes);
  }
}

/** The connection. */
export class SimulatedConnection implements Peer<LineWriter> {
  readonly name = "client";
  readonly source = "client";
  readonly stream: SimStream;
  readonly outbox: OpenOutbox;
  readonly conversation: SessionConversation;
  /** The session that it is on, once the client is told so. */
  session: string | undefined;
  /** The session that the client has asked for. */
  wanted = "";
  readonly #parts: ConnectionParts;
  readonly #messages: Uint8Array[] = [];
  #isClosed = false;

  /** Takes the stream over. */
  constructor(stream: SimStream, parts: ConnectionParts) {
    this.stream = stream;
    this.#parts = parts;
    const write = async (bytes: Uint8Array): Promise<number> => {
      await stream.write(bytes);
      return bytes.length;
    };
    const limits = { backlogBytes: MAX_BACKLOG_BYTES, waitingRecords: 0, waitingBytes: 0 };
    this.outbox = new OpenOutbox({ write }, parts.writers, limits, () => this.close());
    this.outbox.says = (message) => parts.says(this, message);
    this.conversation = new SessionConversation(this, parts.services, (message) => {
      this.#messages.push(message);
    });
  }

  /** See {@linkcode Peer.know}. */
  know(): void {}

  /** See {@linkcode Peer.hangUp}. */
  hangUp(): void {
    this.outbox.drained(0).then(() => this.close());
  }

  /** See {@linkcode Peer.close}. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.outbox.close();
    this.stream.close();
    this.conversation.close();
    this.#parts.ended(this);
  }

  /** Takes messages until either side ends it. */
  async serve(): Promise<void> {
    const { conversation, outbox, stream } = this;
    while (this.#takesMessages) {
      const chunk = await stream.read().catch(() => undefined);
      if (chunk === undefined) return this.close();
      if (chunk === null) break;
      conversation.parser.push(chunk);
      for (const message of this.#messages.splice(0)) {
        if (!this.#takesMessages) break;
        this.#parts.hears(this, readClientMessage(message));
        const running = conversation.take(message);
        if (running !== undefined) await running;
      }
      outbox.flush();
    }
    if (!conversation.ended) await conversation.finish();
    await outbox.drained(0);
    this.close();
  }

  get #takesMessages(): boolean {
    return !this.#isClosed && !this.conversation.ended;
  }
}
