/**
 * The answers of one connection, in the order of its requests, whichever is ready first.
 *
 * @module
 */

import type { Failure, Result } from "../../cluster/machine/mod.ts";
import {
  beginSuccess,
  endSuccess,
  type FailureNotes,
  type LineWriter,
  type RequestId,
  writeFailure,
} from "../../protocol/kv/mod.ts";
import type { Outbox, SharedBacklog } from "../net/outbox.ts";
import { NO_ROOM } from "../replica/service.ts";
import type { Told } from "./journal.ts";
import { MAX_IN_FLIGHT, MAX_IN_FLIGHT_BYTES } from "./limits.ts";

/** Results from this size on go to the outbox as they are; less is copied into its buffer. */
const LARGE_BYTES = 16 * 1024;

/** Reads that are asked again at a time: as many of the longest values as have room. */
const MOST_AGAIN = 8;

/** Where in the state a request reads or changes something: hashes of paths. */
export type Place = number | readonly number[];

/** The place of a request that is about more nodes than can be told. */
export const EVERYWHERE = -1;

/** A request that names more nodes than this is about everything: places are compared one by one. */
const MOST_PLACES = 16;

/** The place of a request about these nodes. */
export function placeOf(paths: readonly Uint8Array[]): Place {
  return paths.length > MOST_PLACES ? EVERYWHERE : paths.map(hashOf);
}

/** What a request does with the state. */
export type Touch = "nothing" | "reads" | "changes";

/** What a command or a question has to do with the others of its connection. */
export interface Concern {
  readonly kind: "command" | "question";
  /** Where in the state it reads or changes something. */
  readonly place: Place;
  /** Nodes that count for it. */
  readonly weight: number;
  /** Bytes that are kept free for its result, if it cannot be put off. */
  readonly kept: number;
}

/** A request that is not answered. */
export class Pending {
  readonly id: RequestId | undefined;
  /** Bytes of the request. */
  readonly bytes: number;
  /** What it does with the state ... */
  touch: Touch = "nothing";
  /** ... and where. */
  place: Place = EVERYWHERE;
  /** How many requests it counts for. */
  weight = 1;
  /** Bytes that are kept free for the result of what cannot be put off. */
  kept = 0;
  /** Whether {@linkcode Answers} has it. */
  added = false;
  /** Whether a success tells a revision. */
  tellsRevision = false;
  /** Whether the connection ends with the answer. */
  last = false;
  /** How old the answer may be, in milliseconds. */
  lagMs: number | undefined;
  /** Where a listing is to be gone on with. */
  goOn: string | undefined;
  /** Asks the state, for what only reads: it may be asked again. */
  ask: (() => void) | undefined;
  /** Whether there was no room for the answer, so that it is to be asked again. */
  isPutOff = false;
  /** Its place among all requests of the connection. */
  number = 0;
  /** What the log is told of it, and since when it is under way, if it is to be told. */
  told: Told | undefined;
  /** What comes of it. */
  result: Result | undefined;
  /** What a failure says besides. */
  notes: FailureNotes | undefined;
  /** Called once the answer is written. */
  written: (() => void) | undefined;
  next: Pending | undefined;

  /** Nothing has come of it yet. */
  constructor(id: RequestId | undefined, bytes: number) {
    this.id = id;
    this.bytes = bytes;
  }

  /** It is a command or a question. */
  concern({ kind, place, weight, kept }: Concern): void {
    this.touch = kind === "command" ? "changes" : "reads";
    this.place = place;
    this.weight = weight;
    this.kept = kept;
  }
}

/** Keeps the answers of one connection in order. */
export class Answers {
  readonly #outbox: Outbox<LineWriter>;
  readonly #shared: SharedBacklog;
  readonly #onLast: () => void;
  readonly #onUnexpected: (error: unknown) => void;
  /** The oldest that is not answered, and the newest. */
  #head: Pending | undefined;
  #tail: Pending | undefined;
  #count = 0;
  /** As how many they count. */
  #weight = 0;
  /** How many of them read, and change, the state. */
  readonly #touches = { nothing: 0, reads: 0, changes: 0 };
  /** Bytes of requests without a result, those kept free for theirs, and of results that are not in the outbox. */
  #bytes = 0;
  /** Those of results alone, which count for all connections together. */
  #resultBytes = 0;
  /** The number of the last request, and of the first one that is put off. */
  #last = 0;
  #putOffFrom = Infinity;
  #congested = false;
  #closed = false;
  #room: PromiseWithResolvers<void> | undefined;
  #idle: PromiseWithResolvers<void> | undefined;

  /**
   * @param shared What waits at all connections, as the outbox has it.
   * @param onLast Called when the answer is in the outbox with which the connection ends.
   * @param onUnexpected Gets what nobody expected to be thrown.
   */
  constructor(
    outbox: Outbox<LineWriter>,
    shared: SharedBacklog,
    onLast: () => void,
    onUnexpected: (error: unknown) => void,
  ) {
    this.#outbox = outbox;
    this.#shared = shared;
    this.#onLast = onLast;
    this.#onUnexpected = onUnexpected;
  }

  /** How many requests are not answered. */
  get size(): number {
    return this.#count;
  }

  /** A request has come; its answer follows those of the requests before it. */
  add(pending: Pending): void {
    pending.added = true;
    pending.number = ++this.#last;
    if (this.#tail === undefined) this.#head = pending;
    else this.#tail.next = pending;
    this.#tail = pending;
    this.#count++;
    this.#weight += pending.weight;
    this.#touches[pending.touch]++;
    this.#bytes += pending.bytes;
    this.#keep(pending.kept);
  }

  /**
   * Whether a request must wait until those before it are answered, so that a client sees its requests done in order: one that
   * reads what one before it changes, or the other way round. Requests of a kind are done in order anyway, and the others need
   * not wait for each other. Or since there may be no room for its result, and it cannot be put off.
   */
  mustWait({ touch, place, kept }: Pending): boolean {
    if (kept > 0 && this.#count > 0 && this.#shared.isFull) return true;
    const other = touch === "reads" ? "changes" : "reads";
    if (touch === "nothing" || this.#touches[other] === 0) return false;
    for (let one = this.#head; one !== undefined; one = one.next) {
      if (one.touch !== other) continue;
      if (meet(place, one.place)) return true;
    }
    return false;
  }

  /**
   * Whether the answer to a read may be kept: the next one in any case, unless too much waits at all connections and at this one
   * as well. What follows one that is put off is put off as well, or a client would see its reads done in another order.
   */
  hasRoom(pending: Pending): boolean {
    if (this.#shared.isFull) return pending === this.#head && !this.#outbox.congested;
    if (pending === this.#head) return true;
    return pending.number < this.#putOffFrom && this.#bytes < MAX_IN_FLIGHT_BYTES;
  }

  /** Something has come of a request; what else comes of it later is passed over. */
  settle(pending: Pending, result: Result): void {
    if (this.#closed || pending.result !== undefined) return;
    if (pending.ask !== undefined && (result.ok ? !this.hasRoom(pending) : result === NO_ROOM)) {
      pending.isPutOff = true;
      this.#putOffFrom = Math.min(this.#putOffFrom, pending.number);
    } else {
      pending.result = result;
      this.#keep((result.ok ? result.body.length : 0) - pending.kept);
    }
    if (pending === this.#head && !this.#congested) this.#send();
  }

  /** A promise, when there are so many that no more should be taken, of when there is room again. */
  room(): Promise<void> | undefined {
    if (this.#weight < MAX_IN_FLIGHT && this.#bytes < MAX_IN_FLIGHT_BYTES) return undefined;
    this.#room ??= Promise.withResolvers();
    return this.#room.promise;
  }

  /** Resolves when all are answered. */
  finished(): Promise<void> {
    if (this.#head === undefined) return Promise.resolve();
    this.#idle ??= Promise.withResolvers();
    return this.#idle.promise;
  }

  /** The connection is gone: nobody waits any more. */
  close(): void {
    this.#closed = true;
    this.#keep(-this.#resultBytes);
    this.#head = this.#tail = undefined;
    this.#room?.resolve();
    this.#idle?.resolve();
  }

  #keep(bytes: number): void {
    this.#bytes += bytes;
    this.#resultBytes += bytes;
    this.#shared.bytes += bytes;
  }

  /** Writes what is ready, as long as the peer reads. */
  #send(): void {
    for (;;) {
      const pending = this.#head;
      const result = pending?.result;
      if (pending === undefined || (result === undefined && !pending.isPutOff)) break;
      if (this.#outbox.congested) return this.#wait();
      if (result === undefined) {
        this.#askAgain(pending);
        break;
      }
      this.#head = pending.next;
      if (this.#head === undefined) this.#tail = undefined;
      this.#count--;
      this.#weight -= pending.weight;
      this.#touches[pending.touch]--;
      this.#bytes -= pending.bytes;
      if (result.ok) this.#keep(-result.body.length);
      write(this.#outbox, pending, result);
      pending.written?.();
      if (pending.last) this.#onLast();
    }
    if (this.#head === undefined) {
      this.#idle?.resolve();
      this.#idle = undefined;
    }
    if (
      this.#room !== undefined && this.#weight <= MAX_IN_FLIGHT / 2 &&
      this.#bytes <= MAX_IN_FLIGHT_BYTES / 2
    ) {
      this.#room.resolve();
      this.#room = undefined;
    }
  }

  /** Asks the first ones again that are put off. */
  #askAgain(first: Pending): void {
    const again: Pending[] = [];
    let one: Pending | undefined = first;
    for (; one?.isPutOff && again.length < MOST_AGAIN; one = one.next) again.push(one);
    while (one !== undefined && !one.isPutOff) one = one.next;
    this.#putOffFrom = one?.number ?? Infinity;
    for (const each of again) {
      each.isPutOff = false;
      each.ask?.();
    }
  }

  #wait(): void {
    this.#congested = true;
    this.#outbox.drained().then(() => {
      this.#congested = false;
      if (!this.#closed) this.#send();
    }).catch(this.#onUnexpected);
  }
}

/** FNV-1a: two paths that seem to be the same only wait for each other. */
export function hashOf(path: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of path) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

function meet(place: Place, other: Place): boolean {
  if (place === EVERYWHERE || other === EVERYWHERE || place === other) return true;
  if (typeof place !== "number") return place.some((one) => meet(one, other));
  return typeof other !== "number" && other.includes(place);
}

function write(outbox: Outbox<LineWriter>, pending: Pending, result: Result): void {
  const writer = outbox.open();
  if (writer === undefined) return;
  const { id, lagMs, goOn } = pending;
  if (!result.ok) return writeFailureOf(writer, pending, result);
  const rev = pending.tellsRevision ? result.rev : undefined;
  beginSuccess(writer, id);
  if (result.body.length < LARGE_BYTES) {
    writer.raw(result.body);
    return endSuccess(writer, rev, lagMs, goOn, result.ttlMs);
  }
  outbox.append(result.body);
  const rest = outbox.open();
  if (rest !== undefined) endSuccess(rest, rev, lagMs, goOn, result.ttlMs);
}

function writeFailureOf(writer: LineWriter, { id, lagMs, notes }: Pending, result: Failure): void {
  writeFailure(writer, id, result, lagMs === undefined ? notes : { ...notes, lagMs });
}
