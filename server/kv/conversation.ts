/**
 * The rules of a conversation on the key-value port: a line in, a line out, in order.
 *
 * @module
 */

import type { Failure, Result } from "../../cluster/machine/mod.ts";
import {
  AUTH_REQUIRED,
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
  type SessionRequest,
  TOO_LONG,
  UNKNOWN_ACTION,
  unknownMember,
  writeClosing,
} from "../../protocol/kv/mod.ts";
import { type Conversation, type Peer, UnfinishedLimitError } from "../net/conversation.ts";
import { type Answer, NO_ROOM, SHUTTING_DOWN } from "../replica/service.ts";
import type { Action, ClientState } from "./action.ts";
import { Answers, Pending } from "./answers.ts";
import { callOf } from "./call.ts";
import { actionOf } from "./dispatch.ts";
import { Hearing } from "./hearing.ts";
import { Journal } from "./journal.ts";
import { list, type Listing } from "./listing.ts";
import type { Services } from "./services.ts";
import { isOnce, onceRequestOf } from "./session/once.ts";
import { Silence } from "./silence.ts";

/** Asks a client that only listens for a sign of life. */
const PING_LINE = new TextEncoder().encode('{"push":"ping"}\n');

/** Codes whose answers tell who leads. */
const OF_THE_LEADER: readonly number[] = [503, 504];

/** Does what a request asks for. */
type Run = () => Result | Promise<Result>;

/** Takes the lines of one client. */
export class KvConversation implements Conversation {
  /** Cuts what the client sends into lines. */
  readonly parser: LineSplitter;
  readonly #peer: Peer<LineWriter>;
  readonly #services: Services;
  readonly #answers: Answers;
  readonly #hearing: Hearing;
  readonly #journal: Journal;
  readonly #client: ClientState;
  /** Whether lines are passed over, since the answer is under way with which the connection ends. */
  #deaf = false;
  #ended = false;
  #closed = false;
  /** Why the connection ends, if that is known here. */
  #reason: string | undefined;
  /** Lines that were taken. */
  #taken = 0;
  readonly #silence = new Silence();

  /** @param deliver Gets each line from the parser. */
  constructor(
    peer: Peer<LineWriter>,
    services: Services,
    deliver: (line: Uint8Array) => void,
  ) {
    this.parser = new LineSplitter(deliver);
    this.#peer = peer;
    this.#services = services;
    this.#journal = new Journal(peer, services);
    const onUnexpected = (error: unknown): void => void services.incident(error);
    this.#hearing = new Hearing(peer.outbox, services, (problem) => this.#endSlowly(problem));
    this.#client = {
      strict: false,
      use: "",
      shown: new Set(),
      failures: 0,
      name: peer.name,
      subscriber: this.#hearing.subscriber,
    };
    this.#answers = new Answers(
      peer.outbox,
      services.waiting,
      () => this.#hangUp(),
      onUnexpected,
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
    this.#hearing.heard();
    if (line === ENDLESS) return this.#giveUp();
    if (line === TOO_LONG) this.#answer(LINE_TOO_LONG);
    else {
      const waiting = this.#takeRequest(line);
      if (waiting !== undefined) return waiting;
    }
    return this.#answers.room();
  }

  /** The parser throws nothing, but more of a line may have come than may wait. */
  fail(error: unknown): void {
    if (!(error instanceof UnfinishedLimitError)) throw error;
    this.#answer(LINE_TOO_LONG, true);
  }

  /** Resolves when all requests are answered and, when the port is closing, the client is told. */
  async finish(): Promise<void> {
    await this.#answers.finished();
    if (this.#services.closing && !this.#ended && !this.#closed) this.#tellClosing(SHUTTING_DOWN);
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    this.#hearing.close();
    this.#answers.close();
    const name = this.#client.entry?.name;
    this.#journal.ended({ name, reason: this.#reason, requests: this.#taken });
  }

  /** Ends the connection, and with it all that it hears, when an entry is gone that has let it in. */
  recheck(): void {
    const { access } = this.#services;
    if (this.#ended || [...this.#client.shown].every((entry) => access?.has(entry))) return;
    this.#tellClosing(AUTH_REQUIRED);
    this.#hangUp();
  }

  /**
   * Ends the connection when a line takes too long, or none comes. To be called now and then with the time, in milliseconds; so
   * that a line costs no look at the clock.
   */
  sweep(now: number): void {
    if (this.#deaf || this.#ended) return;
    const { inside, ended } = this.parser;
    const isWaiting = this.#answers.size > 0;
    const { listens, hasSession } = this.#hearing;
    const activity = { inside, ended, taken: this.#taken, isWaiting, listens, hasSession };
    switch (this.#silence.look(now, activity, this.#services)) {
      case "late line":
        return this.#answer(LINE_TIMEOUT, true);
      case "ask":
        return this.#peer.outbox.append(PING_LINE);
      case "idle":
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
    const refusal = this.#services.access?.refusal(action?.name ?? "", request, this.#client);
    if (refusal !== undefined) return this.#settle(pending, refusal);
    if (action === undefined) return this.#settle(pending, UNKNOWN_ACTION);
    const wrong = action.members.wrong(request) ?? this.#unknownMember(request, action);
    if (wrong !== undefined) return this.#settle(pending, invalid(wrong));
    pending.tellsRevision = action.tellsRevision;
    if (this.#services.logsRequests) {
      pending.told = { action: action.name, since: performance.now() };
    }
    if (isOnce(request)) {
      const { session } = this.#hearing;
      const once = onceRequestOf(action, request, this.#client.use, session);
      if ("ok" in once) return this.#settle(pending, once);
      pending.concern(once.once);
      return this.#askInOrder(pending, () => {
        this.#answers.add(pending);
        session.once(pending, once, (result) => this.#settleLate(pending, result));
      });
    }
    const { doing } = action;
    if (doing.kind === "local") {
      if (doing.last === true) this.#deaf = pending.last = true;
      return this.#settle(pending, doing.run(request, this.#services, this.#client));
    }
    if (doing.kind === "awaited") {
      return this.#run(pending, async () => {
        const result = await doing.run(request, this.#services, this.#client, this.#peer);
        if (doing.isLast(this.#client)) this.#deaf = pending.last = true;
        return result;
      });
    }
    if (doing.kind === "channels") {
      const interests = doing.make(request);
      if ("ok" in interests) return this.#settle(pending, interests);
      const run = (): Result => doing.run(interests, request, this.#services, this.#client);
      return this.#runInOrder(pending, run);
    }
    if (doing.kind === "watches") {
      const run = doing.make(request, this.#client.use);
      if (typeof run !== "function") return this.#settle(pending, run);
      return this.#runInOrder(pending, () => run(this.#hearing.watcher, this.#services));
    }
    if (doing.kind === "session") return this.#runSession(pending, request);
    if (doing.kind === "listing") {
      const listing = doing.make(request, this.#client.use);
      if ("ok" in listing) return this.#settle(pending, listing);
      return this.#list(pending, request, listing);
    }
    const call = callOf(doing, request, this.#client.use);
    if ("ok" in call) return this.#settle(pending, call);
    pending.concern(call);
    return this.#askInOrder(pending, () => this.#ask(pending, request, call.bytes));
  }

  #runSession(pending: Pending, request: Members): Promise<void> | undefined {
    const { session } = this.#hearing;
    const run: Run = () => session.run(request as unknown as SessionRequest);
    if (request["op"] === "ack") return this.#run(pending, run);
    if (request["op"] !== "close") session.holdFor(pending);
    return this.#runInOrder(pending, run);
  }

  #askInOrder(pending: Pending, ask: () => undefined): Promise<void> | undefined {
    return this.#answers.mustWait(pending) ? this.#askLater(pending, ask) : ask();
  }

  async #askLater(pending: Pending, ask: () => undefined): Promise<void> {
    await this.#answers.finished();
    await this.#attempt(pending, ask);
  }

  /** Does something of a request, if there is anybody left to answer. */
  async #attempt(pending: Pending, deed: () => Promise<void> | undefined): Promise<void> {
    try {
      if (!this.#closed) await deed();
    } catch (error) {
      this.#fault(pending, error);
    }
  }

  #runInOrder(pending: Pending, run: Run): Promise<void> | undefined {
    const mustWait = this.#answers.size > 0 || this.#peer.outbox.congested;
    return mustWait ? this.#runLater(pending, run) : this.#run(pending, run);
  }

  #run(pending: Pending, run: Run): Promise<void> | undefined {
    const result = run();
    if (!(result instanceof Promise)) return this.#settle(pending, result);
    this.#answers.add(pending);
    return result.then((result) => this.#settle(pending, result))
      .catch((error) => this.#fault(pending, error));
  }

  /** Does something when all before it is answered: who hears of it finds done what came first, and the answer goes before pushes. */
  async #runLater(pending: Pending, run: Run): Promise<void> {
    const { outbox } = this.#peer;
    do {
      await this.#answers.finished();
      await outbox.drained();
    } while (!this.#closed && (this.#answers.size > 0 || outbox.congested));
    await this.#attempt(pending, () => this.#run(pending, run));
  }

  /** Lists when all before is answered, and takes nothing on before that is: one such answer of a connection is in memory. */
  async #list(pending: Pending, request: Members, listing: Listing): Promise<void> {
    await this.#answers.finished();
    if (this.#peer.outbox.congested) await this.#peer.outbox.drained();
    await this.#attempt(pending, async () => {
      this.#answers.add(pending);
      const { consistency = "linearizable" } = request as unknown as ReadRequest;
      const { result, lagMs, next } = await list(this.#services, listing, consistency);
      if (consistency === "stale") pending.lagMs = Math.round(lagMs);
      pending.goOn = next;
      this.#settle(pending, result);
    });
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
    const asker = { client: this, hasRoom: () => this.#answers.hasRoom(pending) };
    pending.ask = () => {
      try {
        state.query(bytes, consistency, requestLimitMs, done, asker);
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
    if (result !== NO_ROOM) {
      if (!result.ok) this.#note(pending, result);
      if (pending.told !== undefined) this.#journal.done(pending.told, result);
      pending.told = undefined;
    }
    this.#answers.settle(pending, result);
  }

  #note(pending: Pending, failure: Failure): void {
    this.#journal.failed(failure);
    const { leader } = this.#services.state;
    if (leader !== undefined && OF_THE_LEADER.includes(failure.code)) pending.notes = { leader };
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
    if (this.#reason !== undefined) return;
    this.#reason = problem.reason;
    const writer = this.#peer.outbox.open();
    if (writer !== undefined) writeClosing(writer, problem);
  }

  /** Says why the connection ends, and ends it when the client has read all before that. */
  #endSlowly(problem: Problem): void {
    this.#deaf = true;
    this.#hearing.close();
    this.#tellClosing(problem);
    this.#peer.outbox.drained(0).then(() => this.#hangUp())
      .catch((error) => void this.#services.incident(error));
  }

  #hangUp(): void {
    this.#hearing.close();
    this.#deaf = this.#ended = true;
    this.#peer.hangUp();
  }
}
