/**
 * A trial of servers with values that expire.
 *
 * @module
 */

import assert from "node:assert/strict";
import { SeededRandom } from "../simulation/random.ts";
import { Connection, type Place, type Reply } from "./connection.ts";
import { judgeLives, type Life, type Look, type Renewal, type Span } from "./expiry.ts";
import type { Trial } from "./trial.ts";

/** Values that are there at a time. */
const CLIENTS = 12;

/** Times to live, in milliseconds. */
const TTL_MS = { least: 200, most: 3_000 } as const;

/** A value that stays is looked at for so long, and one that is to go so long after its time, in milliseconds. */
const STAYS_MS = 2_000;

/** Pause between two requests of a client, in milliseconds. */
const PAUSE_MS = 25;

/** What a trial has seen. */
export interface ExpiryCounts {
  readonly lives: number;
  readonly looks: number;
  readonly gone: number;
  /** How many were seen after their time while a leader stood, and the latest of them, in milliseconds. */
  readonly late: number;
  readonly latestMs: number;
}

/** Runs a trial. Throws when a value went early, late, or came back. */
export async function runExpiryTrial(
  { places, seed, disturb }: Pick<Trial, "places" | "seed" | "disturb">,
): Promise<ExpiryCounts> {
  const end = new AbortController();
  const ending = <T>(work: Promise<T>): Promise<T> => work.finally(() => end.abort());
  const lives: Life[] = [];
  const writes: Span[] = [];
  const { signal } = end;
  const clients = Array.from({ length: CLIENTS }, async (_, number) => {
    using client = new Client(places, new SeededRandom(seed, number), signal);
    for (let count = 0; !signal.aborted; count++) {
      lives.push(await client.live(`e${number}.${count}`));
    }
  });
  const results = await Promise.allSettled([
    ending(disturb(signal)),
    ending(writeOn(places, writes, signal)),
    ...clients.map(ending),
  ]);
  const failures = results.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
  if (failures.length > 0) throw new AggregateError(failures, failures.map(String).join("; "));
  const { problems, lateMs, gone } = judgeLives(lives, writes);
  assert.deepEqual(problems, []);
  return {
    lives: lives.length,
    looks: lives.reduce((sum, { looks }) => sum + looks.length, 0),
    gone,
    late: lateMs.length,
    latestMs: Math.max(0, ...lateMs),
  };
}

/** Writes all the time; a write that fails is tried again, and takes so long. */
async function writeOn(
  places: readonly Place[],
  writes: Span[],
  signal: AbortSignal,
): Promise<void> {
  using client = new Client(places, new SeededRandom(0, 0), signal);
  while (!signal.aborted) {
    const start = Date.now();
    while ((await client.ask({ action: "SET", key: "beat", value: start }))?.status !== "ok") {
      if (signal.aborted) break;
    }
    writes.push({ start, end: Date.now() });
  }
}

class Client implements Disposable {
  readonly #places: readonly Place[];
  readonly #random: SeededRandom;
  readonly #signal: AbortSignal;
  readonly #connection = new Connection();

  constructor(places: readonly Place[], random: SeededRandom, signal: AbortSignal) {
    this.#places = places;
    this.#random = random;
    this.#signal = signal;
  }

  /** Sets a value, gives it other times perhaps, and looks until it is gone. */
  async live(key: string): Promise<Life> {
    const renewals: Renewal[] = [];
    const looks: Look[] = [];
    const renew = async (request: object, ttlMs: number | undefined): Promise<void> => {
      const start = Date.now();
      const reply = await this.ask({ ...request, key });
      const end = Date.now();
      // What did not happen is nothing, and what found nothing has looked.
      if (reply?.code === 503) return;
      if (reply?.code === 404) looks.push({ start, end, isThere: false });
      else renewals.push({ start, end, ttlMs, isKnown: reply?.status === "ok" });
    };
    const ttlMs = this.#ttl();
    await renew({ action: "SET", value: 1, ttl_ms: ttlMs }, ttlMs);
    const isRenewed = this.#random.float() < 0.3;
    const renewalAt = Date.now() + this.#random.float() * ttlMs;
    for (const end = Date.now() + TTL_MS.most + STAYS_MS; !this.#signal.aborted;) {
      if (renewals.length === 0) break;
      if (isRenewed && renewals.length === 1 && Date.now() > renewalAt) {
        if (this.#random.float() < 0.3) await renew({ action: "PERSIST" }, undefined);
        else {
          const again = this.#ttl();
          await renew({ action: "EXPIRE", ttl_ms: again }, again);
        }
      }
      const start = Date.now();
      const reply = await this.ask({ action: "GET", key });
      const isThere = reply?.status === "ok";
      if (isThere || reply?.code === 404) {
        looks.push({ start, end: Date.now(), isThere, leftMs: reply?.ttl_ms });
      }
      const seen = looks.slice(-3);
      if (seen.length === 3 && !seen.some(({ isThere }) => isThere) || start > end) break;
    }
    await this.ask({ action: "DEL", key });
    return { key, renewals, looks };
  }

  /** Asks a server by chance, and then the same until it fails. */
  async ask(request: object): Promise<Reply | undefined> {
    const place = this.#places[Math.floor(this.#random.float() * this.#places.length)] as Place;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    if (!this.#connection.isOpen && !await this.#connection.open(place)) return LOST;
    const reply = await this.#connection.ask(request);
    if (reply === undefined || reply.code === 503 || reply.code === 504) this.#connection.close();
    return reply;
  }

  [Symbol.dispose](): void {
    this.#connection.close();
  }

  #ttl(): number {
    const { least, most } = TTL_MS;
    return least + Math.floor(this.#random.float() ** 2 * (most - least));
  }
}

/** Nobody was asked. */
const LOST: Reply = { status: "error", code: 503 };
