/**
 * The rules of a conversation on the key-value port: a line in, a line out, in order.
 *
 * @module
 */

import { resolvePath } from "../../cluster/machine/kv/mod.ts";
import type { Failure, Result } from "../../cluster/machine/mod.ts";
import {
  ENDLESS,
  IDLE_TIMEOUT,
  INTERNAL,
  invalid,
  isRequestId,
  isUnreadable,
  LINE_TIMEOUT,
  LINE_TOO_LONG,
  LineSplitter,
  type LineWriter,
  type Members,
  type Problem,
  readLine,
  type ReadRequest,
  type TargetRequest,
  TOO_LONG,
  UNKNOWN_ACTION,
  unknownMember,
  writeClosing,
} from "../../protocol/kv/mod.ts";
import type { Conversation, Peer } from "../net/conversation.ts";
import { type Answer, NO_ROOM, SHUTTING_DOWN } from "../replica/service.ts";
import type { Action, ClientState, Several } from "./action.ts";
import { Answers, hashOf, Pending, placeOf } from "./answers.ts";
import { actionOf } from "./dispatch.ts";
import { list, type Listing } from "./listing.ts";
import type { Services } from "./services.ts";

/** Codes that blame the client for the request itself; they are logged. */
const FAULTS: readonly number[] = [400, 405, 408, 413, 422, 426];

/** Codes whose answers tell who leads. */
const OF_THE_LEADER: readonly number[] = [503, 504];

/** Takes the lines of one client. */
export class KvConversation implements Conversation {
  /** Cuts what the client sends into lines. */
  readonly parser: LineSplitter;
  readonly #peer: Peer<LineWriter>;
  readonly #services: Services;
  readonly #answers: Answers;
  readonly #client: ClientState = { strict: false };
  /** Whether lines are passed over, since the answer is under way with which the connection ends. */
  #deaf = false;
  #ended = false;
  #closed = false;
  #toldClosing = false;
  /** Lines that were taken. */
  #taken = 0;
  /** What {@linkcode KvConversation.sweep} saw: how many lines had ended and were taken, and since when. */
  #seenEnded = -1;
  #insideSince = 0;
  #seenTaken = -1;
  #idleSince = 0;

  /** @param deliver Gets each line from the parser. */
  constructor(
    peer: Peer<LineWriter>,
    services: Services,
    deliver: (line: Uint8Array) => void,
  ) {
    this.parser = new LineSplitter(deliver);
    this.#peer = peer;
    this.#services = services;
    this.#answers = new Answers(
      peer.outbox,
      services.waiting,
      () => this.#hangUp(),
      (error) => void services.incident(error),
    );
  }

  /** Whether the connection is to be closed once the answers are out. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes the next line. Returns a promise when enough of them are under way. */
  take(line: Uint8Array): Promise<void> | undefined {
    if (this.#deaf) return undefined;
    this.#taken++;
    if (line === ENDLESS) return this.#giveUp();
    if (line === TOO_LONG) this.#answer(LINE_TOO_LONG);
    else {
      const waiting = this.#takeRequest(line);
      if (waiting !== undefined) return waiting;
    }
    return this.#answers.room();
  }

  /** The parser throws nothing, and no client is a stranger. */
  fail(error: unknown): void {
    throw error;
  }

  /** Resolves when all requests are answered and, when the port is closing, the client is told. */
  async finish(): Promise<void> {
    await this.#answers.finished();
    if (this.#services.closing && !this.#ended && !this.#closed) this.#tellClosing(SHUTTING_DOWN);
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    this.#answers.close();
  }

  /**
   * Ends the connection when a line takes too long, or none comes. To be called now and then with the time, in milliseconds; so
   * that a line costs no look at the clock.
   */
  sweep(now: number): void {
    if (this.#deaf || this.#ended) return;
    const { idleLimitMs, lineLimitMs } = this.#services;
    if (!this.parser.inside || this.parser.ended !== this.#seenEnded) {
      this.#seenEnded = this.parser.ended;
      this.#insideSince = now;
    } else if (now - this.#insideSince >= lineLimitMs) {
      this.#answer(LINE_TIMEOUT, true);
      return;
    }
    if (this.#taken !== this.#seenTaken || this.#answers.size > 0) {
      this.#seenTaken = this.#taken;
      this.#idleSince = now;
    } else if (idleLimitMs > 0 && now - this.#idleSince >= idleLimitMs) {
      this.#tellClosing(IDLE_TIMEOUT);
      this.#hangUp();
    }
  }

  #takeRequest(line: Uint8Array): Promise<void> | undefined {
    this.#services.counters.requests++;
    const read = readLine(line);
    if (isUnreadable(read)) return this.#answer(read);
    const { id } = read;
    const pending = new Pending(isRequestId(id) ? id : undefined, line.length);
    try {
      return this.#begin(pending, read);
    } catch (error) {
      return this.#fault(pending, error);
    }
  }

  /** Checks a request and begins to do it, at once or when those before it are done. */
  #begin(pending: Pending, request: Members): Promise<void> | undefined {
    const { id, action: name } = request;
    if (pending.id === undefined && id !== undefined) return this.#settle(pending, invalid("id"));
    if (typeof name !== "string") return this.#settle(pending, invalid("action"));
    const action = actionOf(name);
    if (action === undefined) return this.#settle(pending, UNKNOWN_ACTION);
    const wrong = action.members.wrong(request) ?? this.#unknownMember(request, action);
    if (wrong !== undefined) return this.#settle(pending, invalid(wrong));
    pending.tellsRevision = action.tellsRevision;
    const { doing } = action;
    if (doing.kind === "local") {
      if (doing.last === true) this.#deaf = pending.last = true;
      return this.#settle(pending, doing.run(request, this.#services, this.#client));
    }
    if (doing.kind === "listing") {
      const listing = doing.make(request);
      return "ok" in listing
        ? this.#settle(pending, listing)
        : this.#list(pending, request, listing);
    }
    if (doing.kind === "several") return this.#beginSeveral(pending, request, doing.make(request));
    const { key, namespace } = request as unknown as TargetRequest;
    const path = resolvePath(key, namespace);
    if (!(path instanceof Uint8Array)) return this.#settle(pending, path);
    pending.touch = doing.kind === "command" ? "changes" : "reads";
    if (!doing.isBroad(request)) pending.place = hashOf(path);
    const bytes = doing.make(path, request);
    if (!(bytes instanceof Uint8Array)) return this.#settle(pending, bytes);
    return this.#askInOrder(pending, request, bytes);
  }

  #beginSeveral(
    pending: Pending,
    request: Members,
    several: Several | Failure,
  ): Promise<void> | undefined {
    if ("ok" in several) return this.#settle(pending, several);
    pending.touch = several.kind === "command" ? "changes" : "reads";
    pending.place = placeOf(several.nodes.map(({ path }) => path));
    return this.#askInOrder(pending, request, several.bytes);
  }

  #askInOrder(pending: Pending, request: Members, bytes: Uint8Array): Promise<void> | undefined {
    if (this.#answers.mustWait(pending)) return this.#askLater(pending, request, bytes);
    return this.#ask(pending, request, bytes);
  }

  async #askLater(pending: Pending, request: Members, bytes: Uint8Array): Promise<void> {
    await this.#answers.finished();
    try {
      if (!this.#closed) this.#ask(pending, request, bytes);
    } catch (error) {
      this.#fault(pending, error);
    }
  }

  /** Lists when all before is answered, and takes nothing on before that is: one such answer of a connection is in memory. */
  async #list(pending: Pending, request: Members, listing: Listing): Promise<void> {
    await this.#answers.finished();
    if (this.#peer.outbox.congested) await this.#peer.outbox.drained();
    if (this.#closed) return;
    this.#answers.add(pending);
    try {
      const { consistency = "linearizable" } = request as unknown as ReadRequest;
      const { result, lagMs, next } = await list(this.#services, listing, consistency);
      if (consistency === "stale") pending.lagMs = Math.round(lagMs);
      pending.goOn = next;
      this.#settle(pending, result);
    } catch (error) {
      this.#fault(pending, error);
    }
  }

  /** Hands a command or question to the state. */
  #ask(pending: Pending, request: Members, bytes: Uint8Array): undefined {
    const { state, requestLimitMs } = this.#services;
    this.#answers.add(pending);
    if (pending.touch === "changes") {
      state.propose(bytes, requestLimitMs, (result) => this.#settleLate(pending, result));
      return;
    }
    const { consistency = "linearizable" } = request as unknown as ReadRequest;
    const done = ({ result, lagMs }: Answer): void => {
      if (consistency === "stale") pending.lagMs = Math.round(lagMs);
      this.#settleLate(pending, result);
    };
    const hasRoom = (): boolean => this.#answers.hasRoom(pending);
    pending.ask = () => {
      try {
        state.query(bytes, consistency, requestLimitMs, done, hasRoom);
      } catch (error) {
        this.#fault(pending, error);
      }
    };
    pending.ask();
  }

  #unknownMember(request: Members, { name, members }: Action): string | undefined {
    const isStrict = this.#client.strict || (name === "HELLO" && request["strict"] === true);
    return isStrict ? unknownMember(request, members) : undefined;
  }

  /** Called by the state: what goes wrong here is not its affair. */
  #settleLate(pending: Pending, result: Result): void {
    try {
      this.#settle(pending, result);
    } catch (error) {
      void this.#services.incident(error);
    }
  }

  #settle(pending: Pending, result: Result): undefined {
    if (!pending.added) this.#answers.add(pending);
    if (!result.ok && result !== NO_ROOM) this.#note(pending, result);
    this.#answers.settle(pending, result);
  }

  #note(pending: Pending, { code, reason, field }: Failure): void {
    const { counters, state: { leader } } = this.#services;
    counters.failures++;
    if (FAULTS.includes(code)) {
      const text = `${code} ${reason}${field === undefined ? "" : ` ('${field}')`}`;
      this.#services.complain(this.#peer.source, reason, `${this.#peer.name}: ${text}`);
    }
    if (leader !== undefined && OF_THE_LEADER.includes(code)) pending.notes = { leader };
  }

  #fault(pending: Pending, error: unknown): undefined {
    const incident = this.#services.incident(error);
    pending.notes = { incident };
    this.#settle(pending, INTERNAL);
  }

  /** Answers what is no request. */
  #answer(problem: Problem, last = false): undefined {
    const pending = new Pending(undefined, 0);
    if (last) this.#deaf = pending.last = true;
    this.#settle(pending, problem);
  }

  async #giveUp(): Promise<void> {
    this.#deaf = true;
    await this.#answers.finished();
    this.#hangUp();
  }

  #tellClosing(problem: Problem): void {
    if (this.#toldClosing) return;
    this.#toldClosing = true;
    const writer = this.#peer.outbox.open();
    if (writer !== undefined) writeClosing(writer, problem);
  }

  #hangUp(): void {
    this.#deaf = this.#ended = true;
    this.#peer.hangUp();
  }
}
