/**
 * Processes of clients with sessions: they are killed, and others go on with their sessions.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import type { History, Operation } from "../history.ts";
import type { Assignment, Told } from "./told.ts";

const WORKER = join(import.meta.dirname ?? ".", "worker.ts");

/** What became of the counters: how many answers there were, all different, and how many requests that nobody knows of. */
export interface Count {
  readonly seen: Set<string>;
  acknowledged: number;
  unknown: number;
}

/** Some processes that have sessions, and everything that these have done. */
export class Crew implements AsyncDisposable {
  /** How often a process was killed. */
  kills = 0;
  /** What was done with the counters that are not judged, by key. */
  readonly counts = new Map<string, Count>();
  /** Keys that are judged, and their groups. */
  readonly keys = new Map<string, string | undefined>();
  readonly #addresses: string;
  readonly #history: History;
  readonly #ids = new Map<number, string>();
  readonly #workers: Worker[];
  #lives = 0;

  /** Starts `processes` of them, which share `sessions` sessions. */
  constructor(addresses: string, processes: number, sessions: number, history: History) {
    this.#addresses = addresses;
    this.#history = history;
    const numbers = Array.from({ length: sessions }, (_, i) => i);
    this.#workers = Array.from(
      { length: processes },
      (_, i) => this.#start(numbers.filter((number) => number % processes === i)),
    );
  }

  /** How many sessions there are. */
  get sessions(): number {
    return this.#ids.size;
  }

  /** Rejects when a process ends by itself. */
  get failed(): Promise<never> {
    return Promise.race(this.#workers.map(({ failed }) => failed));
  }

  /** Kills a process, and has another one go on with its sessions. */
  async kill(index: number): Promise<void> {
    const worker = this.#workers[index % this.#workers.length] as Worker;
    this.kills++;
    await worker.kill();
    this.#workers[index % this.#workers.length] = this.#start(worker.numbers);
  }

  /** Has all of them end what they are about, and their sessions; rejects when one of them failed. */
  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.end()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.kill()));
  }

  #start(numbers: readonly number[]): Worker {
    const given = numbers.map((number): Assignment => {
      const resume = this.#ids.get(number);
      return { number, ...resume !== undefined && { resume } };
    });
    const args = [this.#addresses, `${++this.#lives}`, JSON.stringify(given)];
    return new Worker(numbers, args, {
      now: () => this.#history.now(),
      began: (number, id) => {
        const known = this.#ids.get(number);
        assert.ok(known === undefined || known === id, `session ${number} has two ids`);
        this.#ids.set(number, id);
      },
      did: (operation) => this.#did(operation),
    });
  }

  #did(operation: Operation): void {
    const { key, group, outcome, seen, then, if: conditions = [] } = operation;
    if (key.startsWith("own") || key === "total") {
      const count = this.counts.get(key) ?? { seen: new Set(), acknowledged: 0, unknown: 0 };
      this.counts.set(key, count);
      if (outcome !== "done") count.unknown++;
      else {
        count.acknowledged++;
        count.seen.add(seen as string);
      }
      return;
    }
    this.#history.add(operation);
    const steps = then === undefined ? [{ key }] : [...then, ...conditions];
    for (const one of steps) this.keys.set(one.key, group);
  }
}

/** What a process tells. */
interface Listener {
  readonly now: () => number;
  readonly began: (number: number, id: string) => void;
  readonly did: (operation: Operation) => void;
}

class Worker {
  readonly numbers: readonly number[];
  readonly failed: Promise<never>;
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #listener: Listener;
  readonly #reading: Promise<void>;
  /** What is under way, by who does it. */
  readonly #open = new Map<number, Operation>();
  #isToEnd = false;

  constructor(numbers: readonly number[], args: readonly string[], listener: Listener) {
    this.numbers = numbers;
    this.#listener = listener;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", WORKER, ...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reading = this.#read();
    this.failed = new Promise((_, reject) => {
      this.#process.status.then(({ code }) => {
        if (!this.#isToEnd) reject(new Error(`A process of clients has ended with ${code}`));
      });
    });
    this.failed.catch(() => {});
  }

  async end(): Promise<void> {
    this.#isToEnd = true;
    await this.#writer.close().catch(() => {});
    assert.equal((await this.#process.status).code, 0, "a process of clients failed");
    await this.#over();
  }

  async kill(): Promise<void> {
    this.#isToEnd = true;
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await this.#over();
    await this.#writer.close().catch(() => {});
  }

  /** Nobody knows what became of what was under way. */
  async #over(): Promise<void> {
    await this.#reading;
    for (const operation of this.#open.values()) this.#listener.did(operation);
    this.#open.clear();
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#process.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#take(JSON.parse(line));
    }
  }

  #take(told: Told): void {
    if ("clock" in told) {
      this.#writer.write(new TextEncoder().encode(`${this.#listener.now()}`)).catch(() => {});
    } else if ("session" in told) {
      this.#listener.began(told.session, told.id);
    } else if ("begun" in told) {
      this.#open.set(told.begun.process, told.begun);
    } else {
      this.#open.delete(told.ended.process);
      this.#listener.did(told.ended);
    }
  }
}
