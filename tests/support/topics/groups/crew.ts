/**
 * Members of a group of {@linkcode PlainGroups}, on a clock that is moved by hand: what each reads, and what goes wrong between it and
 * the servers.
 *
 * @module
 */

import assert from "node:assert/strict";
import type { CallOptions } from "../../../../protocol/call_options.ts";
import { CODE, type Replies, type Requests, TopicError } from "../../../../protocol/topics/mod.ts";
import { Membership } from "../../../../protocol/topics/program/consumer/membership.ts";
import type {
  MemberKind,
  MembershipOptions,
  MembershipWorld,
} from "../../../../protocol/topics/program/consumer/membership_world.ts";
import { ManualClock, settle } from "../../manual_clock.ts";
import { PlainGroups } from "./plain_groups.ts";

/** What happens to a request: it is done and answered unless this says otherwise. */
export type Fate = "done" | "lost" | "answerLost" | TopicError | Promise<void> | Late | Held;

/** It fails so many milliseconds before its time is over. */
export interface Late {
  readonly error: Error;
  readonly earlyMs: number;
}

/** It is done at once, and answered later. */
export interface Held {
  readonly answered: Promise<void>;
}

/** One member, and what it reads. */
export class Sailor {
  readonly membership: Membership;
  /** What it reads now. */
  readonly reading = new Set<number>();
  /** What happened, in order. */
  readonly log: string[] = [];
  readonly failures: unknown[] = [];
  /** How often it became current. */
  resumptions = 0;
  /** What it has asked. */
  readonly asked: MemberKind[] = [];
  /** Decides about the next requests. */
  fate: (kind: MemberKind) => Fate = () => "done";
  /** What it does before partitions are handed over. */
  beforeRevoke: () => Promise<void> = () => Promise.resolve();
  /** Whether it cannot begin to read. */
  cannotRead = false;
  /** Its id at the servers: that of its last join. */
  id = "";
  readonly #crew: Crew;

  constructor(crew: Crew, options: Partial<MembershipOptions>) {
    this.#crew = crew;
    const world: MembershipWorld = {
      now: () => crew.clock.now(),
      setTimer(ms, fn) {
        const timer = crew.clock.setTimer(ms, fn);
        return () => timer.cancel();
      },
      ask: (kind, request, call) => this.#ask(kind, request, call),
      assigned: async (partitions) => {
        await Promise.resolve();
        if (this.cannotRead) throw new Error("Cannot read");
        this.log.push(`+${partitions}`);
        for (const one of partitions) this.reading.add(one);
        crew.check();
      },
      revoked: async (partitions) => {
        await this.beforeRevoke();
        this.log.push(`-${partitions}`);
        for (const one of partitions) this.reading.delete(one);
      },
      lost: (partitions) => {
        this.log.push(`lost ${partitions}`);
        for (const one of partitions) this.reading.delete(one);
        return Promise.resolve();
      },
      failed: (error) => void this.failures.push(error),
      resumed: () => void this.resumptions++,
    };
    this.membership = new Membership(world, {
      group: "g",
      topic: "t",
      client: "c",
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 60_000,
      timeoutMs: 30_000,
      ...options,
    });
  }

  /** Commits an offset of a partition. */
  async commit(partition: number, offset: number): Promise<number> {
    const { codes } = await this.membership.commit(
      [{ topic: "t", partition, offset, metadata: "" }],
      {},
    );
    return codes[0] ?? -1;
  }

  async #ask<K extends MemberKind>(
    kind: K,
    request: Requests[K],
    { timeoutMs = 0, signal }: CallOptions,
  ): Promise<Replies[K]> {
    this.asked.push(kind);
    // Nothing is at its goal at once.
    await Promise.resolve();
    const fate = this.fate(kind);
    if (fate instanceof Promise) await fate;
    if (fate instanceof TopicError) throw fate;
    if (typeof fate === "object" && "earlyMs" in fate) {
      const waited = new Promise((resolve) =>
        this.#crew.clock.setTimer(timeoutMs - fate.earlyMs, () => resolve(0))
      );
      await aborted(waited, signal);
      throw fate.error;
    }
    if (fate === "lost") throw new Error("Lost");
    const reply = this.#crew.answer(kind, request);
    if (kind === "joinGroup") this.id = (reply as Replies["joinGroup"]).member;
    if (typeof fate === "object" && "answered" in fate) await fate.answered;
    if (fate === "answerLost") throw new Error("Answer lost");
    await Promise.resolve();
    return reply;
  }
}

/** The members of one group. */
export class Crew {
  readonly clock = new ManualClock();
  readonly groups = new PlainGroups(() => this.partitions);
  readonly all: Sailor[] = [];
  /** Of the topic. */
  partitions: number;
  /** Commits that were taken. */
  commits = 0;

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  /** A member that has not joined yet. */
  hire(options: Partial<MembershipOptions> = {}): Sailor {
    const sailor = new Sailor(this, options);
    this.all.push(sailor);
    return sailor;
  }

  /** Servers hear nothing more of a member. */
  expel(sailor: Sailor): void {
    this.groups.leave({ group: "g", member: sailor.id });
  }

  /** Servers hear nothing of members that nobody is: the answer to a join was lost, or the wish to leave. */
  expelSilent(): void {
    for (const member of [...this.groups.group("g").members.keys()]) {
      if (this.all.some(({ id }) => id === member)) continue;
      this.groups.leave({ group: "g", member });
    }
  }

  answer<K extends MemberKind>(kind: K, request: Requests[K]): Replies[K] {
    const { groups } = this;
    const answers: { readonly [K in MemberKind]: (request: Requests[K]) => Replies[K] } = {
      joinGroup: (one) => groups.join(one),
      syncGroup: (one) => groups.sync(one),
      heartbeat: (one) => groups.beat(one),
      leaveGroup: (one) => groups.leave(one),
      commitOffsets: (one) => this.#commit(one),
    };
    return answers[kind](request);
  }

  #commit(request: Requests["commitOffsets"]): Replies["commitOffsets"] {
    const { committed } = this.groups.group("g");
    const before = new Map([...committed].map(([key, { offset }]) => [key, offset]));
    const reply = this.groups.commit(request);
    for (const [key, { offset }] of committed) {
      assert.ok(offset >= (before.get(key) ?? 0), `${key} goes back to ${offset}`);
    }
    this.commits++;
    return reply;
  }

  /** What a member reads is its, unless it was removed and does not know that yet. */
  check(): void {
    for (const { id, reading } of this.all) {
      const member = this.groups.group("g").members.get(id);
      if (member === undefined) continue;
      const owned = [...member.owned].map((key) => Number(key.split(" ")[1]));
      const more = [...reading].filter((one) => !owned.includes(one));
      assert.deepEqual(more, [], `${id} reads what is not its`);
    }
  }

  /** All members leave. */
  async dismiss(): Promise<void> {
    const left = this.all.map(({ membership }) => membership.leave(5_000));
    await settle();
    await this.clock.advance(60_000);
    await Promise.all(left);
    assert.equal(this.clock.pending, 0, "timers are left");
  }
}

/** What a promise comes to, unless a signal fires. */
function aborted<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    promise.then(resolve, reject);
    signal?.addEventListener("abort", () => reject(signal.reason));
  });
}

/** A refusal. */
export function refused(code: keyof typeof CODE): TopicError {
  return new TopicError(CODE[code], "");
}
