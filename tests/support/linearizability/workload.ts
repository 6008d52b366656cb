/**
 * What clients ask for: a few keys at a time, so that they meet, and always new ones, so that each key's history stays short
 * enough to be searched.
 *
 * @module
 */

import type { SeededRandom } from "../simulation/random.ts";
import { Connection, type Place } from "./connection.ts";
import type { History, Operation, Request } from "./history.ts";
import { operate } from "./operations.ts";

/** Keys that are in use at a time. */
const SLOTS = 8;

/** A key is replaced after so many operations, ... */
const MAX_OPERATIONS = 400;
/** ... or so many changes of which nobody knows whether they happened. */
const MAX_UNKNOWN = 6;

/** Pauses of a client in milliseconds: after an operation, at most; after one that failed. */
const PAUSE_MS = 8;
const BACK_OFF_MS = 50;

/** One key in use. */
interface Slot {
  readonly key: string;
  /** A counter gets INCR, and other keys SET. */
  readonly isCounter: boolean;
  operations: number;
  unknown: number;
  /** The last revision that anybody saw ... */
  rev: number;
  /** ... and the last value. */
  value: string | undefined;
}

/** Keys and values for all clients. */
export class Workload {
  /** All keys that were ever used. */
  readonly keys: string[] = [];
  readonly #random: SeededRandom;
  readonly #slots: Slot[];
  #values = 0;

  /** `random` decides on everything. */
  constructor(random: SeededRandom) {
    this.#random = random;
    this.#slots = Array.from({ length: SLOTS }, (_, i) => this.#slot(i));
  }

  /** Something to ask for, and what to do with what comes of it. */
  next(): { request: Request; done: (operation: Operation) => void } {
    const number = this.#dice(SLOTS);
    const slot = this.#slots[number] as Slot;
    const request = slot.isCounter ? this.#count(slot) : this.#change(slot);
    slot.operations++;
    const done = ({ outcome, action, rev, value, seen }: Operation): void => {
      if (outcome === "unknown" && action !== "GET") slot.unknown++;
      if (rev !== undefined && action !== "DEL") slot.rev = rev;
      if (outcome === "done") slot.value = seen ?? value ?? slot.value;
      const isOld = slot.operations >= MAX_OPERATIONS || slot.unknown >= MAX_UNKNOWN;
      if (isOld && this.#slots[number] === slot) this.#slots[number] = this.#slot(number);
    };
    return { request, done };
  }

  #count({ key }: Slot): Request {
    const choice = this.#dice(20);
    if (choice < 9) return { action: "GET", key };
    return { action: choice < 19 ? "INCR" : "DEL", key };
  }

  #change({ key, rev, value: expected }: Slot): Request {
    const choice = this.#dice(20);
    if (choice < 8) return { action: "GET", key };
    if (choice < 10) return { action: "DEL", key, ...choice === 9 && { if_rev: rev } };
    // Every value is written once.
    const value = JSON.stringify(`v${this.#values++}`);
    if (choice < 13 && expected !== undefined) return { action: "TXN", key, value, expected };
    return { action: "SET", key, value, ...choice > 14 && { if_rev: rev } };
  }

  #slot(number: number): Slot {
    const key = `k${this.keys.length}`;
    this.keys.push(key);
    return {
      key,
      isCounter: number % 4 === 0,
      operations: 0,
      unknown: 0,
      rev: 0,
      value: undefined,
    };
  }

  #dice(limit: number): number {
    return Math.floor(this.#random.float() * limit);
  }
}

/** What a client needs to be busy. */
export interface Work {
  readonly process: number;
  readonly places: readonly Place[];
  readonly workload: Workload;
  readonly history: History;
  readonly random: SeededRandom;
  /** Ends it, after the operation that is under way. */
  readonly signal: AbortSignal;
}

/** Is a client until the signal: at a server by chance, and at another one when that fails. */
export async function beBusy(work: Work): Promise<void> {
  const { places, workload, history, random, signal } = work;
  using connection = new Connection();
  const dice = (limit: number): number => Math.floor(random.float() * limit);
  while (!signal.aborted) {
    if (!connection.isOpen && !await connection.open(places[dice(places.length)] as Place)) {
      await pause(BACK_OFF_MS);
      continue;
    }
    const { request, done } = workload.next();
    const operation = await operate(connection, work.process, request, history);
    done(operation);
    const failed = operation.outcome === "never" || operation.outcome === "unknown";
    // Who is refused by one server tries another one.
    if (failed) connection.close();
    await pause(failed ? BACK_OFF_MS : dice(PAUSE_MS));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
