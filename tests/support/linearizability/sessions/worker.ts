/**
 * A process of clients with sessions. It tells what they do on standard output, one JSON object a line, and ends when standard
 * input does.
 *
 * Arguments: addresses of the servers, the number of this process, its sessions as JSON. Its clock is that of who started it, who
 * answers its first line with the time in microseconds.
 *
 * @module
 */

import { KvError, type KvWatch, SessionClient } from "../../../../client/mod.ts";
import { SeededRandom } from "../../simulation/random.ts";
import type { Reply } from "../connection.ts";
import type { Operation, Request } from "../history.ts";
import { operate } from "../operations.ts";
import { Workload } from "../workload.ts";
import type { Assignment, Told } from "./told.ts";

const [addresses = "", life = "", given = "[]"] = Deno.args;

/** Sessions of this number and its multiples watch the counter of all. */
const LISTENER = 20;

/** Most milliseconds between two operations of a lane. */
const PAUSE_MS = 150;
const FINAL_LIMIT_MS = 60_000;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

function tell(told: Told): void {
  console.log(JSON.stringify(told));
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The clock of who started this process, as exactly as it is known. */
class SharedClock {
  readonly #offset: number;
  readonly #error: number;

  constructor(theirs: number, before: number, after: number) {
    this.#offset = theirs - (before + after) / 2;
    this.#error = (after - before) / 2;
  }

  /** Surely not later than it is. */
  earliest(): number {
    return Math.floor(micros() + this.#offset - this.#error);
  }

  /** Surely not earlier. */
  latest(): number {
    return Math.ceil(micros() + this.#offset + this.#error);
  }
}

function micros(): number {
  return performance.now() * 1_000;
}

/** What a session is asked for as if it were a connection of the key-value port, told before it is sent and after. */
class Lane {
  readonly #session: SessionClient;
  readonly #process: number;

  constructor(session: SessionClient, process: number) {
    this.#session = session;
    this.#process = process;
  }

  async do(request: Request): Promise<Operation> {
    const process = this.#process;
    const start = clock.earliest();
    tell({ begun: { process, ...request, start, outcome: "unknown" } });
    let ended: Operation | undefined;
    const history = { now: () => clock.latest(), add: (one: Operation) => void (ended = one) };
    await operate(this, process, request, history);
    ended = { ...ended as unknown as Operation, start };
    tell({ ended });
    return ended;
  }

  async ask(request: object): Promise<Reply | undefined> {
    const payload = encoder.encode(JSON.stringify(request));
    const { action } = request as { action: string };
    const isQuery = action === "GET" || action === "MGET";
    try {
      const result = await this.#session[isQuery ? "query" : "command"](payload);
      return JSON.parse(decoder.decode(result));
    } catch (error) {
      // Nobody knows, which is what a session may say of a call only after its deadline.
      if (error instanceof KvError || (error as Error).name === "TimeoutError") return undefined;
      throw error;
    }
  }
}

/** A counter that is watched: each of its values once and in order. */
class Watched {
  readonly reading: Promise<void>;
  last = 0;
  readonly #name: string;

  constructor(watch: KvWatch, name: string) {
    this.#name = name;
    this.reading = this.#read(watch);
  }

  async reach(value: number): Promise<void> {
    const end = performance.now() + FINAL_LIMIT_MS;
    while (this.last < value) {
      if (performance.now() > end) {
        throw new Error(`${this.#name} stays at ${this.last} of ${value}`);
      }
      await pause(20);
    }
  }

  async #read(watch: KvWatch): Promise<void> {
    for await (const change of watch) {
      if (change.kind !== "set") throw new Error(`${this.#name} was told ${change.kind}`);
      const value = change.value as number;
      if (this.last > 0 && value !== this.last + 1) {
        throw new Error(`${this.#name} was told ${this.last}, then ${value}`);
      }
      this.last = value;
    }
  }
}

async function live({ number, resume }: Assignment): Promise<void> {
  const all = addresses.split(",");
  const session = new SessionClient({
    address: all.map((_, i) => all[(i + number) % all.length]).join(","),
    attemptTimeoutMs: 2_000,
    keepAliveMs: 2_000,
    resendMs: 300,
    timeoutMs: FINAL_LIMIT_MS,
    ...resume !== undefined && { resume },
  });
  await session.connect();
  tell({ session: number, id: session.sessionId as string });
  const ownKey = `own${number}`;
  const own = new Watched(await session.kv.watch(ownKey), `session ${number}, ${ownKey}`);
  const total = number % LISTENER === 0
    ? new Watched(await session.kv.watch("total"), `session ${number}, total`)
    : undefined;
  const highest = { own: 0, total: 0 };
  const again = async (next: () => Promise<void>): Promise<void> => {
    while (!ending.signal.aborted) {
      await next();
      await pause(random.float() * PAUSE_MS);
    }
  };
  const count = async (lane: Lane, key: string, of: "own" | "total"): Promise<void> => {
    const { seen } = await lane.do({ action: "INCR", key });
    if (seen !== undefined) highest[of] = Math.max(highest[of], Number(seen));
  };
  const lanes = [0, 1, 2].map((index) =>
    new Lane(session, Number(life) * 10_000 + number * 10 + index)
  ) as [Lane, Lane, Lane];
  await Promise.all([
    again(() => count(lanes[0], ownKey, "own")),
    again(() => count(lanes[1], ownKey, "own")),
    again(async () => {
      if (random.float() < 0.4) return await count(lanes[2], "total", "total");
      const { request, done } = workload.next();
      done(await lanes[2].do(request));
    }),
  ]);
  await own.reach(highest.own);
  await total?.reach(highest.total);
  await session.close();
  await Promise.all([own.reading, total?.reading]);
}

const lines = Deno.stdin.readable.pipeThrough(new TextDecoderStream()).getReader();
const before = micros();
tell({ clock: true });
const clock = new SharedClock(Number((await lines.read()).value), before, micros());
const random = new SeededRandom(Number(life), 1);
const workload = new Workload(new SeededRandom(Number(life), 2), `k${life}.`);
const ending = new AbortController();
const living = Promise.all((JSON.parse(given) as Assignment[]).map(live));
while (!(await lines.read()).done);
ending.abort();
await living;
