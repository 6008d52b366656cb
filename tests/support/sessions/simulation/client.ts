/**
 * A client of a run: a session over all the processes that go on with it, one at a time, and what they must never see.
 *
 * @module
 */

import type { Call, Effect } from "../../../../client/sessions/core/inputs.ts";
import { OutcomeUnknownError } from "../../../../protocol/kv/errors.ts";
import type { Checker } from "../../replica/simulation/checker.ts";
import type { SeededRandom } from "../../simulation/random.ts";
import type { SimRuntime, Simulation } from "../../simulation/simulation.ts";
import type { History } from "./history.ts";
import { TIMEOUT_MS } from "./port.ts";
import { SimulatedProcess } from "./process.ts";

/** How long calls may take, in milliseconds. */
const DEADLINES_MS = [700, 4_000, 30_000] as const;

/** Pauses between two calls, and before what was told is read, at most, in milliseconds. */
const PAUSE_MS = 250;
const READ_MS = 300;

/** Of the keys that were counted on, so many newest ones are read. */
const READ_KEYS = 20;

const encoder = new TextEncoder();

/** A request to count on a key of its own. */
interface Count {
  readonly key: string;
  /** What is known of it. */
  outcome: "waiting" | "done" | "not done" | "unknown";
}

/** What takes the end of a call. */
interface Waiting {
  resolved(result: string): void;
  rejected(error: Error): void;
  /** Nobody will know. */
  lost(): void;
}

/** What all clients of a run share. */
export interface ClientWorld {
  readonly simulation: Simulation;
  readonly random: SeededRandom;
  readonly checker: Checker;
  readonly history: History;
  /** Where servers are, as those know who configure clients. */
  readonly addresses: () => readonly string[];
  /** Sessions that clients or servers have tried to end. */
  readonly ending: ReadonlySet<string>;
  /** Whether clients ask for new things. */
  isAsking: boolean;
}

/** The client. */
export class SimulatedClient {
  /** Its machine. */
  readonly host: string;
  /** Calls that had an answer, and those whose outcome nobody knows. */
  answered = 0;
  unknown = 0;
  /** Questions that were answered. */
  read = 0;
  /** Server requests that came, each once to a process. */
  delivered = 0;
  /** Processes that it was. */
  processes = 0;
  readonly #world: ClientWorld;
  readonly #number: number;
  readonly #isMixed: boolean;
  readonly #counts: Count[] = [];
  readonly #waiting = new Map<Call, Waiting>();
  /** The last server request that any process of a session was told. */
  readonly #told = new Map<string, number>();
  #process: SimulatedProcess | undefined;
  #runtime: SimRuntime | undefined;
  /** The session that was begun or gone on with last. */
  #session: string | undefined;
  /** The last server request of this process, and what was acknowledged before it. */
  #last: number | undefined;
  #ackedBefore = 0;
  /** The last request of all. */
  #once: Count | undefined;

  /** One that has no process yet. */
  constructor(number: number, world: ClientWorld) {
    this.host = `10.0.1.${number}`;
    this.#number = number;
    this.#world = world;
    this.#isMixed = world.random.float() < 0.3;
  }

  /** Whether it has a process. */
  get isUp(): boolean {
    return this.#process !== undefined;
  }

  /** The session of its process, if there is one. */
  get session(): string | undefined {
    return this.#process?.state.sessionId;
  }

  /** Whether it is connected, waits for nothing, has its last request done, and was told all there was to tell. */
  get isContent(): boolean {
    const story = this.#world.history.find(this.session ?? "");
    if (story === undefined || this.#process?.state.phase !== "connected") return false;
    const { told, acked } = story;
    return this.#waiting.size === 0 && this.#once?.outcome === "done" && acked === told.length &&
      (this.#told.get(story.id) ?? 0) === told.length;
  }

  /** What it waits for, for people. */
  get state(): string {
    const { phase, sessionId = "" } = this.#process?.state ?? {};
    const { told = [], acked } = this.#world.history.find(sessionId) ?? {};
    return `${this.host} ${phase} ${sessionId}: ${this.#waiting.size} calls wait, told ${
      this.#told.get(sessionId)
    } of ${told.length}, ${acked} acknowledged`;
  }

  /** Begins a process, which goes on with the session of the last one if it may. */
  start(resumes: boolean): void {
    const { simulation, addresses, random, history } = this.#world;
    const runtime = simulation.addHost(this.host);
    runtime.transport.start({ packet() {}, stream: (stream) => stream.close() });
    this.#runtime = runtime;
    this.#last = undefined;
    if (!resumes) this.#session = undefined;
    this.#ackedBefore = history.find(this.#session ?? "")?.acked ?? 0;
    const name = `${this.#isMixed ? "mixed" : "plain"}${this.#number}-${++this.processes}`;
    const process = new SimulatedProcess({
      runtime,
      isMixed: this.#isMixed,
      settings: {
        addresses: addresses(),
        capabilities: [["client-id", name], ["session-ext", "1"]],
        resume: this.#session,
        token: undefined,
        renew: random.float() < 0.5,
        attemptMs: 1_500,
        keepAliveMs: TIMEOUT_MS,
        resendMs: 400,
      },
      program: (effect) => this.#take(effect),
    });
    this.#process = process;
    this.#askOn(process, runtime);
  }

  /** Its process is killed. */
  kill(): void {
    this.#end();
    this.#world.simulation.kill(this.host);
  }

  /** Its process ends by itself: it ends the session, or leaves it to the next one. */
  close(keep: boolean): void {
    this.#process?.take({ type: "close", keep });
    this.kill();
    if (!keep) this.#session = undefined;
  }

  /** Has one more request done, and tries again when nobody knows whether it was. */
  countOnce(deadlineMs: number): void {
    const { outcome = "not done" } = this.#once ?? {};
    if (outcome === "not done" || outcome === "unknown") this.#once = this.count(deadlineMs);
  }

  /** Counts on a key of its own; returns the request. */
  count(deadlineMs: number): Count {
    const key = `^x^${this.#number}^${this.#counts.length}`;
    const count: Count = { key, outcome: "waiting" };
    this.#counts.push(count);
    this.#world.history.counts(key);
    this.#call("command", { action: "INCR", key }, deadlineMs, {
      resolved: (result) => this.#learn(count, JSON.parse(result).result === 1 ? "done" : result),
      rejected: (error) => {
        this.#learn(count, error instanceof OutcomeUnknownError ? "unknown" : "not done");
      },
      lost: () => this.#learn(count, "unknown"),
    });
    return count;
  }

  /** Looks whether all that it was told is so. */
  check(get: (key: string) => string | undefined): void {
    for (const { key, outcome } of this.#counts) {
      const value = get(key);
      const isRight = value === (outcome === "done" ? "1" : undefined) ||
        (outcome === "unknown" && value === "1");
      if (!isRight) this.#world.checker.note(`${key}, ${outcome}, was counted to ${value}`);
    }
  }

  #end(): void {
    this.#process?.end();
    this.#process = undefined;
    for (const [call, waiting] of this.#waiting) {
      if (call.id === undefined) waiting.rejected(new Error("Process was killed"));
      else waiting.lost();
    }
    this.#waiting.clear();
  }

  #askOn(process: SimulatedProcess, { clock }: SimRuntime): void {
    const { random } = this.#world;
    const ask = (): void => {
      if (process !== this.#process) return;
      if (this.#world.isAsking) this.#ask();
      clock.setTimer(random.float() * PAUSE_MS, ask);
    };
    ask();
  }

  #ask(): void {
    const { random } = this.#world;
    const deadlineMs = DEADLINES_MS[Math.floor(random.float() * DEADLINES_MS.length)] as number;
    if (random.float() < 0.8) this.count(deadlineMs);
    else this.#readKey(deadlineMs);
  }

  #readKey(deadlineMs: number): void {
    const { length } = this.#counts;
    const back = Math.floor(this.#world.random.float() * Math.min(READ_KEYS, length));
    const count = this.#counts[length - 1 - back];
    if (count === undefined) return;
    const { key, outcome: before } = count;
    this.#call("query", { action: "GET", key }, deadlineMs, {
      resolved: (result) => {
        this.read++;
        const isThere = JSON.parse(result).result === 1;
        const isRight = isThere ? count.outcome !== "not done" : before !== "done";
        if (!isRight) this.#world.checker.note(`${key}, ${before}, is read as ${result}`);
      },
      rejected() {},
      lost() {},
    });
  }

  #call(type: Call["type"], request: unknown, deadlineMs: number, waiting: Waiting): void {
    const process = this.#process;
    if (process === undefined) return waiting.rejected(new Error("No process"));
    const { now, state: { settings } } = process;
    const call: Call = {
      type,
      name: type,
      payload: encoder.encode(JSON.stringify(request)),
      createdAt: Math.floor(now),
      deadlineAt: now + deadlineMs,
      id: undefined,
      isRepeated: false,
      resendAt: Infinity,
      resendMs: settings.resendMs,
    };
    this.#waiting.set(call, waiting);
    process.take({ type: "submit", call });
  }

  #learn(count: Count, outcome: string): void {
    const { checker, history } = this.#world;
    if (outcome === "done") this.answered++;
    else if (outcome === "unknown") this.unknown++;
    else if (outcome !== "not done") checker.note(`${count.key} was answered ${outcome}`);
    const wasCounted = history.wasCounted(count.key);
    if (outcome === (wasCounted ? "not done" : "done")) {
      checker.note(`${count.key} is ${outcome}, and was ${wasCounted ? "" : "not "}counted`);
    }
    count.outcome = outcome as Count["outcome"];
  }

  #take(effect: Effect): void {
    switch (effect.type) {
      case "resolve":
        this.#settled(effect.call)?.resolved(new TextDecoder().decode(effect.result));
        break;
      case "reject": {
        const waiting = this.#settled(effect.call);
        // What is refused may be done when it comes again.
        if (this.#process?.wasRepeated(effect.call)) waiting?.lost();
        else waiting?.rejected(effect.error);
        break;
      }
      case "deliver":
        return this.#deliver(effect.request);
      case "tell":
        return this.#hear(effect.event);
      case "end":
        // Nobody goes on with a session that is over.
        if (effect.error !== undefined) this.#session = undefined;
        this.kill();
    }
  }

  #settled(call: Call): Waiting | undefined {
    const waiting = this.#waiting.get(call);
    if (waiting === undefined) this.#world.checker.note(`A ${call.type} is settled twice`);
    this.#waiting.delete(call);
    return waiting;
  }

  #hear(event: Extract<Effect, { type: "tell" }>["event"]): void {
    const { checker, ending } = this.#world;
    if (event.name === "sessionBroken") checker.note(`${this.host}: ${event.detail.reason}`);
    if (event.name === "sessionExpired") {
      const { sessionId = "" } = event.detail;
      if (!ending.has(sessionId)) checker.note(`${sessionId} is said to be over`);
    }
    if (event.name !== "connected") return;
    const { sessionId } = event.detail;
    if (this.#session === sessionId) return;
    this.#session = sessionId;
    this.#last = undefined;
    this.#ackedBefore = 0;
    if (this.#number % 2 === 0) return;
    const request = { action: "WATCH", key: "^x", tree: true };
    const waiting: Waiting = { resolved() {}, rejected() {}, lost() {} };
    // In a turn of its own, as programs are told.
    queueMicrotask(() => this.#call("command", request, Infinity, waiting));
  }

  /** None is missing or comes twice to one process, and none that was not acknowledged before is passed over by the next. */
  #deliver({ requestId, payload }: Extract<Effect, { type: "deliver" }>["request"]): void {
    const { checker, history, random } = this.#world;
    const session = this.session as string;
    const before = this.#told.get(session) ?? 0;
    const isRight = this.#last === undefined
      ? requestId > this.#ackedBefore && requestId <= before + 1
      : requestId === this.#last + 1;
    if (!isRight) checker.note(`${session} has ${requestId} after ${this.#last}, ${before}`);
    history.tells(session, requestId, payload);
    this.#last = requestId;
    this.#told.set(session, Math.max(before, requestId));
    this.delivered++;
    const process = this.#process;
    this.#runtime?.clock.setTimer(random.float() * READ_MS, () => {
      process?.take({ type: "taken", count: 1 });
    });
  }
}
