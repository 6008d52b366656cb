/**
 * The rules of an RPC conversation: which value is a header and which a body, what is answered when, and what ends it
 * (docs/spec/agent.md 1.5).
 *
 * @module
 */

import { COMMANDS, IpcError, isCommandName, RequestHeader } from "../../protocol/ipc/mod.ts";
import { DecodeError, Reader, Splitter, type Writer } from "../../protocol/msgpack/mod.ts";
import type { LogLevel } from "../logging/log.ts";
import { type Conversation, type Parser, UnfinishedLimitError } from "../net/conversation.ts";
import type { Outbox } from "../net/outbox.ts";
import type { ClientState } from "./client_state.ts";
import { type Handler, handlerOf } from "./dispatch.ts";
import { type Answer, type Services, textOf } from "./handler.ts";
import { MAX_REQUEST_BYTES, MAX_REQUEST_COUNT, MAX_REQUEST_DEPTH } from "./limits.ts";
import { respond } from "./response.ts";

/** Bounds of one header or body. */
const REQUEST_LIMITS = {
  maxDepth: MAX_REQUEST_DEPTH,
  maxCount: MAX_REQUEST_COUNT,
  maxBytes: MAX_REQUEST_BYTES,
} as const;

/** What the next value of the client is. */
type Expected =
  | { readonly kind: "header" }
  | { readonly kind: "body"; readonly handler: Handler; readonly seq: number | bigint }
  /** The body of a command that was refused before it was looked at. */
  | { readonly kind: "unread-body" }
  /** After an unknown command that was refused: a body, if it is no header. */
  | { readonly kind: "maybe-unread-body" };

/** MessagePack's nil. Where a header is due it is skipped: some clients write one for a missing body (docs/spec/agent.md 1.3). */
const NIL = 0xc0;

const HEADER: Expected = { kind: "header" };

/** A header with the fields that the client sent. */
type SentHeader = { -readonly [K in keyof RequestHeader]: RequestHeader[K] | undefined };

/** Answers the values of one client, strictly in order. */
export class RpcConversation implements Conversation {
  /** Cuts what the client sends into values. */
  readonly parser: Parser;
  /** What the agent remembers of the client. */
  readonly client: ClientState;
  readonly #outbox: Outbox<Writer>;
  readonly #services: Services;
  #expected: Expected = HEADER;
  #ended = false;

  /** @param deliver Gets each value from the parser. */
  constructor(client: ClientState, services: Services, deliver: (value: Uint8Array) => void) {
    this.parser = new Splitter(deliver, { ...REQUEST_LIMITS, maxValueBytes: MAX_REQUEST_BYTES });
    this.client = client;
    this.#outbox = client.peer.outbox;
    this.#services = services;
  }

  /** Whether the connection is to be closed once the answers are out. */
  get ended(): boolean {
    return this.#ended;
  }

  /**
   * Takes the next value. Returns a promise when its command takes time; the next value must wait for it.
   */
  take(value: Uint8Array): Promise<void> | undefined {
    const expected = this.#expected;
    this.#expected = HEADER;
    switch (expected.kind) {
      case "unread-body":
        return undefined;
      case "body":
        return this.#takeBody(value, expected.handler, expected.seq);
      default:
        return this.#takeHeader(value, expected.kind === "maybe-unread-body");
    }
  }

  /** The client sent bytes that cannot be split into values. */
  fail(error: unknown): void {
    if (!(error instanceof DecodeError || error instanceof UnfinishedLimitError)) throw error;
    if (this.#expected.kind === "body") this.#end(`decode failed: ${error.message}`);
    else this.#endAtHeader(error.message);
  }

  /** Ends streams, monitor and queries. */
  finish(): void {
    this.client.end();
  }

  /** Ends everything that the client has. */
  close(): void {
    this.client.end();
  }

  #takeHeader(value: Uint8Array, mayBeBody: boolean): Promise<void> | undefined {
    if (value[0] === NIL) return undefined;
    const header: SentHeader = { Command: undefined, Seq: undefined };
    try {
      RequestHeader.readInto(new Reader(value, 0, REQUEST_LIMITS), header as RequestHeader);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#endAtHeader(error.message);
    }
    const { Command, Seq } = header;
    if (Command !== undefined && Seq !== undefined) return this.#evaluate(Command, Seq);
    if (mayBeBody && Command === undefined && Seq === undefined) return undefined;
    const missing = Command === undefined ? "Command" : "Seq";
    return this.#endAtHeader(`Field "${missing}" is missing`);
  }

  #evaluate(name: string, seq: number | bigint): Promise<void> | undefined {
    const { shaken, authenticated } = this.client;
    if (!shaken && name !== "handshake") {
      respond(this.#outbox, seq, IpcError.handshakeRequired);
      return this.#end(IpcError.handshakeRequired);
    }
    this.#services.backend.metrics?.count("agent.ipc.command");
    const handler = handlerOf(name);
    if (this.#services.token.length > 0 && !authenticated && handler?.open !== true) {
      this.#log("WARN", "Client sending commands before auth");
      respond(this.#outbox, seq, IpcError.authRequired);
      if (!isCommandName(name)) this.#expected = { kind: "maybe-unread-body" };
      else if (COMMANDS[name].request !== null) this.#expected = { kind: "unread-body" };
      return undefined;
    }
    if (handler === undefined) {
      respond(this.#outbox, seq, IpcError.unsupportedCommand);
      return this.#end(`command '${name}' not recognized`);
    }
    if (handler.request === null) return this.#run(handler, seq, null);
    this.#expected = { kind: "body", handler, seq };
    return undefined;
  }

  #takeBody(
    value: Uint8Array,
    handler: Handler,
    seq: number | bigint,
  ): Promise<void> | undefined {
    let body: unknown;
    try {
      body = handler.request?.read(new Reader(value, 0, REQUEST_LIMITS));
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return this.#end(`decode failed: ${error.message}`);
    }
    return this.#run(handler, seq, body);
  }

  #run(handler: Handler, seq: number | bigint, body: unknown): Promise<void> | undefined {
    let answer: Answer | Promise<Answer>;
    try {
      answer = handler.run({ client: this.client, seq, services: this.#services }, body);
    } catch (error) {
      return this.#refuse(seq, error);
    }
    if (!(answer instanceof Promise)) return this.#send(seq, answer);
    return answer.then((late) => this.#send(seq, late), (error) => this.#refuse(seq, error));
  }

  /** Answers once. What `after` throws is no other answer, but a fault of the program. */
  #send(seq: number | bigint, { error = "", body, last = false, after }: Answer): undefined {
    try {
      respond(this.#outbox, seq, error, body);
    } catch (problem) {
      return this.#refuse(seq, problem);
    }
    if (last) this.#ended = true;
    after?.();
  }

  #refuse(seq: number | bigint, error: unknown): undefined {
    respond(this.#outbox, seq, textOf(error) || "Unknown error");
  }

  #endAtHeader(reason: string): undefined {
    this.#ended = true;
    this.#log("ERR", `failed to decode request header: ${reason}`);
    return undefined;
  }

  #end(reason: string): undefined {
    this.#ended = true;
    this.#log("ERR", `Failed to evaluate request: ${reason}`);
    return undefined;
  }

  #log(level: LogLevel, text: string): void {
    this.#services.complain(this.client, level, text);
  }
}
