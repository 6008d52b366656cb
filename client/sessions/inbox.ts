/**
 * Server requests that wait to be read: those of watches by their watches, the others by whoever reads them.
 *
 * @module
 */

import { equalBytes } from "../../protocol/bytes.ts";
import { MISSED, OVERFLOW } from "../../protocol/kv/change.ts";
import { deferred } from "../net/portable.ts";
import type { ServerRequest } from "./core/inputs.ts";

/** A push of the key-value port about a watch, or about all of them. */
export interface WatchPush {
  /** "change", "synced", "ended" or "overflow". */
  readonly push: string;
  /** The number of the watch; an overflow has none. */
  readonly watch?: number;
  /** The other members. */
  readonly [member: string]: unknown;
}

/** Who gets the pushes of a watch. */
export interface PushReader {
  /** Takes a push; `taken` is to be called when the program has read it, or never will. */
  take(push: WatchPush, taken: () => void): void;
  /** Nothing comes any more. */
  end(error: Error | undefined): void;
}

const ALL_MISSED: WatchPush = { push: "overflow" };
const OPEN_OBJECT = 0x7b;
const decoder = new TextDecoder();

/** A queue with a reader for each watch and one for the rest. */
export class Inbox {
  readonly #onTaken: (count: number) => void;
  readonly #readers = new Map<number, Set<PushReader>>();
  /** Calls that may turn pushes which are here already into those of a watch. */
  #opening = 0;
  #opened = deferred<void>();
  #held: ServerRequest[] = [];
  #others: ServerRequest[] = [];
  #waiter = deferred<void>();
  #end: { readonly error: Error | undefined } | undefined;

  /** `onTaken` hears of what the program has read. */
  constructor(onTaken: (count: number) => void) {
    this.#onTaken = onTaken;
  }

  /** Takes a server request. */
  push(delivery: ServerRequest): void {
    if (equalBytes(delivery.payload, MISSED)) return this.#onTaken(1);
    if (isOverflow(delivery)) return this.#overflow(delivery);
    const push = this.#readers.size + this.#opening === 0 ? undefined : pushIn(delivery.payload);
    const readers = push?.watch === undefined ? undefined : this.#readers.get(push.watch);
    if (push !== undefined && readers !== undefined) return this.#hand(push, readers);
    if (push?.watch !== undefined && this.#opening > 0) this.#held.push(delivery);
    else this.#keep([delivery]);
  }

  /** While `open` runs, pushes of watches that nobody reads are kept for those that it may turn out to be for. */
  async whileOpening<T>(open: () => Promise<T>): Promise<T> {
    this.#opening++;
    try {
      return await open();
    } finally {
      if (--this.#opening === 0) {
        this.#opened.resolve(undefined);
        this.#opened = deferred();
        const held = this.#held;
        this.#held = [];
        this.#keep(held);
      }
    }
  }

  /** Resolves when nothing is being opened. */
  async allOpened(): Promise<void> {
    while (this.#opening > 0) await this.#opened.promise;
  }

  /** Gives the pushes of a watch to `reader` from now on, and those that are here already. */
  claim(watch: number, reader: PushReader): void {
    if (this.#end !== undefined) return reader.end(this.#end.error);
    const readers = this.#readers.get(watch) ?? new Set();
    this.#readers.set(watch, readers.add(reader));
    let isUnderWay = false;
    const isOther = (delivery: ServerRequest): boolean => {
      const push = pushIn(delivery.payload);
      if (isUnderWay && isOverflow(delivery)) reader.take(ALL_MISSED, () => {});
      if (push?.watch !== watch) return true;
      isUnderWay = true;
      this.#hand(push, new Set([reader]));
      return false;
    };
    this.#others = this.#others.filter(isOther);
    this.#held = this.#held.filter(isOther);
  }

  /** Gives them to `reader` no more. */
  release(watch: number, reader: PushReader): void {
    this.#readers.get(watch)?.delete(reader);
  }

  /** Whether nobody reads a watch that somebody has read. */
  isUnread(watch: number): boolean {
    return this.#readers.get(watch)?.size === 0;
  }

  /** Forgets a watch that nobody reads, and that the server tells nothing of any more. */
  forget(watch: number): void {
    if (this.isUnread(watch)) this.#readers.delete(watch);
  }

  /** Ends all watches: the session that they were of is over. */
  endWatches(error: Error | undefined): void {
    for (const reader of this.#all()) reader.end(error);
    this.#readers.clear();
  }

  /** Nothing comes any more. */
  end(error: Error | undefined): void {
    this.#end = { error };
    this.endWatches(error);
    this.#waiter.resolve(undefined);
  }

  /** What belongs to no watch, as soon as there is something. Throws after the last when the session has ended with an error. */
  async next(): Promise<IteratorResult<ServerRequest>> {
    for (;;) {
      const value = this.#others.shift();
      if (value !== undefined) {
        this.#onTaken(1);
        return { done: false, value };
      }
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return { done: true, value: undefined };
      await this.#waiter.promise;
    }
  }

  /** All watches have missed something. Another one right after says no more than the first. */
  #overflow(delivery: ServerRequest): void {
    for (const reader of this.#all()) reader.take(ALL_MISSED, () => {});
    const last = (this.#opening > 0 ? this.#held : this.#others).at(-1);
    if (last !== undefined && isOverflow(last)) this.#onTaken(1);
    else if (this.#opening > 0) this.#held.push(delivery);
    else this.#keep([delivery]);
  }

  #keep(deliveries: readonly ServerRequest[]): void {
    this.#others.push(...deliveries);
    this.#waiter.resolve(undefined);
    this.#waiter = deferred();
  }

  /** One server request may be for several readers. It is read when all of them have. */
  #hand(push: WatchPush, readers: ReadonlySet<PushReader>): void {
    let left = Math.max(1, readers.size);
    const taken = (): void => {
      if (--left === 0) this.#onTaken(1);
    };
    for (const reader of readers) reader.take(push, taken);
    // Nobody reads what is told of a watch until the server has heard that it is over.
    if (readers.size === 0) taken();
  }

  #all(): PushReader[] {
    return [...this.#readers.values()].flatMap((readers) => [...readers]);
  }
}

function isOverflow({ payload }: ServerRequest): boolean {
  return equalBytes(payload, OVERFLOW);
}

function pushIn(payload: Uint8Array): WatchPush | undefined {
  if (payload[0] !== OPEN_OBJECT) return undefined;
  try {
    const push = JSON.parse(decoder.decode(payload));
    return typeof push.push === "string" ? push : undefined;
  } catch {
    // It is a payload of another kind.
    return undefined;
  }
}
