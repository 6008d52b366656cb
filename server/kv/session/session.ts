/**
 * The session of one connection: it outlives the connection, and so does what was asked for by it (docs/KV.md).
 *
 * @module
 */

import {
  decodeAnswer,
  type Failure,
  type Result,
  type ServerRequest,
  SESSION_EXPIRED,
  SESSION_MOVED,
} from "../../../cluster/machine/mod.ts";
import {
  invalid,
  type LineWriter,
  type SessionRequest,
  writePush,
} from "../../../protocol/kv/mod.ts";
import { capabilityProblem, EXTENSIONS } from "../../../protocol/sessions/mod.ts";
import type { Outbox } from "../../net/outbox.ts";
import type {
  Attached,
  Attachment,
  Attachments,
  Parting,
  SessionLink,
} from "../../replica/sessions/mod.ts";
import { successOf } from "../action.ts";
import type { OnceRequest } from "./once.ts";
import type { Services } from "../services.ts";

/** This agent keeps no state, and so has no sessions. */
const NO_SESSIONS: Failure = { ok: false, code: 503, reason: "NO_SESSIONS" };

const OK = successOf("OK");

/** What a client says of itself that says nothing; it is told of changes of servers where that is told. */
const NOTHING_SAID = { [EXTENSIONS]: "1" };

/** An answer on its way. */
interface Answer {
  /** Whether it tells a revision. */
  tellsRevision: boolean;
  /** Called once it is written. */
  written: (() => void) | undefined;
}

/** The session that a client has on its connection, or has had. */
export class ClientSession implements SessionLink {
  readonly #outbox: Outbox<LineWriter>;
  readonly #services: Services;
  #attachment: Attachment | undefined;
  /** Why it has none any more. */
  #lost: Failure | undefined;
  /** Requests with this id and above were never sent. */
  #nextId = 1;
  /** Answers that are to be written before anything that is told to it. */
  #held = 0;
  #isWaiting = false;
  #isClosed = false;

  /** There is none. */
  constructor(outbox: Outbox<LineWriter>, services: Services) {
    this.#outbox = outbox;
    this.#services = services;
  }

  /** Whether there is one. */
  get isThere(): boolean {
    return this.#attachment !== undefined;
  }

  /** See {@linkcode SessionLink.isOpen}. */
  get isOpen(): boolean {
    return !this.#isClosed;
  }

  /** Does what SESSION asks for. */
  run(request: SessionRequest): Result | Promise<Result> {
    const { sessions } = this.#services;
    if (sessions === undefined) return NO_SESSIONS;
    switch (request.op) {
      case "create":
        return this.#create(sessions, request.capabilities ?? NOTHING_SAID);
      case "continue":
        return this.#continue(sessions, request.session as string);
      case "close":
        return this.#end(sessions);
      case "ack":
        return this.#ack(sessions, request.ack as number);
    }
  }

  /** Whether a request may have been sent before, so that its answer may be there already and be long. */
  isKnown(id: number): boolean {
    return id < this.#nextId;
  }

  /** Has a request executed once. */
  once(
    answer: Answer,
    { id, low, tellsRevision, once: { deed } }: OnceRequest,
    done: (result: Result) => void,
  ): void {
    const { sessions, requestLimitMs } = this.#services;
    const attachment = this.#attachment;
    if (sessions === undefined || attachment === undefined) {
      return queueMicrotask(() => done(this.#lost ?? invalid("rid")));
    }
    this.#nextId = Math.max(this.#nextId, id + 1);
    if (deed.kind === "watch") this.holdFor(answer);
    const work = { id, low, tellsRevision, deed };
    sessions.command(attachment, work, requestLimitMs, (result) => {
      if (!result.ok) return done(result);
      const { result: inner, tellsRevision } = decodeAnswer(result.body);
      answer.tellsRevision = tellsRevision;
      done(inner);
    });
  }

  /** Nothing is told to it before an answer is written. */
  holdFor(answer: Pick<Answer, "written">): void {
    this.#held++;
    answer.written = () => {
      if (--this.#held === 0 && this.#attachment !== undefined) {
        this.#services.sessions?.drained(this.#attachment);
      }
    };
  }

  /** The client has sent a line. */
  heard(): void {
    if (this.#attachment !== undefined) this.#attachment.isHeard = true;
  }

  /** See {@linkcode SessionLink.hasRoom}. */
  hasRoom(): boolean {
    if (this.#isClosed || this.#held > 0) return false;
    if (!this.#outbox.congested) return true;
    if (!this.#isWaiting) {
      this.#isWaiting = true;
      this.#outbox.drained().then(() => {
        this.#isWaiting = false;
        if (this.#attachment !== undefined) this.#services.sessions?.drained(this.#attachment);
      }).catch((error) => void this.#services.incident(error));
    }
    return false;
  }

  /** See {@linkcode SessionLink.request}. */
  request({ id, payload }: ServerRequest): void {
    const writer = this.#outbox.open();
    if (writer === undefined) return;
    writer.raw(payload.subarray(0, -1));
    writer.text(`,"ack":${id}}`);
    writer.end();
  }

  /** See {@linkcode SessionLink.part}. */
  part(why: Parting): void {
    this.#lost = why === "replaced" ? SESSION_MOVED : SESSION_EXPIRED;
    // Whoever ends it knows.
    if (this.#attachment === undefined) return;
    this.#attachment = undefined;
    const writer = this.#outbox.open();
    if (writer !== undefined) writePush(writer, "session", this.#lost);
  }

  /** The connection is gone, or about to be; the session goes on waiting for its client. */
  close(): void {
    this.#isClosed = true;
    this.#leave();
  }

  #leave(): void {
    const attachment = this.#attachment;
    this.#attachment = undefined;
    if (attachment !== undefined) this.#services.sessions?.leave(attachment);
  }

  #create(
    sessions: Attachments,
    said: Readonly<Record<string, string>>,
  ): Result | Promise<Result> {
    const capabilities = Object.entries(said);
    if (capabilityProblem(capabilities) !== undefined) return invalid("capabilities");
    const { requestLimitMs } = this.#services;
    return this.#begin((done) => sessions.create(this, capabilities, requestLimitMs, done));
  }

  #continue(sessions: Attachments, session: string): Promise<Result> {
    const { requestLimitMs } = this.#services;
    return this.#begin((done) => sessions.continue(this, session, requestLimitMs, done));
  }

  async #begin(begin: (done: (attached: Attached | Failure) => void) => void): Promise<Result> {
    this.#leave();
    this.#lost = undefined;
    const { promise, resolve } = Promise.withResolvers<Result>();
    begin((attached) => {
      if (!attached.ok) return resolve(attached);
      const { attachment, nextId } = attached;
      this.#attachment = attachment;
      this.#nextId = nextId;
      const { sessionTimeoutMs: timeout_ms } = this.#services;
      resolve(successOf({ session: attachment.session, timeout_ms, next_rid: nextId }));
    });
    return await promise;
  }

  async #end(sessions: Attachments): Promise<Result> {
    const attachment = this.#attachment;
    if (attachment === undefined) return this.#lost ?? invalid("op");
    this.#attachment = undefined;
    const { promise, resolve } = Promise.withResolvers<Result>();
    sessions.end(attachment, this.#services.requestLimitMs, resolve);
    const result = await promise;
    if (!result.ok) {
      this.#attachment ??= attachment;
      return result;
    }
    sessions.leave(attachment);
    this.#lost = SESSION_EXPIRED;
    return OK;
  }

  #ack(sessions: Attachments, upTo: number): Result {
    if (this.#attachment === undefined) return this.#lost ?? invalid("op");
    sessions.ack(this.#attachment, upTo);
    return OK;
  }
}
