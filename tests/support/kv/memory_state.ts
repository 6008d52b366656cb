/**
 * A replicated state without replicas: a machine in memory that answers in the next turn, or when a test says so.
 *
 * @module
 */

import { sweepCommand } from "../../../cluster/machine/kv/mod.ts";
import { storeSource, WatchHub } from "../../../cluster/watch/mod.ts";
import type { RingLimits } from "../../../cluster/watch/ring.ts";
import { type Failure, Machine, MemoryStore, type Result } from "../../../cluster/machine/mod.ts";
import {
  type Answer,
  type Asker,
  type Consistency,
  NO_ROOM,
  type StateService,
} from "../../../server/replica/service.ts";
import { type Leadership, Sessions } from "../../../server/replica/sessions/mod.ts";
import { realClock, realRandom } from "../../../server/runtime.ts";
import { Fetches } from "../../../server/replica/watching/fetches.ts";

/** Something that was asked and is not answered. */
type Waiting =
  | { readonly command: Uint8Array; readonly done: (result: Result) => void }
  | {
    readonly question: Uint8Array;
    readonly consistency: Consistency;
    readonly done: (answer: Answer) => void;
    readonly asker: Asker | undefined;
  };

/** The state of one server alone. */
export class MemoryState implements StateService, Leadership {
  /** The leader; a test may change it. */
  leader: string | undefined = "alpha";
  /** What everything fails with, if anything. */
  failure: Failure | undefined;
  /** What is thrown at everyone who asks, if anything. */
  fault: Error | undefined;
  /** How old answers to `stale` questions are, in milliseconds. */
  lagMs = 7;
  /** Whether answers are read here, and not by another server, which does not know of room. */
  asksForRoom = true;
  /** Questions that the machine has answered. */
  answered = 0;
  /** Failures of watches that nobody waits for. */
  readonly faults: unknown[] = [];
  /** As {@linkcode StateService.watches}. */
  readonly watches: WatchHub;
  /** What agents that keep no state fetch here. */
  readonly fetches: Fetches;
  readonly #store = new MemoryStore();
  /** The machine. */
  readonly machine: Machine;
  /** This server leads. */
  readonly readyTerm = 1;
  /** The sessions of clients. */
  readonly sessions: Sessions;
  #waiting: Waiting[] = [];
  #held = false;
  #scheduled = false;

  /** Keeps changes as `limits` say; sessions live for `timeoutMs` without a sign of their clients. */
  constructor(limits?: RingLimits, timeoutMs = 90_000) {
    this.watches = new WatchHub({
      pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
      background: (work) => void work.catch((error) => this.faults.push(error)),
      ...limits && { limits },
    });
    this.fetches = new Fetches(this.watches, realClock);
    this.machine = new Machine(this.#store, undefined, {
      changes: (changes) => this.watches.take(changes),
      sessions: (changes) => this.sessions.changed(changes),
    });
    const parts = { clock: realClock, random: realRandom, timeoutMs };
    this.sessions = new Sessions(parts, () => this);
    this.begin();
  }

  /** Has the watches begin anew, as after a snapshot. */
  begin(): void {
    this.watches.begin(storeSource(this.#store, this.watches.ring));
  }

  /** Removes what is due. */
  sweep(): void {
    this.#apply([sweepCommand()]);
  }

  /** How many requests are not answered. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Answers nothing until {@linkcode MemoryState.release}. */
  hold(): void {
    this.#held = true;
  }

  /** Answers what waits, and goes on. */
  release(): void {
    this.#held = false;
    this.#answer();
  }

  /** As {@linkcode StateService.propose}. */
  propose(command: Uint8Array, _timeoutMs: number, done: (result: Result) => void): void {
    if (this.fault !== undefined) throw this.fault;
    this.#add({ command, done });
  }

  /** As {@linkcode StateService.query}. */
  query(
    question: Uint8Array,
    consistency: Consistency,
    _timeoutMs: number,
    done: (answer: Answer) => void,
    asker?: Asker,
  ): void {
    if (this.fault !== undefined) throw this.fault;
    this.#add({ question, consistency, done, asker });
  }

  /** As {@linkcode Leadership.askHere}. */
  askHere(
    kind: "command" | "question",
    bytes: Uint8Array,
    timeoutMs: number,
    done: (result: Result | undefined) => void,
  ): void {
    if (kind === "command") this.propose(bytes, timeoutMs, done);
    else this.query(bytes, "linearizable", timeoutMs, ({ result }) => done(result));
  }

  #add(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#held || this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      if (!this.#held) this.#answer();
    });
  }

  /** In order; commands that follow each other are one batch. */
  #answer(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < waiting.length;) {
      const one = waiting[at] as Waiting;
      if ("question" in one) {
        const result = this.failure ?? this.#answerTo(one);
        one.done({ result, lagMs: one.consistency === "stale" ? this.lagMs : 0 });
        at++;
        continue;
      }
      const batch: Extract<Waiting, { command: Uint8Array }>[] = [];
      for (let next = waiting[at]; next && "command" in next; next = waiting[++at]) {
        batch.push(next);
      }
      const results = this.failure === undefined
        ? this.#apply(batch.map((one) => one.command))
        : [];
      batch.forEach((one, i) => one.done(this.failure ?? results[i] as Result));
      this.sessions.look();
    }
  }

  #answerTo({ question, asker }: Extract<Waiting, { question: Uint8Array }>): Result {
    if (this.asksForRoom && asker?.hasRoom() === false) return NO_ROOM;
    this.answered++;
    return this.machine.query(question);
  }

  #apply(commands: readonly Uint8Array[]): (Result | undefined)[] {
    const next = this.machine.context.index + 1;
    return this.machine.apply(
      commands.map((data, i) => ({ index: next + i, type: "command", time: next + i, data })),
    );
  }
}
