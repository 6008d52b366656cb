/**
 * The rules of a conversation on the session port, message by message.
 *
 * Only the server that leads has sessions on its connections; all others tell who leads, and end the connection.
 *
 * @module
 */

import {
  capabilityProblem,
  type ClientMessage,
  CLOSED,
  type ContinueSession,
  type CreateSession,
  frameSplitter,
  type Hello,
  MessageError,
  readClientMessage,
  REJECTED,
  serverFrame,
  type ServerMessage,
} from "../../protocol/sessions/mod.ts";
import type { FrameSplitter } from "../../protocol/frame_splitter.ts";
import type { LineWriter } from "../../protocol/kv/mod.ts";
import type { Failure, ServerRequest } from "../../cluster/machine/mod.ts";
import type { Entry } from "../kv/access/entries.ts";
import { type Conversation, type Peer, UnfinishedLimitError } from "../net/conversation.ts";
import type { Begun, Binding, Leading, Parting, SessionLink } from "../replica/sessions/mod.ts";
import { isExtended, nonceBytes, stateOf } from "./beginning.ts";
import { MAX_AUTH_FAILURES } from "./limits.ts";
import { rejectionOf } from "./replies.ts";
import { Requests } from "./requests.ts";
import type { Services } from "./services.ts";
import { tellable } from "./telling.ts";

/** Takes the messages of one client. */
export class SessionConversation implements Conversation, SessionLink {
  /** Cuts what the client sends into messages. */
  readonly parser: FrameSplitter;
  readonly #peer: Peer<LineWriter>;
  readonly #services: Services;
  /** None while nothing was asked for: most sessions only listen. */
  #requests: Requests | undefined;
  /** Who it is, where that matters. */
  #entry: Entry | undefined;
  #failures = 0;
  #binding: Binding | undefined;
  /** Whether the client understands messages of type 32 and above, of which Hello is one. */
  #isExtended = false;
  /** Whether somebody waits for the client to read. */
  #isWaiting = false;
  /** Whether messages are passed over, since the session is about to end. */
  #isDeaf = false;
  #ended = false;
  #isClosed = false;
  /** Lets go on what waits for a session to begin. */
  #goOn: (() => void) | undefined;

  /** @param deliver Gets each message from the parser. */
  constructor(
    peer: Peer<LineWriter>,
    services: Services,
    deliver: (message: Uint8Array) => void,
  ) {
    this.parser = frameSplitter(deliver);
    this.#peer = peer;
    this.#services = services;
  }

  /** Whether the connection is to be closed once the answers are out. */
  get ended(): boolean {
    return this.#ended;
  }

  /** See {@linkcode SessionLink.isOpen}. */
  get isOpen(): boolean {
    return !this.#ended && !this.#isClosed;
  }

  /** Takes the next message. Returns a promise when the next one has to wait. */
  take(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#ended || this.#isDeaf) return undefined;
    let message: ClientMessage;
    try {
      message = readClientMessage(bytes);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      return this.#complain(error.message);
    }
    return this.#take(message);
  }

  /** The parser throws this, or a stranger has sent more than it may. */
  fail(error: unknown): void {
    if (!(error instanceof MessageError) && !(error instanceof UnfinishedLimitError)) throw error;
    this.#complain(error.message);
  }

  /** Resolves when all requests are answered and, when the port is closing, the client is told. */
  async finish(): Promise<void> {
    await this.#requests?.finished();
    if (this.#services.closing && this.isOpen) this.#close(CLOSED.shutdown);
  }

  /** The connection is gone; the session goes on waiting for its client. */
  close(): void {
    this.#isClosed = true;
    this.#requests?.close();
    this.#leave();
  }

  /** Ends the connection when the client is not known any more as it was. */
  recheck(): void {
    const entry = this.#entry;
    if (entry === undefined || this.#ended || this.#services.access?.has(entry)) return;
    this.#close(CLOSED.connectionClosed);
  }

  /** The servers are others than before. */
  tell(frame: Uint8Array): void {
    if (this.#binding !== undefined && this.#isExtended) this.#peer.outbox.append(frame);
  }

  /** See {@linkcode SessionLink.hasRoom}. */
  hasRoom(): boolean {
    const { outbox } = this.#peer;
    if (!outbox.congested) return true;
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      outbox.drained().then(() => {
        this.#isWaiting = false;
        if (this.#binding !== undefined) this.#leading?.drained(this.#binding);
      }).catch((error) => void this.#services.incident(error));
    }
    return false;
  }

  /** See {@linkcode SessionLink.request}. */
  request({ id, payload: push, createdAt }: ServerRequest): void {
    const payload = tellable(push, { access: this.#services.access, entry: this.#entry });
    this.#send({ kind: "serverRequest", requestId: id, payload, createdAt });
  }

  /** See {@linkcode SessionLink.part}. */
  part(why: Parting): void {
    this.#binding = undefined;
    if (why === "expired") this.#close(CLOSED.sessionExpired);
    else if (why === "deposed") this.#redirect();
    else this.#end();
  }

  get #leading(): Leading | undefined {
    return this.#services.sessions.leading;
  }

  #take(message: ClientMessage): Promise<void> | undefined {
    const leading = this.#leading;
    // Looking at who leads may have ended it.
    if (this.#ended) return undefined;
    switch (message.kind) {
      case "hello":
        return this.#hello(message);
      case "createSession":
        return this.#create(message, leading);
      case "continueSession":
        return this.#continue(message, leading);
      case "serverRequestAck":
      case "closeSession":
        if (leading === undefined) return undefined;
        break;
      case "connectionClosed":
        return this.#end();
    }
    if (leading === undefined && this.#isKnown) return this.#redirect();
    const binding = this.#binding;
    if (leading === undefined || binding === undefined) {
      return this.#complain(`Message '${message.kind}' without a session`);
    }
    switch (message.kind) {
      case "keepAlive":
        leading.heard(binding);
        return this.#send({ kind: "keepAliveResponse", time: message.time });
      case "serverRequestAck":
        leading.ack(binding, message.requestId);
        return undefined;
      case "closeSession":
        this.#binding = undefined;
        // The connection ends when the session has.
        this.#isDeaf = true;
        leading.close(binding);
        return undefined;
      case "clientRequest":
        return this.#asked().command(leading, binding, this.#entry, message);
      case "query":
        leading.heard(binding);
        return this.#asked().query(this.#entry, message);
    }
  }

  #asked(): Requests {
    this.#requests ??= new Requests(this.#services, {
      outbox: this.#peer.outbox,
      send: (message) => this.#send(message),
      close: (reason) => this.#close(reason),
      isExtended: () => this.#isExtended,
    });
    return this.#requests;
  }

  /** Whether the client has shown who it is, or need not. */
  get #isKnown(): boolean {
    return this.#services.access === undefined ? this.#failures === 0 : this.#entry !== undefined;
  }

  /** Where nobody has to show anything, nothing that is shown is right: whoever shows a token means another port. */
  async #hello({ token }: Hello): Promise<void> {
    const { access } = this.#services;
    this.#isExtended = true;
    if (token === "") return;
    if (access === undefined) {
      this.#failures++;
      return;
    }
    const found = await access.authenticate({ token }, this.#peer.source);
    if (!("ok" in found)) {
      this.#entry = found;
      this.#failures = 0;
      return;
    }
    this.#entry = undefined;
    this.#services.complain(this.#peer.source, "token", `Wrong token of client ${this.#peer.name}`);
    if (++this.#failures >= MAX_AUTH_FAILURES) this.#close(CLOSED.sessionError);
  }

  #create(
    { capabilities, nonce }: CreateSession,
    leading: Leading | undefined,
  ): Promise<void> | undefined {
    if (this.#refusesBeginning(nonce)) return undefined;
    this.#isExtended = isExtended(capabilities);
    if (leading === undefined) return this.#rejectElsewhere(nonce);
    if (capabilityProblem(capabilities) !== undefined) {
      return this.#reject(REJECTED.invalidCapabilities, nonce);
    }
    return this.#begin(nonce, (done) => {
      leading.create(this, { capabilities, nonce: nonceBytes(nonce) }, done);
    }, (sessionId) => ({ kind: "sessionCreated", sessionId, nonce }));
  }

  #continue(
    { sessionId, nonce }: ContinueSession,
    leading: Leading | undefined,
  ): Promise<void> | undefined {
    if (this.#refusesBeginning(nonce)) return undefined;
    if (leading === undefined) {
      this.#isExtended ||= isExtended(this.#services.sessions.find(sessionId)?.capabilities ?? []);
      return this.#rejectElsewhere(nonce);
    }
    return this.#begin(nonce, (done) => {
      leading.continue(this, sessionId, done);
    }, () => ({ kind: "sessionContinued", nonce }));
  }

  #refusesBeginning(nonce: bigint): boolean {
    if (!this.#isKnown) {
      this.#reject(REJECTED.unauthorized, nonce);
      return true;
    }
    if (this.#binding === undefined) return false;
    this.#complain("Second session on one connection");
    return true;
  }

  /** Begins or goes on with a session; what the client sends meanwhile waits. */
  async #begin(
    nonce: bigint,
    begin: (done: (begun: Begun | Failure | undefined) => void) => void,
    answer: (sessionId: string) => ServerMessage,
  ): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#goOn = resolve;
    begin((begun) => {
      if (this.isOpen) {
        if (begun === undefined) this.#rejectElsewhere(nonce);
        else if (!begun.ok) this.#reject(rejectionOf(begun.reason), nonce);
        else this.#begun(begun, answer(begun.binding.session));
      }
      resolve();
    });
    await promise;
  }

  #begun({ binding, info }: Begun, answer: ServerMessage): void {
    const { cluster, sessions } = this.#services;
    this.#binding = binding;
    this.#isExtended = isExtended(info.capabilities);
    this.#peer.know();
    this.#send(answer);
    if (!this.#isExtended) return;
    const { leader, term } = cluster.info();
    this.#send(stateOf(info, { timeoutMs: sessions.timeoutMs, leader, term }));
    this.#send(cluster.info());
  }

  #rejectElsewhere(nonce: bigint): undefined {
    const { cluster } = this.#services;
    if (cluster.isLeader) return this.#reject(REJECTED.noQuorum, nonce);
    if (this.#isExtended) this.#send(cluster.info());
    this.#reject(REJECTED.notLeader, nonce, cluster.leaderId);
  }

  #reject(reason: number, nonce: bigint, leader?: string): undefined {
    this.#send({ kind: "sessionRejected", reason, nonce, leader });
    this.#end();
  }

  #redirect(): undefined {
    this.#close(CLOSED.notLeaderAnymore, this.#services.cluster.leaderId);
  }

  /** The client has broken a rule of the wire. */
  #complain(text: string): undefined {
    const { name, source } = this.#peer;
    this.#services.complain(source, "message", `Closing client ${name}: ${text}`);
    this.#close(CLOSED.sessionError);
  }

  #close(reason: number, leader?: string): undefined {
    if (this.#ended) return;
    this.#send({ kind: "sessionClosed", reason, leader });
    this.#end();
  }

  #end(): undefined {
    if (this.#ended) return;
    this.#ended = true;
    this.#leave();
    this.#peer.hangUp();
  }

  #leave(): void {
    const binding = this.#binding;
    this.#binding = undefined;
    if (binding !== undefined) this.#leading?.leave(binding);
    this.#goOn?.();
  }

  #send(message: ServerMessage): undefined {
    this.#peer.outbox.append(serverFrame(message));
  }
}
