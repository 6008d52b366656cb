/**
 * A member of a group: it joins, is told which partitions of a topic are its, hands over those that are another member's now, and
 * tells the servers that it is alive (docs/spec/topics.md 4).
 *
 * What it promises its user: partitions are read between `assigned` and `revoked` or `lost` only, and what is committed by
 * `commit` names a generation in which the member owns what it commits. A member that nobody has heard of for the time of its
 * session says by `isCurrent` that others may have its partitions.
 *
 * @module
 */

import type { CallOptions } from "../../../call_options.ts";
import { CODE } from "../../codes.ts";
import { TopicError } from "../../errors.ts";
import type { CommittedOffset, Replies, Requests } from "../../requests.ts";
import type { MemberKind, MembershipOptions, MembershipWorld } from "./membership_world.ts";
import { limited } from "./timing.ts";

/** Longest pause between two heartbeats, in milliseconds. */
const HEARTBEAT_MS = 3_000;

/** The same while another member has something for it. */
const WAITING_MS = 500;

/** So long a server may take for an answer, in milliseconds, however short sessions are. */
const MIN_TRY_MS = 1_000;

/** Pause after a failure, in milliseconds. */
const RETRY_MS = 1_000;

/** What is said at the end of a try that may succeed later: there is no leader yet, or it has too much to do. */
const PASSING: readonly number[] = [CODE.NOT_LEADER, CODE.OVERLOADED, CODE.REQUEST_TIMEOUT];

/** So often in a row it may be no member although it has just joined. */
const MAX_LOSSES = 3;

/** One member of one group. */
export class Membership {
  readonly #world: MembershipWorld;
  readonly #options: MembershipOptions;
  readonly #heartbeatMs: number;
  /** A server that says nothing for so long is given up, in time for another one. */
  readonly #tryMs: number;
  readonly #ended = new AbortController();
  /** "": it is none. */
  #member = "";
  /** That of its last sync. */
  #generation = 0;
  /** What it may read. */
  #held: ReadonlySet<number> = new Set();
  /** Whether another member has something for it. */
  #isWaiting = false;
  /** Whether servers have something to say: it is to sync, or to join anew. */
  #isDue = false;
  /** Whether what it holds is its no more. */
  #isLost = false;
  #isLeaving = false;
  /** Nobody has its partitions before that. */
  #currentUntil = -Infinity;
  #starting: Promise<void> | undefined;
  #running: Promise<void> | undefined;
  #beating: Promise<void> | undefined;
  /** Syncs and commits follow each other, so that each commit names the generation of the last sync. */
  #turn: Promise<unknown> = Promise.resolve();
  /** End pauses. */
  readonly #wakers = new Set<() => void>();

  /** It is none yet. */
  constructor(world: MembershipWorld, options: MembershipOptions) {
    this.#world = world;
    this.#options = options;
    this.#heartbeatMs = Math.min(HEARTBEAT_MS, Math.floor(options.sessionTimeoutMs / 3));
    this.#tryMs = Math.max(MIN_TRY_MS, options.sessionTimeoutMs / 3);
  }

  /** Whether it is sure that nobody else has its partitions. */
  get isCurrent(): boolean {
    return !this.#isLost && this.#world.now() < this.#currentUntil;
  }

  /** What the servers know it by now. */
  get self(): Requests["heartbeat"] {
    return { group: this.#options.group, generation: this.#generation, member: this.#member };
  }

  /** Joins. Resolves when it knows what is its. Rejects with what kept it from that; then it can be tried again. */
  start(): Promise<void> {
    const starting = this.#starting ??= this.#settle().then(() => {
      this.#running = this.#run();
    }, (error) => {
      this.#starting = undefined;
      throw error;
    });
    return starting;
  }

  /**
   * Commits offsets of partitions that it holds.
   *
   * Rejects with `UNKNOWN_MEMBER` when it is no member, or none any more; then all that it held is lost.
   */
  async commit(
    offsets: readonly CommittedOffset[],
    options: CallOptions,
  ): Promise<Replies["commitOffsets"]> {
    return await this.inTurn(async () => {
      const sentAt = this.#world.now();
      const self = this.self;
      try {
        const reply = await this.#ask("commitOffsets", { ...self, offsets }, options);
        this.#heard(sentAt);
        return reply;
      } catch (error) {
        // The answer to a sync was lost.
        if (isOf(error, CODE.INVALID_GENERATION)) this.#due();
        else this.#learn(error, self);
        throw error;
      }
    });
  }

  /**
   * Does something in its name, between its syncs.
   *
   * Rejects with `UNKNOWN_MEMBER` when it is no member, or none any more.
   */
  async inTurn<T>(work: (self: Membership["self"]) => Promise<T>): Promise<T> {
    return await this.#inTurn(async () => {
      // Without a member the servers would take it for a program that commits for a group without members.
      if (this.#member === "" || this.#generation === 0 || this.#isLost) {
        throw new TopicError(CODE.UNKNOWN_MEMBER, "The group has gone on without this member");
      }
      return await work(this.self);
    });
  }

  /** Goes on as it is: no partition comes or goes. */
  stop(): void {
    this.#isLeaving = true;
    this.#wake();
  }

  /** Leaves the group, so that others have its partitions at once. Resolves after `ms` milliseconds at the latest; never rejects. */
  async leave(ms: number): Promise<void> {
    this.stop();
    const cancel = this.#world.setTimer(ms, () => this.#ended.abort());
    // A member that has joined meanwhile is one that has to leave.
    await this.#starting?.catch(() => {});
    await this.#running;
    try {
      const { group } = this.#options;
      const { signal } = this.#ended;
      if (this.#member !== "" && !signal.aborted) {
        const request = { group, member: this.#member };
        await this.#world.ask("leaveGroup", request, { timeoutMs: ms, signal });
      }
    } catch {
      // Then the time of its session passes.
    }
    cancel();
    this.#member = "";
    this.#currentUntil = -Infinity;
    this.#ended.abort();
    this.#wake();
    await this.#beating;
  }

  /** Asks, and asks again while there is time: no try waits for long for a server that says nothing. */
  async #ask<K extends MemberKind>(
    kind: K,
    request: Requests[K],
    { timeoutMs = this.#options.timeoutMs, signal }: CallOptions = {},
  ): Promise<Replies[K]> {
    const signals = signal === undefined ? [this.#ended.signal] : [this.#ended.signal, signal];
    const endsAt = this.#world.now() + timeoutMs;
    for (;;) {
      const startedAt = this.#world.now();
      const limitMs = Math.min(endsAt - startedAt, this.#tryMs);
      try {
        const call = { signal: AbortSignal.any(signals), timeoutMs: limitMs };
        return await this.#world.ask(kind, request, call);
      } catch (error) {
        const now = this.#world.now();
        // A try ends early where a pause would outlast its time.
        const wasLong = now - startedAt >= limitMs / 4;
        const isRefused = error instanceof TopicError && !PASSING.includes(error.code);
        if (isRefused || !wasLong || now >= endsAt || this.#ended.signal.aborted) throw error;
      }
    }
  }

  async #run(): Promise<void> {
    while (!this.#isLeaving) {
      if (!this.#isDue) {
        await this.#pause(Infinity);
        continue;
      }
      try {
        await this.#settle();
      } catch (error) {
        if (this.#isLeaving) return;
        this.#isDue = true;
        this.#world.failed(error);
        await this.#pause(RETRY_MS);
      }
    }
  }

  /** Joins if it has to, and syncs until it holds what is its and nothing else. */
  async #settle(): Promise<void> {
    let losses = 0;
    for (let isDone = false; !isDone && !this.#isLeaving;) {
      await this.#drop();
      const self = this.self;
      try {
        if (self.generation === 0) await this.#join();
        else isDone = await this.#sync();
      } catch (error) {
        // A member that is none any more joins anew.
        if (!this.#learn(error, self) || ++losses > MAX_LOSSES) throw error;
      }
    }
  }

  /** Gives up what is its no more. */
  async #drop(): Promise<void> {
    if (!this.#isLost) return;
    const held = [...this.#held];
    this.#held = new Set();
    this.#generation = 0;
    this.#isLost = false;
    if (held.length > 0) await this.#world.lost(held);
  }

  async #join(): Promise<void> {
    const { group, topic, client, sessionTimeoutMs, rebalanceTimeoutMs } = this.#options;
    const times = { sessionTimeoutMs, rebalanceTimeoutMs };
    const request = { group, member: this.#member, client, ...times, topics: [topic] };
    const sentAt = this.#world.now();
    const { member, generation } = await this.#ask("joinGroup", request);
    this.#member = member;
    this.#generation = generation;
    this.#heard(sentAt);
    this.#beating ??= this.#beat();
  }

  /** Tells what it holds, and holds then what it is told to. Whether that is all for now. */
  async #sync(): Promise<boolean> {
    const { topic } = this.#options;
    const held = this.#held;
    this.#isDue = false;
    const { assigned, more } = await this.#inTurn(async () => {
      const sentAt = this.#world.now();
      const request = {
        ...this.self,
        held: [...held].map((partition) => ({ topic, partition })),
      };
      const share = await this.#ask("syncGroup", request);
      this.#generation = share.generation;
      this.#heard(sentAt);
      return share;
    });
    this.#isWaiting = more;
    this.#wake();
    const own = new Set(assigned.flatMap((one) => one.topic === topic ? [one.partition] : []));
    const kept = [...held].filter((partition) => own.has(partition));
    const revoked = [...held].filter((partition) => !own.has(partition));
    const added = [...own].filter((partition) => !held.has(partition));
    // What could not be begun is not held, and so the next sync gives it back and asks for it again.
    const [begun] = await Promise.allSettled([
      added.length > 0 ? this.#world.assigned(added) : undefined,
      revoked.length > 0 ? this.#world.revoked(revoked) : undefined,
    ]);
    if (begun.status === "rejected") {
      this.#held = new Set(kept);
      throw begun.reason;
    }
    this.#held = new Set([...kept, ...added]);
    return revoked.length === 0;
  }

  /** Tells servers that it is alive, whatever else is under way. */
  async #beat(): Promise<void> {
    const { signal } = this.#ended;
    let pauseMs = this.#heartbeatMs;
    for (let last = this.#world.now(); !signal.aborted;) {
      const waitMs = Math.min(pauseMs, this.#isWaiting ? WAITING_MS : Infinity);
      const leftMs = last + waitMs - this.#world.now();
      if (leftMs > 0) {
        await this.#pause(leftMs);
        continue;
      }
      const self = this.self;
      const sentAt = last = this.#world.now();
      pauseMs = this.#heartbeatMs;
      if (self.generation === 0) continue;
      const call = { signal, timeoutMs: this.#tryMs };
      try {
        await this.#world.ask("heartbeat", self, call);
        this.#heard(sentAt);
      } catch (error) {
        if (isOf(error, CODE.REBALANCE_IN_PROGRESS)) {
          this.#heard(sentAt);
          this.#due();
        } else if (!this.#learn(error, self)) {
          pauseMs = Math.min(pauseMs, RETRY_MS);
        }
      }
    }
  }

  /** What a failure tells of who it was when it asked; whether it tells that this is no member. */
  #learn(error: unknown, { member, generation }: Requests["heartbeat"]): boolean {
    const isUnknown = isOf(error, CODE.UNKNOWN_MEMBER);
    if (!isUnknown && !isOf(error, CODE.INVALID_GENERATION)) return false;
    // It may be another one meanwhile.
    if (member !== this.#member || generation !== this.#generation) return true;
    this.#isLost = true;
    this.#currentUntil = -Infinity;
    if (isUnknown) this.#member = "";
    this.#due();
    return true;
  }

  /** Servers have heard of it, what was sent at a time. */
  #heard(sentAt: number): void {
    const wasCurrent = this.isCurrent;
    this.#currentUntil = Math.max(this.#currentUntil, sentAt + this.#options.sessionTimeoutMs);
    if (!wasCurrent && this.isCurrent) this.#world.resumed();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(work);
    const call = { signal: this.#ended.signal, timeoutMs: Infinity };
    // Who asked for it is told what became of it, and who leaves waits for nothing.
    this.#turn = limited(this.#world, result, call, () => new Error("Unreachable")).catch(() => {});
    return result;
  }

  #due(): void {
    this.#isDue = true;
    this.#wake();
  }

  #wake(): void {
    for (const wake of [...this.#wakers]) wake();
  }

  /** Resolves after so many milliseconds, or when there is something to do. */
  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel?.();
        this.#wakers.delete(wake);
        resolve();
      };
      const cancel = ms === Infinity ? undefined : this.#world.setTimer(ms, wake);
      this.#wakers.add(wake);
    });
  }
}

function isOf(error: unknown, code: number): boolean {
  return error instanceof TopicError && error.code === code;
}
