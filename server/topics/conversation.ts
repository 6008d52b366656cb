/**
 * The rules of a conversation on the topics port: each request has one answer, whichever is ready first.
 *
 * @module
 */

import type { FrameSplitter } from "../../protocol/frame_splitter.ts";
import { encodeUtf8 } from "../../protocol/text.ts";
import {
  CODE,
  CODEC,
  FEATURE,
  FLAG,
  FrameError,
  FrameWriter,
  inflateShort,
  MAX_FRAME_BYTES,
  PayloadError,
  readRequest,
  type Replies,
  type Request,
  type RequestId,
  type RequestKind,
  type RequestOf,
  requestSplitter,
  writeError,
  writeReply,
} from "../../protocol/topics/mod.ts";
import type { Entry } from "../kv/access/entries.ts";
import type { Deed } from "../kv/access/rights.ts";
import { type Conversation, type Peer, UnfinishedLimitError } from "../net/conversation.ts";
import { HANDLERS } from "./dispatch.ts";
import { MAX_IN_FLIGHT, MAX_IN_FLIGHT_BYTES, MAX_MISTAKES } from "./limits.ts";
import { type Refusal, refusal } from "./refusals.ts";
import type { Client, Handler, Outcome } from "./handler.ts";
import { mayDo } from "./rights.ts";
import type { Services } from "./services.ts";
import { Silence } from "./silence.ts";

const UNKNOWN = refusal(CODE.AUTHENTICATION_FAILED, "Say who you are, with a token");
const WRONG_TOKEN = refusal(CODE.AUTHENTICATION_FAILED, "The token is wrong");

/** Takes the requests of one client. */
export class TopicConversation implements Conversation, Client {
  /** Cuts what the client sends into frames. */
  readonly parser: FrameSplitter;
  readonly #peer: Peer<FrameWriter>;
  readonly #services: Services;
  readonly #silence = new Silence();
  /** Who it is, where that matters. */
  #entry: Entry | undefined;
  /** Frames that have come. */
  #frames = 0;
  #mistakes = 0;
  /** Requests that are not answered, and their bytes. */
  #inFlight = 0;
  #inFlightBytes = 0;
  /** Wakes who waits until fewer are under way. */
  #roomMade: (() => void) | undefined;
  /** Wakes who waits until none is. */
  #finished: (() => void)[] = [];
  /** The last of what is done one after the other. */
  #turn: Promise<unknown> | undefined;
  /** What ends those who wait for messages. */
  #waiting: Set<() => void> | undefined;
  #ended = false;
  #isGone = false;

  /** @param deliver Gets each frame from the parser. */
  constructor(
    peer: Peer<FrameWriter>,
    services: Services,
    deliver: (frame: Uint8Array) => void,
  ) {
    this.parser = requestSplitter((frame) => {
      this.#frames++;
      deliver(frame);
    });
    this.#peer = peer;
    this.#services = services;
  }

  /** Whether the connection is to be closed once the answers are out. */
  get ended(): boolean {
    return this.#ended;
  }

  /** See {@linkcode Client.isGone}. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Takes the next request. Returns a promise when enough of them are under way. */
  take(frame: Uint8Array): Promise<void> | undefined {
    let request: Request;
    try {
      request = readRequest(frame);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#mistake(error);
      return undefined;
    }
    if (this.#services.closing) {
      this.#refuse(request, refusal(CODE.OVERLOADED, "The server is about to end"));
      return undefined;
    }
    if (request.kind === "hello") return this.#hello(request);
    const problem = this.#problem(request);
    if (problem !== undefined) this.#refuse(request, problem);
    else if (isPacked(request)) return this.#unpack(request);
    else this.#begin(request, frame.length);
    return this.#room();
  }

  /** The parser throws this, or a stranger has sent more than it may. */
  fail(error: unknown): void {
    if (!(error instanceof FrameError) && !(error instanceof UnfinishedLimitError)) throw error;
    this.#complain("frame", error.message);
    this.#end();
  }

  /** Resolves when all requests are answered. Nobody waits for messages any longer. */
  finish(): Promise<void> {
    this.stopWaiting();
    if (this.#inFlight === 0 || this.#isGone) return Promise.resolve();
    return new Promise((resolve) => void this.#finished.push(resolve));
  }

  /** The connection is gone. What was begun goes on. */
  close(): void {
    this.#isGone = true;
    this.stopWaiting();
    this.#wake();
  }

  /** Ends the connection when the client is not known any more as it was. */
  recheck(): void {
    const entry = this.#entry;
    if (entry !== undefined && !this.#services.access?.has(entry)) this.#end();
  }

  /** Ends the connection when a frame takes too long, or none comes. `now` is the time, in milliseconds. */
  sweep(now: number): void {
    if (this.#ended) return;
    const { pending } = this.parser;
    const activity = { pending, frames: this.#frames, isWaiting: this.#inFlight > 0 };
    const why = this.#silence.look(now, activity, this.#services);
    if (why === "late frame") this.#complain("frame", "A frame took too long");
    if (why !== undefined) this.#end();
  }

  /** Answers those who wait for messages with what there is. */
  stopWaiting(): void {
    for (const over of [...this.#waiting ?? []]) over();
  }

  /** See {@linkcode Client.may}. */
  may(deed: Deed, topic: string): boolean {
    const { access } = this.#services;
    if (access === undefined) return true;
    const need = { deed, path: encodeUtf8(topic) };
    return this.#entry !== undefined && access.allows(this.#entry, need);
  }

  /** See {@linkcode Client.inTurn}. */
  async inTurn<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#turn;
    const turn = (async () => {
      await before;
      await this.#peer.outbox.drained();
      return await work();
    })();
    // Who fails has an answer of its own.
    this.#turn = turn.then(() => {}, () => {});
    return await turn;
  }

  /** See {@linkcode Client.whenOver}. */
  whenOver(over: () => void): () => void {
    const waiting = this.#waiting ??= new Set();
    waiting.add(over);
    if (this.#ended || this.#isGone || this.#services.closing) over();
    return () => waiting.delete(over);
  }

  /** Why a request is not even begun. */
  #problem(request: Request): Refusal | undefined {
    if (this.#services.access === undefined || request.kind === "healthCheck") return undefined;
    if (this.#entry === undefined) {
      return UNKNOWN;
    }
    if (mayDo(this, request)) return undefined;
    return refusal(CODE.AUTHORIZATION_FAILED, "The token does not allow that");
  }

  /** Inflates the messages of a produce. What takes time holds up the next requests, so that they do not overtake it. */
  #unpack(request: RequestOf<"produce">): Promise<void> | undefined {
    const { codec, messages } = request.body;
    if (this.#services.packing.isFull) {
      this.#refuse(request, refusal(CODE.OVERLOADED, "Too many messages are to be inflated"));
      return this.#room();
    }
    try {
      const bytes = inflateShort(codec, messages.bytes, MAX_FRAME_BYTES);
      if (bytes === undefined) return this.#unpackLong(request);
      this.#beginUnpacked(request, bytes);
    } catch (error) {
      this.#notUnpacked(request, error);
    }
    return this.#room();
  }

  async #unpackLong(request: RequestOf<"produce">): Promise<void> {
    const { codec, messages } = request.body;
    this.#inFlight++;
    try {
      const bytes = await this.#services.packing.inflate(codec, messages.bytes);
      if (!this.#ended && !this.#isGone) this.#beginUnpacked(request, bytes);
    } catch (error) {
      this.#notUnpacked(request, error);
    } finally {
      this.#inFlight--;
      this.#wake();
    }
    await this.#room();
  }

  #beginUnpacked(request: RequestOf<"produce">, bytes: Uint8Array): void {
    const { body } = request;
    const messages = { count: body.messages.count, bytes };
    this.#begin({ ...request, body: { ...body, codec: CODEC.none, messages } }, bytes.length);
  }

  #notUnpacked({ id, flags }: Request, error: unknown): void {
    if (!(error instanceof PayloadError)) throw error;
    const requestId = flags & FLAG.async ? undefined : id;
    this.#mistake(new FrameError(error.message, error.code, false, requestId));
  }

  #begin(request: Exclude<Request, { kind: "hello" }>, bytes: number): void {
    this.#inFlight++;
    this.#inFlightBytes += bytes;
    const { kind } = request;
    const handle = HANDLERS[kind] as Handler<typeof kind>;
    let outcome: ReturnType<typeof handle>;
    try {
      outcome = handle(this.#services, request as RequestOf<typeof kind>, this);
    } catch (error) {
      outcome = this.#fault(error);
    }
    if (!(outcome instanceof Promise)) return this.#done(request, bytes, outcome);
    outcome.catch((error) => this.#fault(error))
      .then((outcome) => this.#done(request, bytes, outcome))
      .catch((error) => void this.#services.incident(error));
  }

  #done(request: Request, bytes: number, outcome: Outcome<RequestKind>): void {
    this.#inFlight--;
    this.#inFlightBytes -= bytes;
    if (outcome.ok) this.#reply(request, outcome.reply, outcome.buffer);
    else this.#refuse(request, outcome);
    this.#wake();
  }

  #fault(error: unknown): Refusal {
    return refusal(CODE.STORAGE_ERROR, `Incident ${this.#services.incident(error)}`);
  }

  #reply<K extends RequestKind>(
    { id, kind, version, flags }: Request,
    reply: Replies[K],
    buffer?: Uint8Array<ArrayBuffer>,
  ): void {
    if ((flags & FLAG.async) !== 0) return;
    const { outbox } = this.#peer;
    const writer = buffer === undefined ? outbox.open() : new FrameWriter(buffer);
    if (writer === undefined) return;
    try {
      writeReply(writer, id, kind, version, reply as never, flags);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return this.#error(id, CODE.MESSAGE_TOO_LARGE, `The answer is too long: ${error.message}`);
    }
    if (buffer !== undefined) {
      outbox.append(writer.view(), () => this.#services.buffers.give(buffer));
    }
  }

  /** Answers who waits for a reply with why there is none. */
  #refuse({ id, flags }: Pick<Request, "id" | "flags">, { code, message }: Refusal): void {
    if ((flags & FLAG.async) === 0) this.#error(id, code, message);
    if (code === CODE.AUTHENTICATION_FAILED) this.#countMistake();
  }

  #error(id: RequestId, code: number, message: string): void {
    const writer = this.#peer.outbox.open();
    if (writer !== undefined) writeError(writer, id, code, message);
  }

  /** A frame is no request. */
  #mistake({ requestId, code, message, ends }: FrameError): void {
    if (requestId !== undefined) this.#error(requestId, code, message);
    if (ends) {
      this.#complain("frame", message);
      return this.#end();
    }
    this.#countMistake();
  }

  #countMistake(): void {
    if (++this.#mistakes < MAX_MISTAKES || this.#ended) return;
    this.#complain("request", `${MAX_MISTAKES} requests were none that it may send`);
    this.#end();
  }

  /** Where nobody has to show anything, nothing that is shown is right: whoever shows a token means another port. */
  async #hello(request: RequestOf<"hello">): Promise<void> {
    const { token } = request.body;
    const { access, cluster } = this.#services;
    if (access !== undefined) {
      const found = await access.authenticate({ token }, this.#peer.source);
      this.#entry = "ok" in found ? undefined : found;
      if (this.#entry !== undefined) this.#peer.know();
    }
    if (access === undefined ? token === "" : this.#entry !== undefined) {
      const { name: serverId, clusterId } = cluster;
      return this.#reply(request, { serverId, clusterId, features: FEATURE.compression });
    }
    this.#complain("token", "Wrong token");
    this.#refuse(request, token === "" ? UNKNOWN : WRONG_TOKEN);
  }

  /** Resolves when so little is under way that the next request may be taken. */
  #room(): Promise<void> | undefined {
    if (this.#hasRoom) return undefined;
    return new Promise((resolve) => {
      this.#roomMade = resolve;
    });
  }

  get #hasRoom(): boolean {
    return this.#inFlight < MAX_IN_FLIGHT && this.#inFlightBytes < MAX_IN_FLIGHT_BYTES;
  }

  #wake(): void {
    if (this.#roomMade !== undefined && (this.#hasRoom || this.#isGone)) {
      this.#roomMade();
      this.#roomMade = undefined;
    }
    if (this.#finished.length > 0 && (this.#inFlight === 0 || this.#isGone)) {
      for (const finished of this.#finished.splice(0)) finished();
    }
  }

  #complain(kind: string, text: string): void {
    const { name, source } = this.#peer;
    this.#services.complain(source, kind, `Client ${name}: ${text}`);
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.stopWaiting();
    this.#peer.hangUp();
  }
}

/** Whether messages of a request are to be inflated first. */
function isPacked(request: Request): request is RequestOf<"produce"> {
  return request.kind === "produce" && request.body.codec !== CODEC.none;
}
