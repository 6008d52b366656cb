/**
 * The requests and queries of one client on its connection.
 *
 * @module
 */

import {
  decodeAnswer,
  type Failure,
  NOT_ANSWERED,
  type Result,
  SESSION_EXPIRED,
  TOO_MANY_IN_FLIGHT,
} from "../../cluster/machine/mod.ts";
import { INTERNAL, type LineWriter, type Problem } from "../../protocol/kv/mod.ts";
import {
  type ClientRequest,
  CLOSED,
  MAX_PAYLOAD_BYTES,
  type Query,
  QUERY_ERROR,
  REQUEST_ERROR,
  type ServerMessage,
} from "../../protocol/sessions/mod.ts";
import type { Entry } from "../kv/access/entries.ts";
import { list, type Listing, type ListingAnswer } from "../kv/listing.ts";
import type { Outbox } from "../net/outbox.ts";
import type { Consistency } from "../replica/service.ts";
import type { Binding, Leading } from "../replica/sessions/mod.ts";
import { MAX_IN_FLIGHT, MAX_IN_FLIGHT_BYTES, MAX_REPEATED } from "./limits.ts";
import { Order } from "./order.ts";
import { queryErrorOf, type ReplyNotes, replyOf, requestErrorOf } from "./replies.ts";
import type { Services } from "./services.ts";
import { type Inquiry, inquiryOf, requestOf, workOf } from "./work.ts";

/** What the state says of a request that it has not executed, and that may be refused. */
const NOT_EXECUTED: ReadonlySet<string> = new Set([NOT_ANSWERED.reason, TOO_MANY_IN_FLIGHT.reason]);

/** The connection, as far as requests know it. */
export interface RequestParts {
  readonly outbox: Outbox<LineWriter>;
  /** Sends an answer. */
  readonly send: (message: ServerMessage) => void;
  /** Ends the connection, by a number of `CLOSED`. */
  readonly close: (reason: number) => void;
  /** Whether the client knows of query errors. */
  readonly isExtended: () => boolean;
}

/** What one client has asked for and has no answer to. */
export class Requests {
  readonly #services: Services;
  readonly #parts: RequestParts;
  readonly #order = new Order();
  #asked = 0;
  #bytes = 0;
  /** Requests that are under way, by their ids: how often each. */
  readonly #running = new Map<number, number>();
  /** How many of them are there already. */
  #repeated = 0;
  #isClosed = false;
  #room: PromiseWithResolvers<void> | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  /** Nothing was asked for. */
  constructor(services: Services, parts: RequestParts) {
    this.#services = services;
    this.#parts = parts;
  }

  /** Has a request executed once. Returns a promise when enough is under way. */
  command(
    leading: Leading,
    binding: Binding,
    entry: Entry | undefined,
    { requestId, lowestPending, payload }: ClientRequest,
  ): Promise<void> | undefined {
    if (payload.length > MAX_PAYLOAD_BYTES) {
      return this.#fail(requestId, REQUEST_ERROR.payloadTooLarge);
    }
    const request = requestOf(payload);
    if (request === undefined) return this.#fail(requestId, REQUEST_ERROR.invalidPayload);
    const work = workOf(request, { access: this.#services.access, entry });
    const bytes = payload.length;
    const number = this.#order.begin();
    this.#begin(bytes);
    this.#run(requestId, 1);
    const done = (result: Result | undefined): void => {
      this.#run(requestId, -1);
      this.#end(bytes);
      if (!this.#isClosed) this.#executed(requestId, result, "code" in work ? work : undefined);
      this.#order.end(number);
    };
    // What is refused now may have been executed before, when the client had other rights.
    if ("code" in work) leading.answer(binding, requestId, done);
    else leading.command(binding, { ...work, id: requestId, low: lowestPending, bytes }, done);
    return this.#waitForRoom();
  }

  /** Has a question answered, after the requests before it. Returns a promise when enough is under way. */
  query(entry: Entry | undefined, { correlationId, payload }: Query): Promise<void> | undefined {
    const request = payload.length > MAX_PAYLOAD_BYTES ? undefined : requestOf(payload);
    if (request === undefined) return this.#failQuery(correlationId, QUERY_ERROR.invalidPayload);
    const inquiry = inquiryOf(request, { access: this.#services.access, entry });
    if ("code" in inquiry) return this.#answer(correlationId, inquiry);
    const bytes = payload.length;
    this.#begin(bytes);
    this.#order.ask(() => {
      if (this.#isClosed) return this.#end(bytes);
      this.#ask(correlationId, inquiry, () => this.#end(bytes));
    });
    return this.#waitForRoom();
  }

  /** Resolves when all is answered, or the connection is gone. */
  finished(): Promise<void> {
    if (this.#asked === 0 || this.#isClosed) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /** The connection is gone: nobody waits any more. */
  close(): void {
    this.#isClosed = true;
    this.#room?.resolve();
    this.#idle?.resolve();
  }

  #ask(
    correlationId: string,
    { what, consistency, tellsRevision }: Inquiry,
    done: () => void,
  ): void {
    const { state, requestLimitMs } = this.#services;
    const settle = (result: Result, lagMs: number, next?: string): void => {
      try {
        const lag = consistency === "stale" ? { lagMs: Math.round(lagMs) } : {};
        if (!this.#isClosed) this.#answer(correlationId, result, { tellsRevision, next, ...lag });
      } catch (error) {
        this.#services.incident(error);
      }
      done();
    };
    if ("bytes" in what) {
      const finish = ({ result, lagMs }: { result: Result; lagMs: number }): void =>
        settle(result, lagMs);
      return state.query(what.bytes, consistency, requestLimitMs, finish, {
        client: this,
        hasRoom: () => this.#hasRoom,
      });
    }
    this.#list(what.listing, consistency).then(
      (listed) => listed && settle(listed.result, listed.lagMs, listed.next),
      (error) => settle(this.#fault(error), 0),
    );
  }

  /** Lists when the client has read what waits for it; nothing when it is gone. */
  async #list(listing: Listing, consistency: Consistency): Promise<ListingAnswer | undefined> {
    const { outbox } = this.#parts;
    if (outbox.congested) await outbox.drained();
    return this.#isClosed ? undefined : await list(this.#services, listing, consistency);
  }

  /** Whether an answer may wait for the client: what is put off is asked again by the client. */
  get #hasRoom(): boolean {
    const { outbox } = this.#parts;
    return this.#services.waiting.isFull ? outbox.backlog === 0 : !outbox.congested;
  }

  #executed(requestId: number, result: Result | undefined, refusal: Problem | undefined): void {
    // Without a result this server leads no more, and the connection is told so by its end.
    if (result === undefined) return;
    if (result.ok) {
      const { result: inner, tellsRevision } = decodeAnswer(result.body);
      return this.#respond(requestId, inner, { tellsRevision });
    }
    if (result.reason === SESSION_EXPIRED.reason) {
      return this.#parts.close(CLOSED.sessionExpired);
    }
    if (refusal !== undefined && NOT_EXECUTED.has(result.reason)) {
      return this.#respond(requestId, refusal);
    }
    const reason = requestErrorOf(result.reason);
    // Of what nobody knows nothing is said: the client asks again, and learns what has come of it.
    if (reason !== undefined) this.#fail(requestId, reason);
  }

  #respond(requestId: number, result: Result, notes: ReplyNotes = {}): undefined {
    this.#parts.send({ kind: "clientResponse", requestId, result: replyOf(result, notes) });
  }

  #fail(requestId: number, reason: number): undefined {
    this.#parts.send({ kind: "requestError", requestId, reason });
  }

  #answer(correlationId: string, result: Result, notes: ReplyNotes = {}): undefined {
    const reason = result.ok ? undefined : queryErrorOf(result.reason);
    if (reason !== undefined) return this.#failQuery(correlationId, reason);
    this.#parts.send({ kind: "queryResponse", correlationId, result: replyOf(result, notes) });
  }

  /** A client that knows of no such error asks again. */
  #failQuery(correlationId: string, reason: number): undefined {
    if (this.#parts.isExtended()) this.#parts.send({ kind: "queryError", correlationId, reason });
  }

  #fault(error: unknown): Failure {
    this.#services.incident(error);
    return INTERNAL;
  }

  /** The answers that a session keeps are bounded, but not how often one is asked for. */
  #run(requestId: number, change: 1 | -1): void {
    const before = this.#running.get(requestId) ?? 0;
    const after = before + change;
    if (after === 0) this.#running.delete(requestId);
    else this.#running.set(requestId, after);
    this.#repeated += Math.max(0, after - 1) - Math.max(0, before - 1);
  }

  #begin(bytes: number): void {
    this.#asked++;
    this.#bytes += bytes;
  }

  #end(bytes: number): void {
    this.#asked--;
    this.#bytes -= bytes;
    if (this.#asked === 0) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
    const isMuch = this.#asked > MAX_IN_FLIGHT / 2 || this.#bytes > MAX_IN_FLIGHT_BYTES / 2;
    if (isMuch || this.#repeated >= MAX_REPEATED) return;
    this.#room?.resolve();
    this.#room = undefined;
  }

  #waitForRoom(): Promise<void> | undefined {
    if (this.#isClosed) return undefined;
    const isMuch = this.#asked >= MAX_IN_FLIGHT || this.#bytes >= MAX_IN_FLIGHT_BYTES;
    if (!isMuch && this.#repeated < MAX_REPEATED) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }
}
