/**
 * One server of the replicated state: steps the consensus core, and carries out what it asks for. Only here the log, the machine, the
 * disk and the other servers meet. The core decides; everything here is about order and answers. Each input gives one step, whose
 * effects are begun before the next one.
 *
 * @module
 */

import type { Machine, Result } from "../../../cluster/machine/mod.ts";
import {
  type Configuration,
  type ConfigurationChange,
  type Effects,
  type Entry,
  type Input,
  leaderOf,
  type Message,
  type Raft,
  type Refusal,
  type SnapshotMeta,
  step,
  tickDueAt,
} from "../../../cluster/raft/mod.ts";
import { noEffects } from "../../../cluster/raft/state/effects.ts";
import type { Clock, Logger } from "../../../cluster/runtime.ts";
import {
  type Answer,
  type Asker,
  type Consistency,
  NO_ROOM,
  SHUTTING_DOWN,
  type StateService,
} from "../service.ts";
import { sweepersOf } from "../expiry/sweepable.ts";
import { Alarm } from "./alarm.ts";
import { Applier } from "./applier.ts";
import { Desk } from "./desk.ts";
import { type ChangeOutcome, Operations } from "./operations.ts";
import type { LogStore, PeerNet, SnapshotStore, StateStore, VoteStore } from "./parts.ts";
import type { Request } from "./requests.ts";
import type { Beginning } from "./restore.ts";
import { Snapshotter, type SnapshotTrigger } from "./snapshotter.ts";
import { type RaftStatus, raftStatus, stateAgeMs } from "./status.ts";
import { Trimmer } from "./trimmer.ts";
import { Writes } from "./writes.ts";

/** What a server is made of. */
export interface ReplicaParts extends Beginning {
  readonly clock: Clock;
  /** Milliseconds since 1970, for the time that entries carry. */
  readonly wallClock: () => number;
  readonly logger: Logger;
  /** Where the machine's rows are, and the messages of topics, if there may be some. */
  readonly store: StateStore;
  readonly messages?: Pick<StateStore, "mustWait" | "flush">;
  readonly log: LogStore;
  readonly votes: VoteStore;
  readonly snapshots: SnapshotStore;
  readonly peers: PeerNet;
  readonly snapshotTrigger: SnapshotTrigger;
  /** The name of the agent with that node id. */
  readonly nameOf: (id: string) => string | undefined;
  /** Makes a machine on the store anew, after its rows were replaced. */
  readonly newMachine: () => Machine;
  /** A barrier was applied, and nothing after it. */
  readonly barrier?: (entry: Entry) => void;
  /** Something that others show has changed: role, leader, members. */
  readonly changed?: () => void;
  /** Entries were applied, and what came of them was told; or it leads no more. */
  readonly progressed?: () => void;
  /** The server cannot go on; it has stopped. */
  readonly failed: (error: Error) => void;
}

/** A running server. */
export class Replica implements Omit<StateService, "watches"> {
  readonly #parts: ReplicaParts;
  readonly #raft: Raft;
  readonly #desk: Desk;
  readonly #operations: Operations;
  readonly #writes: Writes;
  readonly #applier: Applier;
  readonly #snapshotter: Snapshotter;
  readonly #trimmer: Trimmer;
  readonly #sweepers: ReturnType<typeof sweepersOf>;
  readonly #alarm: Alarm;
  /** By the clock, before anything was heard. */
  readonly #startedAt: number;
  #isFull = false;
  #isClosed = false;

  /** A server that begins with {@linkcode Replica.start}. */
  constructor(parts: ReplicaParts) {
    const { clock, wallClock, raft, log, votes, peers, store, snapshots, unsavedBytes } = parts;
    this.#parts = parts;
    this.#raft = raft;
    this.#startedAt = clock.now();
    this.#alarm = new Alarm(clock, (now) => this.#tick(now));
    this.#writes = new Writes({
      clock,
      log,
      votes,
      install: (snapshot) => this.#install(snapshot),
      logWritten: (seq) => this.#take({ type: "log-written", seq }),
      voteWritten: (seq) => this.#take({ type: "vote-written", seq }),
      full: (isFull) => this.#onFull(isFull),
      failed: (error) => this.#fail(error),
    });
    this.#applier = new Applier(parts.machine, raft, {
      clock,
      log,
      stores: [store, ...parts.messages === undefined ? [] : [parts.messages]],
      applied: (entry, result) => this.#onApplied(entry, result),
      reached: (index) => this.#onReached(index),
      failed: (error) => this.#fail(error),
    });
    this.#desk = new Desk({
      clock,
      wallClock,
      raft,
      peers,
      take: (input, before) => this.#take(input, before),
      query: (question) => this.#applier.machine.query(question, wallClock()),
      applied: () => this.#applier.machine.context.index,
      isWriting: () => this.#writes.isWriting,
      isFull: () => this.#isFull,
    });
    this.#operations = new Operations((input, before) => this.#take(input, before));
    this.#snapshotter = new Snapshotter(parts.snapshotTrigger, {
      raft,
      store,
      snapshots,
      unsavedBytes,
      take: (input) => this.#take(input),
      broken: (error) => this.#fail(error),
      failed: (error) => this.#onSnapshotFailed(error),
    });
    this.#trimmer = new Trimmer({ store, log, failed: (error) => this.#onSnapshotFailed(error) });
    this.#sweepers = sweepersOf({ clock, wallClock, raft, state: this });
  }

  /** Begins: applies what the log knows to be committed and the machine may not have, and takes part. */
  start(): void {
    this.#applier.to(this.#raft.applying);
    this.#alarm.by(tickDueAt(this.#raft));
  }

  /** Its state, and the others' as far as it knows. */
  get status(): RaftStatus {
    return raftStatus(this.#raft, this.#applier.machine.context.index);
  }

  /** The members, as far as this server knows. */
  get configuration(): Configuration {
    return this.#raft.members.configuration;
  }

  /** The machine. */
  get machine(): Machine {
    return this.#applier.machine;
  }

  /** Whether there is no room on the disk. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** How late the loop was lately at most, in milliseconds. */
  get loopLagMs(): number {
    return this.#alarm.worstLagMs;
  }

  /** Node id of the leader, if one is known. */
  get leaderId(): string | undefined {
    return leaderOf(this.#raft);
  }

  /** See {@linkcode StateService.leader}. */
  get leader(): string | undefined {
    const { leaderId } = this;
    return leaderId === undefined ? undefined : this.#parts.nameOf(leaderId);
  }

  /** See {@linkcode StateService.propose}. */
  propose(command: Uint8Array, timeoutMs: number, done: (result: Result) => void): void {
    this.#alarm.soon();
    this.#desk.ask("command", command, false, timeoutMs, done);
  }

  /** See {@linkcode StateService.query}. */
  query(
    question: Uint8Array,
    consistency: Consistency,
    timeoutMs: number,
    done: (answer: Answer) => void,
    asker?: Asker,
  ): void {
    if (consistency !== "stale") {
      this.#alarm.soon();
      const finish = (result: Result): void => done({ result, lagMs: 0 });
      const lease = consistency === "lease";
      return this.#desk.ask("question", question, lease, timeoutMs, finish, asker);
    }
    queueMicrotask(() => {
      if (this.#isClosed) return done({ result: SHUTTING_DOWN, lagMs: 0 });
      if (asker?.hasRoom() === false) return done({ result: NO_ROOM, lagMs: 0 });
      const entryTime = this.machine.context.time;
      const lagMs = stateAgeMs({ ...this.#parts, startedAt: this.#startedAt, entryTime });
      done({ result: this.machine.query(question, this.#parts.wallClock()), lagMs });
    });
  }

  /** As {@linkcode Desk.askHere}; a command as for {@linkcode Replica.propose}, a question linearizably. */
  askHere(...request: Parameters<Desk["askHere"]>): void {
    this.#alarm.soon();
    this.#desk.askHere(...request);
  }

  /** The term in which it leads, once the first entry of that is applied: all that was acknowledged before, it has. */
  get readyTerm(): number | undefined {
    const { role, term } = this.#raft;
    if (this.#isClosed || role.name !== "leader") return undefined;
    return this.#applier.machine.context.index >= role.firstIndex ? term : undefined;
  }

  /** A message of another server. */
  receive(from: string, message: Message): void {
    this.#take({ type: "message", from, message });
  }

  /**
   * Requests that another server forwards; resolves with their answers.
   *
   * @throws {ForwardError} when the message is none
   */
  receiveRequests(message: Uint8Array): Promise<Uint8Array> {
    this.#alarm.soon();
    return this.#desk.receive(message);
  }

  /**
   * Adds, changes or removes a member, as the leader. Resolves when the change is applied here, or with why it was not taken on;
   * `lost` when another leader has undone it, or nobody knows.
   */
  change(change: ConfigurationChange, expectedIndex?: number): Promise<ChangeOutcome> {
    return this.#operations.change(change, expectedIndex, this.#parts.wallClock());
  }

  /** Appends a barrier with these bytes, as the leader. Resolves as {@linkcode Replica.change} does. */
  mark(token: Uint8Array): Promise<ChangeOutcome> {
    return this.#operations.mark(token, this.#parts.wallClock());
  }

  /** Hands the leadership over. Resolves when it is gone, or with why that was not tried or did not come about. */
  transfer(target?: string): Promise<Refusal | { readonly reason: "no-takeover" } | undefined> {
    return this.#operations.transfer(target);
  }

  /** Makes a snapshot now. Resolves when it is on the disk; with `undefined` when there is nothing new. Rejects when it failed. */
  snapshot(): Promise<SnapshotMeta | undefined> {
    return this.#snapshotter.now(this.#applier.machine.context.index);
  }

  /** Ends it; the requests that wait are for {@linkcode Replica.takeOver} of the next one. */
  release(): Request[] {
    const requests = this.#desk.release();
    this.close();
    return requests;
  }

  /** Takes over what waited at an earlier one. */
  takeOver(requests: readonly Request[]): void {
    this.#alarm.soon();
    this.#desk.takeOver(requests);
  }

  /** Ends it: nothing is taken on any more, and all that waits is answered. What the disk is doing is for its owner to end. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#alarm.close();
    this.#writes.close();
    this.#applier.close();
    this.#snapshotter.close();
    this.#operations.close();
    for (const sweeper of this.#sweepers) sweeper.close();
    this.#desk.close();
  }

  #take(input: Input, before?: (effects: Effects) => void): void {
    if (this.#isClosed) return before?.(noEffects());
    const effects = this.#step(input);
    before?.(effects);
    if (!this.#isClosed) this.#carryOut(effects);
  }

  #step(input: Input): Effects {
    try {
      return step(this.#raft, this.#parts.clock.now(), input);
    } catch (error) {
      this.#fail(error as Error);
      return noEffects();
    }
  }

  #carryOut(effects: Effects): void {
    const { log, vote, messages, role, configuration } = effects;
    if (log?.reset !== undefined) this.#applier.suspend(log.reset.snapshot.index);
    for (const { to, message } of messages) this.#parts.peers.send(to, message);
    if (log !== undefined) {
      // The way to the others and back is longer than that to the own disk; what is applied can wait for both.
      this.#parts.peers.flush();
      this.#writes.write(log);
      this.#alarm.soon();
    }
    if (vote !== undefined) this.#writes.writeVote(vote);
    if (effects.apply !== undefined) this.#applier.to(effects.apply);
    this.#desk.readsDone(effects);
    if (effects.trimTo !== undefined) this.#trimmer.to(effects.trimTo);
    for (const load of effects.loads) this.#load(load);
    for (const chunk of effects.chunks) this.#snapshotter.load(chunk);
    if (effects.store !== undefined) this.#snapshotter.store(effects.store);
    if (role !== undefined) this.#onRole(role);
    if (effects.transferFailed) this.#operations.transferred(false);
    if (role !== undefined || configuration !== undefined) this.#parts.changed?.();
    this.#desk.flushSoon();
    this.#alarm.by(tickDueAt(this.#raft));
  }

  #onRole({ role, term, leader }: NonNullable<Effects["role"]>): void {
    const { logger, nameOf } = this.#parts;
    if (role === "leader") return logger.info(`Leads from now on, in term ${term}`);
    if (leader === undefined) logger.info(`Knows no leader: ${role} in term ${term}`);
    else logger.info(`Follows ${nameOf(leader) ?? leader} in term ${term}`);
    this.#operations.transferred(true);
    this.#desk.leaderLost();
    this.#parts.progressed?.();
  }

  #onApplied(entry: Entry, result: Result | undefined): void {
    this.#desk.applied(entry, result);
    this.#operations.applied(entry);
    this.#snapshotter.count(entry);
    if (entry.type === "barrier") this.#parts.barrier?.(entry);
  }

  #onReached(index: number): void {
    this.#take({ type: "applied", index });
    this.#desk.reached(index);
    this.#operations.reached(index);
    for (const sweeper of this.#sweepers) sweeper.changed();
    this.#parts.progressed?.();
    // The view of a snapshot keeps the store from emptying its WAL, which trimming the log does between two of them.
    if (!this.#trimmer.isRunning) this.#snapshotter.maybe(index);
  }

  async #install(snapshot: SnapshotMeta): Promise<void> {
    this.#parts.logger.info(`Takes over a snapshot that ends with entry ${snapshot.index}`);
    await this.#parts.snapshots.load(snapshot);
    if (!this.#isClosed) this.#applier.resume(this.#parts.newMachine());
  }

  #load({ to, from, maxEntries, maxBytes }: Effects["loads"][number]): void {
    this.#parts.log.load({ from, maxEntries, maxBytes }).then(
      (entries) => this.#take({ type: "entries-loaded", to, entries }),
      (error) => this.#fail(error),
    );
  }

  /** Without a new snapshot the log only grows: nothing is lost, and the next try may have room. */
  #onSnapshotFailed(error: Error): void {
    if (!this.#isClosed) this.#parts.logger.error(`Snapshot failed: ${error.message}`, { error });
  }

  #onFull(isFull: boolean): void {
    const { logger } = this.#parts;
    if (!isFull && this.#isFull) logger.info("Disk has room again");
    if (isFull && !this.#isFull) {
      logger.error("Disk is full: takes nothing on, and leads no more if another can");
    }
    this.#isFull = isFull;
    if (isFull && this.#raft.role.name === "leader") this.#take({ type: "transfer" });
    this.#desk.flushSoon();
  }

  /** Returns whether a request waits. */
  #tick(now: number): boolean {
    this.#take({ type: "tick" });
    if (this.#isClosed) return false;
    this.#desk.expire(now);
    this.#desk.flushSoon();
    return this.#desk.waits;
  }

  #fail(error: Error): void {
    if (this.#isClosed) return;
    this.close();
    this.#parts.failed(error);
  }
}
