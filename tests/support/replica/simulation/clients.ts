/**
 * Clients of simulated servers, and what they must never see.
 *
 * @module
 */

import {
  getQuestion,
  incrementCommand,
  resolvePath,
  setCommand,
} from "../../../../cluster/machine/kv/mod.ts";
import type { Result } from "../../../../cluster/machine/mod.ts";
import type { SeededRandom } from "../../simulation/random.ts";
import type { Checker } from "./checker.ts";
import type { Expiries } from "./expiries.ts";
import type { SimulatedServer } from "./server.ts";
import type { SimulatedSessions } from "./sessions.ts";
import type { SimulatedTopics } from "./topics.ts";

/** How long requests may take. */
const TIMEOUTS_MS = [300, 3_000, 10_000] as const;

const COUNTERS = ["n1", "n2"];

/** Of the keys that were written once, so many newest ones are read. */
const READ_KEYS = 40;

/** One counter that all clients count on. */
interface Counter {
  /** Sums that were told. */
  readonly told: Set<number>;
  /** The greatest of them, or of those that were read. */
  greatest: number;
  /** Increments that were done, or may have been. */
  started: number;
  /** Increments that were certainly not done. */
  refused: number;
}

/** A key that one request was to write, once. */
interface Once {
  /** What it has then; a count of 2 would be one that was done twice. */
  readonly text: string;
  /** What is known of the request. */
  outcome: "unknown" | "done" | "refused";
}

/** A request that a client waits for. */
interface Waiting {
  readonly server: SimulatedServer;
}

/** What else clients do. */
interface Besides {
  readonly expiries?: Expiries | undefined;
  readonly sessions?: SimulatedSessions | undefined;
  readonly topics?: SimulatedTopics | undefined;
}

/** Clients that ask one thing after the other, each of any server that runs. */
export class SimulatedClients {
  /** Writes that were acknowledged. */
  acknowledged = 0;
  /** Writes that were refused. */
  refused = 0;
  /** Reads that were answered. */
  read = 0;
  /** Writes whose outcome nobody knows. */
  unknown = 0;
  readonly #random: SeededRandom;
  readonly #servers: readonly SimulatedServer[];
  readonly #checker: Checker;
  readonly #expiries: Expiries | undefined;
  readonly #sessions: SimulatedSessions | undefined;
  readonly #topics: SimulatedTopics | undefined;
  readonly #waiting: (Waiting | undefined)[];
  readonly #counters = new Map<string, Counter>(
    COUNTERS.map((key) => [key, { told: new Set(), greatest: 0, started: 0, refused: 0 }]),
  );
  readonly #keys: Once[] = [];

  /** `servers` may become more. */
  constructor(
    count: number,
    servers: readonly SimulatedServer[],
    random: SeededRandom,
    checker: Checker,
    { expiries, sessions, topics }: Besides = {},
  ) {
    this.#topics = topics;
    this.#expiries = expiries;
    this.#sessions = sessions;
    this.#waiting = Array.from({ length: count }, () => undefined);
    this.#servers = servers;
    this.#random = random;
    this.#checker = checker;
  }

  /** Clients that wait for an answer. */
  get waiting(): number {
    return this.#waiting.filter((one) => one !== undefined).length;
  }

  /** Lets each client that has its answer ask the next thing of one of these, more often than not. */
  ask(servers: readonly SimulatedServer[] = this.#servers): void {
    const up = servers.filter(({ isUp }) => isUp);
    for (const [client, waiting] of this.#waiting.entries()) {
      if (waiting !== undefined || up.length === 0 || this.#random.float() < 0.3) continue;
      this.#begin(client, this.#oneOf(up));
    }
  }

  /** A server has ended: its clients learn nothing of what they have asked. */
  serverEnded(server: SimulatedServer): void {
    for (const [client, waiting] of this.#waiting.entries()) {
      if (waiting?.server !== server) continue;
      this.#waiting[client] = undefined;
      this.unknown++;
    }
  }

  /** Looks whether the state has all that was acknowledged, nothing that was refused, and each change once. */
  check(get: (key: string) => string | undefined): void {
    for (const [number, { text, outcome }] of this.#keys.entries()) {
      const value = get(`k${number}`);
      const isRight = value === (outcome === "refused" ? undefined : text) ||
        (outcome === "unknown" && value === undefined);
      if (!isRight) this.#checker.note(`k${number} of '${text}', ${outcome}, is '${value}'`);
    }
    for (const [key, { greatest, told, started, refused }] of this.#counters) {
      const sum = Number(get(key) ?? 0);
      if (sum < greatest || sum < told.size || sum > started - refused) {
        this.#checker.note(`${key} is ${sum} after ${started} increments`);
      }
    }
    this.#sessions?.check(get);
  }

  #begin(client: number, server: SimulatedServer): void {
    const expiries = this.#expiries;
    if (expiries !== undefined && this.#random.float() < 0.1) {
      // What becomes of it is watched at the servers.
      return this.#propose(client, server, expiries.next(this.#random), () => {});
    }
    const sessions = this.#sessions;
    if (sessions !== undefined && this.#random.float() < 0.6) {
      const { command, done } = sessions.next(this.#random);
      return this.#propose(client, server, command, done);
    }
    const topics = this.#topics;
    if (topics !== undefined && this.#random.float() < 0.6) {
      if (this.#random.float() < 0.5) server.look();
      const { command, done } = topics.next(this.#random);
      return this.#propose(client, server, command, done);
    }
    const choice = this.#random.float();
    if (choice < 0.25) this.#set(client, server);
    else if (choice < 0.5) this.#count(client, server);
    else if (choice < 0.7) this.#increment(client, server);
    else if (choice < 0.85) this.#readCounter(client, server);
    else this.#readKey(client, server);
  }

  #set(client: number, server: SimulatedServer): void {
    const key = `k${this.#keys.length}`;
    const text = `"${key}"`;
    const command = setCommand(pathOf(key), new TextEncoder().encode(text));
    this.#once(client, server, text, command, () => {});
  }

  /** A counter of its own shows whether something is done twice. */
  #count(client: number, server: SimulatedServer): void {
    const key = `k${this.#keys.length}`;
    this.#once(client, server, "1", incrementCommand(pathOf(key), 1), (body) => {
      if (body !== "1") this.#checker.note(`${key} was told to be '${body}'`);
    });
  }

  #once(
    client: number,
    server: SimulatedServer,
    text: string,
    command: Uint8Array,
    done: (body: string) => void,
  ): void {
    const key = `k${this.#keys.length}`;
    const once: Once = { text, outcome: "unknown" };
    this.#keys.push(once);
    this.#propose(client, server, command, (result) => {
      if (result.ok) done(textOf(result.body));
      this.#learn(key, once, result.ok ? "done" : "refused");
    });
  }

  #learn(key: string, once: Once, outcome: "done" | "refused"): void {
    if (once.outcome === "unknown") once.outcome = outcome;
    else if (once.outcome !== outcome) this.#checker.note(`${key} is ${once.outcome}, ${outcome}`);
  }

  #increment(client: number, server: SimulatedServer): void {
    const [key, counter] = this.#oneOf([...this.#counters]);
    const before = counter.greatest;
    counter.started++;
    this.#propose(client, server, incrementCommand(pathOf(key), 1), (result) => {
      if (!result.ok) return void counter.refused++;
      const sum = Number(textOf(result.body));
      if (sum <= before) this.#checker.note(`${key}: ${sum} after ${before}`);
      if (counter.told.has(sum)) this.#checker.note(`${key}: ${sum} twice`);
      counter.told.add(sum);
      counter.greatest = Math.max(counter.greatest, sum);
    });
  }

  #readCounter(client: number, server: SimulatedServer): void {
    const [key, counter] = this.#oneOf([...this.#counters]);
    const before = counter.greatest;
    this.#query(client, server, key, (text) => {
      const sum = Number(text ?? 0);
      if (sum < before) this.#checker.note(`${key}: read ${sum} after ${before} was told`);
      // What was read once is never taken back.
      counter.greatest = Math.max(counter.greatest, sum);
    });
  }

  #readKey(client: number, server: SimulatedServer): void {
    const { length } = this.#keys;
    const number = length - 1 - Math.floor(this.#random.float() * Math.min(READ_KEYS, length));
    const once = this.#keys[number];
    if (once === undefined) return;
    const before = once.outcome;
    this.#query(client, server, `k${number}`, (text) => {
      if (text !== undefined && text !== once.text) {
        this.#checker.note(`k${number} of '${once.text}' is '${text}'`);
      }
      if (before === "done" && text === undefined) this.#checker.note(`k${number} is gone`);
      if (text !== undefined) this.#learn(`k${number}`, once, "done");
    });
  }

  #query(
    client: number,
    server: SimulatedServer,
    key: string,
    done: (text: string | undefined) => void,
  ): void {
    const answered = this.#wait(client, server);
    const timeoutMs = this.#oneOf(TIMEOUTS_MS);
    server.replica?.query(getQuestion(pathOf(key)), "linearizable", timeoutMs, ({ result }) => {
      if (!answered() || (!result.ok && result.code !== 404)) return;
      this.read++;
      done(result.ok ? textOf(result.body) : undefined);
    });
  }

  /** `done` is not called when nobody knows what has become of it. */
  #propose(
    client: number,
    server: SimulatedServer,
    command: Uint8Array,
    done: (result: Result) => void,
  ): void {
    const answered = this.#wait(client, server);
    server.replica?.propose(command, this.#oneOf(TIMEOUTS_MS), (result) => {
      if (!answered()) return;
      if (!result.ok && result.code === 504) return void this.unknown++;
      if (result.ok) this.acknowledged++;
      else this.refused++;
      done(result);
    });
  }

  /** The client waits now. Returns what is to be called with the answer, and tells whether there is somebody who hears it. */
  #wait(client: number, server: SimulatedServer): () => boolean {
    const waiting: Waiting = { server };
    const { life } = server;
    let answers = 0;
    this.#waiting[client] = waiting;
    return () => {
      if (++answers > 1) this.#checker.note(`${server.id} gives ${answers} answers`);
      if (server.life !== life || this.#waiting[client] !== waiting) return false;
      this.#waiting[client] = undefined;
      return true;
    };
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random.float() * list.length)] as T;
  }
}

function pathOf(key: string): Uint8Array {
  return resolvePath(key) as Uint8Array;
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
