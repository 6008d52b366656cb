/**
 * Where clients' requests come in and answers go out: at the leader into the log or to the machine, elsewhere on to the leader.
 *
 * Without a leader requests wait for one until their time is over.
 *
 * @module
 */

import type { Result } from "../../../cluster/machine/mod.ts";
import {
  type Effects,
  type Entry,
  type Input,
  leaderOf,
  type Raft,
  type Refusal,
} from "../../../cluster/raft/mod.ts";
import type { ReadRequest } from "../../../cluster/raft/state/effects.ts";
import type { Clock } from "../../../cluster/runtime.ts";
import {
  type Asker,
  NO_LEADER,
  NO_ROOM,
  OUTCOME_UNKNOWN,
  OVERLOADED,
  SHUTTING_DOWN,
  STORAGE_FULL,
} from "../service.ts";
import { AcceptedCommands } from "./accepted.ts";
import { decodeRequests, FORWARD_LIMIT, Forwarder } from "./forwarding.ts";
import type { PeerNet } from "./parts.ts";
import { Reads } from "./reads.ts";
import { type Request, RequestQueue } from "./requests.ts";

/** Requests of one kind that may wait for a leader, or for the disk of this one. */
const WAITING_LIMIT = { count: 65_536, bytes: 64 * 1024 * 1024 } as const;

/** What the desk works with. */
export interface DeskParts {
  readonly clock: Clock;
  /** Milliseconds since 1970, for the time that entries carry. */
  readonly wallClock: () => number;
  readonly raft: Raft;
  readonly peers: Pick<PeerNet, "request">;
  /** Gives the core an input; `before` sees what comes of it before it is carried out. */
  readonly take: (input: Input, before?: (effects: Effects) => void) => void;
  /** Asks the machine as it is. */
  readonly query: (question: Uint8Array) => Result;
  /** Index of the last entry that the machine has. */
  readonly applied: () => number;
  /** Whether the log is being written. */
  readonly isWriting: () => boolean;
  /** Whether there is no room on the disk. */
  readonly isFull: () => boolean;
}

/** The requests of one server's clients. */
export class Desk {
  readonly #parts: DeskParts;
  readonly #commands = new RequestQueue(WAITING_LIMIT);
  readonly #questions = new RequestQueue(WAITING_LIMIT);
  readonly #accepted = new AcceptedCommands();
  readonly #reads: Reads;
  readonly #forwarder: Forwarder;
  #isFlushing = false;
  #isClosed = false;

  /** Nobody has asked for anything. */
  constructor(parts: DeskParts) {
    this.#parts = parts;
    this.#reads = new Reads(parts.clock, parts.query);
    this.#forwarder = new Forwarder({
      clock: parts.clock,
      peers: parts.peers,
      putBack: (requests) => this.#again(requests),
      free: () => this.flushSoon(),
    });
  }

  /** Whether a request waits for anything. */
  get waits(): boolean {
    return this.#commands.length + this.#questions.length + this.#accepted.length > 0 ||
      this.#reads.wait || this.#forwarder.isBusy;
  }

  /** Takes a request of a client of this server on. */
  ask(
    kind: Request["kind"],
    bytes: Uint8Array,
    lease: boolean,
    timeoutMs: number,
    done: (result: Result) => void,
    asker?: Asker,
  ): void {
    this.#enqueue({
      kind,
      bytes,
      lease,
      deadline: this.#parts.clock.now() + timeoutMs,
      staysHere: false,
      ...asker !== undefined && { asker },
      done: (result) => done(result ?? NO_ROOM),
    });
  }

  /** Takes a request on for this server alone; `undefined` when it does not lead, and nothing of it was done. */
  askHere(
    kind: Request["kind"],
    bytes: Uint8Array,
    timeoutMs: number,
    done: (result: Result | undefined) => void,
  ): void {
    const deadline = this.#parts.clock.now() + timeoutMs;
    this.#enqueue({ kind, bytes, lease: false, deadline, staysHere: true, done });
  }

  /**
   * Takes requests on that another server forwards; resolves with their answers.
   *
   * @throws {ForwardError} when the message is none
   */
  receive(message: Uint8Array): Promise<Uint8Array> {
    const { requests, answer } = decodeRequests(message, this.#parts.clock.now());
    for (const request of requests) this.#enqueue(request);
    return answer;
  }

  /** Goes on with what waits, at the end of this turn: all that comes in one turn goes on together. */
  flushSoon(): void {
    if (this.#isFlushing || this.#commands.length + this.#questions.length === 0) return;
    this.#isFlushing = true;
    queueMicrotask(() => {
      this.#isFlushing = false;
      if (!this.#isClosed) this.#flush();
    });
  }

  /** Somebody else leads, or nobody: who forwarded requests here has to look for the leader itself. */
  leaderLost(): void {
    for (const queue of [this.#commands, this.#questions]) {
      this.#again(queue.take(Infinity, Infinity));
    }
  }

  /** The core has answered reads. */
  readsDone({ reads, lostReads }: Pick<Effects, "reads" | "lostReads">): void {
    for (const { id, index } of reads) this.#reads.ready(id, index, this.#parts.applied());
    if (lostReads.length > 0) this.#again(this.#reads.lost(lostReads));
  }

  /** An entry was applied. */
  applied({ index, term }: Entry, result: Result | undefined): void {
    this.#accepted.applied(index, term, result);
  }

  /** The machine has come to this entry, by applying all before it or by a snapshot. */
  reached(index: number): void {
    this.#accepted.skipped(index);
    this.#reads.applied(index);
  }

  /** Answers what has waited for too long. */
  expire(now: number): void {
    const late = [...this.#commands.takeExpired(now), ...this.#questions.takeExpired(now)];
    for (const { done } of late) done(NO_LEADER);
    this.#accepted.expire(now);
    this.#reads.expire(now);
  }

  /** Gives up the requests that wait, for another desk. */
  release(): Request[] {
    return [this.#commands, this.#questions].flatMap((queue) => queue.take(Infinity, Infinity));
  }

  /** Takes over the requests of another desk. */
  takeOver(requests: readonly Request[]): void {
    this.#again(requests);
    this.flushSoon();
  }

  /** Answers everything, and takes nothing on any more. */
  close(): void {
    this.#isClosed = true;
    this.#forwarder.close();
    for (const queue of [this.#commands, this.#questions]) {
      for (const { done } of queue.take(Infinity, Infinity)) done(SHUTTING_DOWN);
    }
    this.#accepted.end();
    this.#reads.end();
  }

  get #leads(): boolean {
    return this.#parts.raft.role.name === "leader";
  }

  #enqueue(request: Request): void {
    if (this.#isClosed) return queueMicrotask(() => request.done(SHUTTING_DOWN));
    // One hop, and no more.
    if (request.staysHere && !this.#leads) return queueMicrotask(() => request.done(undefined));
    const queue = request.kind === "command" ? this.#commands : this.#questions;
    if (queue.add(request)) this.flushSoon();
    else queueMicrotask(() => request.done(OVERLOADED));
  }

  /** What was taken on in vain waits for its next chance. */
  #again(requests: readonly Request[]): void {
    const commands: Request[] = [];
    const questions: Request[] = [];
    for (const request of requests) {
      if (this.#isClosed) request.done(SHUTTING_DOWN);
      else if (request.staysHere && !this.#leads) request.done(undefined);
      else (request.kind === "command" ? commands : questions).push(request);
    }
    this.#commands.putBack(commands);
    this.#questions.putBack(questions);
  }

  #flush(): void {
    const { raft } = this.#parts;
    if (this.#leads) return this.#lead();
    const leader = leaderOf(raft);
    if (leader === undefined || this.#forwarder.isBusy) return;
    const { count, bytes } = FORWARD_LIMIT;
    const commands = this.#commands.take(count / 2, bytes / 2);
    const questions = this.#forwarder.take(this.#questions, count / 2, bytes / 2);
    const requests = [...commands, ...questions];
    if (requests.length > 0) this.#forwarder.send(leader, requests);
  }

  /** Questions go at once; commands when the disk is done with those before, so that many make one write. */
  #lead(): void {
    const { raft, isWriting, isFull } = this.#parts;
    const questions = this.#questions.take(Infinity, Infinity);
    if (questions.length > 0) this.#read(questions);
    if (isFull()) {
      for (const { done } of this.#commands.take(Infinity, Infinity)) done(STORAGE_FULL);
    }
    const { role, options } = raft;
    if (isWriting() || role.name !== "leader" || role.transfer !== undefined) return;
    const batch = this.#next(options.maxEntries, options.maxBytes);
    if (batch.length > 0) this.#propose(batch);
  }

  /** What this server has sent to a former leader comes before what else its own clients ask for, should it come back. */
  #next(count: number, bytes: number): Request[] {
    const commands = this.#commands;
    if (!this.#forwarder.isUnderWay) return commands.take(count, bytes);
    const turnOf = ({ staysHere }: Request) => staysHere ? "now" : "later";
    const { now: batch } = commands.choose(count, bytes, turnOf);
    if (commands.length > 0) this.#forwarder.hurry();
    return batch;
  }

  #propose(batch: readonly Request[]): void {
    const proposals = batch.map(({ bytes }) => ({ type: "command" as const, data: bytes }));
    const { take, wallClock } = this.#parts;
    take({ type: "propose", proposals, time: wallClock() }, ({ accepted, refused }) => {
      // Known before the effects are carried out: a lone server may have the entries committed by them.
      if (accepted !== undefined) this.#accepted.add(batch, accepted);
      else this.#refuse(batch, refused);
    });
  }

  #refuse(batch: readonly Request[], refused: Refusal | undefined): void {
    if (refused?.reason === "overloaded") {
      for (const { done } of batch) done(OVERLOADED);
    } else if (refused?.reason !== "entry-too-large") {
      // Without a word the core has failed.
      if (refused === undefined) { for (const { done } of batch) done(OUTCOME_UNKNOWN); }
      else this.#again(batch);
    } else {
      const { limit } = refused;
      const large = batch.filter(({ bytes }) => bytes.length > limit);
      for (const { done } of large) done({ ok: false, code: 413, reason: "VALUE_TOO_LARGE" });
      this.#again(batch.filter(({ bytes }) => bytes.length <= limit));
    }
  }

  #read(questions: readonly Request[]): void {
    const requests: ReadRequest[] = [];
    for (const lease of [false, true]) {
      const those = questions.filter((request) => request.lease === lease);
      if (those.length > 0) requests.push({ id: this.#reads.add(those), lease });
    }
    this.#parts.take({ type: "read", requests });
  }
}
