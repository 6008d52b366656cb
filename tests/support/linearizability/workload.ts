/**
 * What clients ask for: a few keys at a time, so that they meet, and always new ones, so that each key's history stays short
 * enough to be searched.
 *
 * @module
 */

import type { SeededRandom } from "../simulation/random.ts";
import { Connection, type Place } from "./connection.ts";
import type { History, Operation, Request, Step } from "./history.ts";
import { operate } from "./operations.ts";

/** Keys that are in use at a time, and groups of four. */
const SLOTS = 8;
const GROUPS = 2;

/** A key or a group is replaced after so many operations, ... */
const MAX_OPERATIONS = 400;
/** ... or so many changes of which nobody knows whether they happened. */
const MAX_UNKNOWN = 6;

/** Pauses of a client in milliseconds: after an operation, at most; after one that failed. */
const PAUSE_MS = 8;
const BACK_OFF_MS = 50;

/** A key, and the group that it is judged with, if there is one. */
export interface UsedKey {
  readonly key: string;
  readonly group?: string;
}

/** One key, or one group, in use. */
interface Slot {
  readonly key: string;
  /** A counter gets INCR, and other keys SET; a group has two of each. */
  readonly kind: "counter" | "text" | "group";
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
  readonly keys: UsedKey[] = [];
  readonly #random: SeededRandom;
  readonly #prefix: string;
  readonly #slots: Slot[];
  #values = 0;

  /** `random` decides on everything; names of keys begin with `prefix`. */
  constructor(random: SeededRandom, prefix = "k") {
    this.#random = random;
    this.#prefix = prefix;
    this.#slots = Array.from({ length: SLOTS + GROUPS }, (_, i) => this.#slot(i));
  }

  /** Something to ask for, and what to do with what comes of it. */
  next(): { request: Request; done: (operation: Operation) => void } {
    const number = this.#dice(SLOTS + GROUPS);
    const slot = this.#slots[number] as Slot;
    const request = this.#request(slot);
    slot.operations++;
    const done = (operation: Operation): void => {
      const { outcome, action, rev, value, seen, then = [], succeeded, results = [] } = operation;
      if (outcome === "unknown" && !action.endsWith("GET")) slot.unknown++;
      // What is about several keys tells the revision of all there is, and the value of the first.
      if (rev !== undefined && action !== "DEL" && results.length === 0) slot.rev = rev;
      if (outcome === "done" && slot.kind !== "group") {
        slot.value = succeeded ? then[0]?.value : results[0] ?? seen ?? value ?? slot.value;
      }
      const isOld = slot.operations >= MAX_OPERATIONS || slot.unknown >= MAX_UNKNOWN;
      if (isOld && this.#slots[number] === slot) this.#slots[number] = this.#slot(number);
    };
    return { request, done };
  }

  #request(slot: Slot): Request {
    switch (slot.kind) {
      case "counter":
        return this.#count(slot);
      case "text":
        return this.#change(slot);
      case "group":
        return this.#together(slot);
    }
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
    const value = this.#value();
    if (choice < 13 && expected !== undefined) {
      return {
        action: "TXN",
        key,
        if: [{ key, value: expected }],
        then: [{ action: "SET", key, value }],
        else: [{ action: "GET", key }],
      };
    }
    return { action: "SET", key, value, ...choice > 14 && { if_rev: rev } };
  }

  /** Something about the keys of a group, or about one of them. */
  #together(slot: Slot): Request {
    const { key: group, rev, value: expected = "null" } = slot;
    const [a, b, c, d] = keysOf(group);
    const reads = [a, b, c, d].map((key): Step => ({ action: "GET", key }));
    const sets = [a, b].map((key): Step => ({ action: "SET", key, value: this.#value() }));
    const sums = [c, d].map((key): Step => ({ action: "INCR", key }));
    const choice = this.#dice(20);
    const many = { key: group, group };
    if (choice < 2) return { action: "GET", key: this.#dice(2) === 0 ? a : c, group };
    if (choice < 3) return { ...sets[0] as Step, group, ...this.#dice(2) === 0 && { if_rev: rev } };
    if (choice < 4) return { action: "DEL", key: this.#dice(2) === 0 ? b : c, group };
    if (choice < 5) return { action: "INCR", key: d, group };
    if (choice < 8) return { ...many, action: "MGET", then: reads.slice(0, 2 + this.#dice(3)) };
    if (choice < 10) return { ...many, action: "MSET", then: sets };
    // Both sums grow, or none; what is read first is what was there before.
    if (choice < 13) return { ...many, action: "TXN", then: [...reads.slice(2), ...sums] };
    const isMove = choice < 16;
    return {
      ...many,
      action: "TXN",
      if: [{ key: a, value: expected }],
      then: isMove ? [{ action: "DEL", key: a }, ...sets.slice(1), ...sums] : [...sets, ...reads],
      else: isMove ? reads : [...reads, sums[0] as Step],
    };
  }

  /** Every value is written once. */
  #value(): string {
    return JSON.stringify(`v${this.#values++}`);
  }

  #slot(number: number): Slot {
    const key = `${this.#prefix}${this.keys.length}`;
    const kind = number >= SLOTS ? "group" : number % 4 === 0 ? "counter" : "text";
    if (kind !== "group") this.keys.push({ key });
    else this.keys.push(...keysOf(key).map((one) => ({ key: one, group: key })));
    return {
      key,
      kind,
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

/** The keys of a group: two texts and two counters. */
function keysOf(group: string): readonly [string, string, string, string] {
  return [`${group}a`, `${group}b`, `${group}c`, `${group}d`];
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
