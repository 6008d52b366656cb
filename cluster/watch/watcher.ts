/**
 * The watches of one client: what they tell, as fast as the client reads.
 *
 * @module
 */

import {
  changeRest,
  changesRest,
  endedRest,
  initialRest,
  syncedRest,
  type WatchPush,
} from "../../protocol/kv/change.ts";
import { MAX_WATCHES } from "../../protocol/kv/limits.ts";
import { type Problem, REVISION_GONE, TOO_MANY_WATCHES } from "../../protocol/kv/problem.ts";
import { keyAfter, keysBelow } from "../machine/store/tuple.ts";
import { pathOfKey, pathText } from "../machine/kv/mod.ts";
import type { NodeChange } from "../machine/mod.ts";
import type { Lines } from "./lines.ts";
import type { WatchOwner } from "./owner.ts";
import { type ChangeRing, type Cursor, placeNumber } from "./ring.ts";
import type { PlacedPage, RemoteSource, WatchSource } from "./source.ts";
import { isFor, tellable, type Watch, type WatchRequest } from "./watch.ts";

/** Changes that are looked at before others have their turn: less than a millisecond (measured). */
const SLICE = 1_000;

/** One who watches. */
export interface WatchListener {
  /** Whether so much waits for it that it should be told no more. */
  readonly congested: boolean;
  /** Resolves when less waits, or it is gone. */
  drained(): Promise<void>;
  /** Tells it something; `rest` is what stands behind the number of the watch in the line, and is shared. */
  push(push: WatchPush, watch: number, rest: Uint8Array): void;
  /** It has not read in time what it wants to be told, and must be told no more. */
  tooSlow(): void;
}

/** What is begun. */
export interface Begun {
  /** Number of the watch. */
  readonly watch: number;
  /** The revision of the store: later changes are told. */
  readonly rev: number;
}

/** What the watches of a server have in common. */
export interface WatchHome {
  /** The last changes. */
  readonly ring: ChangeRing;
  /** Their lines. */
  readonly lines: Lines;
  /** What is watched. */
  readonly source: WatchSource | undefined;
  /** Whether there is room for one more watch. */
  readonly hasRoom: boolean;
  /** A watch begins. */
  add(watch: Watch, owner: Watcher): void;
  /** A watch ends. */
  remove(watch: Watch): void;
  /** Resolves in a later turn. */
  pause(): Promise<void>;
  /** Sees to it that what goes wrong is known. */
  background(work: Promise<void>): void;
}

/** A client and its watches. */
export class Watcher implements WatchOwner {
  readonly #hub: WatchHome;
  readonly #listener: WatchListener;
  readonly #watches = new Map<number, Watch>();
  /** Those that have not told all there is. */
  readonly #behind = new Set<Watch>();
  #last = 0;
  /** Changes that may be looked at in this turn. */
  #left = 0;
  #isRunning = false;
  #closed = false;

  /** Has no watch yet. For a hub. */
  constructor(hub: WatchHome, listener: WatchListener) {
    this.#hub = hub;
    this.#listener = listener;
  }

  /** How many watches there are. */
  get size(): number {
    return this.#watches.size;
  }

  /** Begins a watch, as soon as it can be begun here; what it has to tell at once comes in a later turn. */
  watch(request: WatchRequest): Begun | Problem | Promise<Begun | Problem> {
    const problem = this.#hub.source?.remote?.begin(request, request.fromRev);
    if (!(problem instanceof Promise)) return problem ?? this.#watch(request);
    return problem.then((problem) => problem ?? this.#watch(request));
  }

  /** Ends a watch. Returns whether there was one. */
  unwatch(id: number): boolean {
    const watch = this.#watches.get(id);
    if (watch === undefined) return false;
    this.#watches.delete(id);
    this.#behind.delete(watch);
    this.#hub.remove(watch);
    return true;
  }

  /** Ends all watches. */
  close(): void {
    this.#closed = true;
    for (const id of this.#watches.keys()) this.unwatch(id);
  }

  /** Ends all watches and says so: what they would have told is not known here. */
  end(): void {
    for (const id of this.#watches.keys()) this.#endOne(id);
  }

  /** As {@linkcode WatchOwner.tell}. */
  tell(watch: Watch, place: number, change: NodeChange): boolean {
    if (this.#listener.congested) return false;
    const line = this.#hub.lines.of(place, change, watch, false);
    this.#listener.push(watch.coalesce ? "changes" : "change", watch.id, line);
    return true;
  }

  /** As {@linkcode WatchOwner.fallBehind}. */
  fallBehind(watch: Watch, block: number, at: number): void {
    watch.cursor = { block, at };
    this.#behind.add(watch);
  }

  /** Goes on with what is behind, at once as far as it goes. */
  run(): void {
    if (this.#isRunning || this.#closed || this.#advance()) return;
    this.#isRunning = true;
    this.#hub.background(this.#runOn());
  }

  #watch(request: WatchRequest): Begun | Problem {
    const { ring, source } = this.#hub;
    if (this.#closed || source === undefined) return REVISION_GONE;
    if (this.#watches.size >= MAX_WATCHES || !this.#hub.hasRoom) return TOO_MANY_WATCHES;
    const { fromRev, initial } = request;
    const { rev, remote } = source;
    const isPast = remote !== undefined && fromRev !== undefined && fromRev <= rev;
    const cursor = fromRev === undefined || isPast ? ring.end() : ring.seek(fromRev);
    if (cursor === undefined) return REVISION_GONE;
    const isBehind = initial || fromRev !== undefined;
    const watch: Watch = {
      ...request,
      id: ++this.#last,
      cursor: isBehind ? cursor : undefined,
      isHeld: initial || isPast,
      listed: initial ? request.key : undefined,
    };
    this.#watches.set(watch.id, watch);
    this.#hub.add(watch, this);
    if (isBehind) this.#behind.add(watch);
    if (initial) this.#hub.background(this.#list(watch));
    else if (isPast) this.#hub.background(this.#tellPast(watch, remote, rev));
    else if (isBehind) this.#runSoon();
    return { watch: watch.id, rev };
  }

  #endOne(id: number): void {
    if (this.unwatch(id)) this.#listener.push("ended", id, endedRest(REVISION_GONE));
  }

  #runSoon(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#hub.background(this.#hub.pause().then(() => this.#runOn()));
  }

  async #runOn(): Promise<void> {
    try {
      while (!this.#closed && !this.#advance()) {
        if (this.#listener.congested) await this.#listener.drained();
        else await this.#hub.pause();
      }
    } finally {
      this.#isRunning = false;
    }
  }

  /** Tells what is next of each that is behind; true when there is nothing more to tell. */
  #advance(): boolean {
    this.#left = SLICE;
    for (const watch of this.#behind) {
      if (watch.isHeld) continue;
      if (this.#listener.congested || this.#left <= 0) return false;
      if (this.#isGone(watch)) {
        this.#giveUp();
        return true;
      }
      if (!this.#tellUntil(watch, this.#hub.ring.end())) return false;
      watch.cursor = undefined;
      this.#behind.delete(watch);
    }
    return true;
  }

  #isGone({ cursor }: Watch): boolean {
    return cursor === undefined || this.#hub.ring.isGone(cursor);
  }

  /** Tells the changes up to a place; true when all of them are told. */
  #tellUntil(watch: Watch, until: Cursor): boolean {
    const end = placeNumber(until);
    return watch.coalesce ? this.#tellTogether(watch, end) : this.#tellEach(watch, end);
  }

  /** Tells changes one by one. */
  #tellEach(watch: Watch, end: number): boolean {
    const { ring, lines } = this.#hub;
    const cursor = watch.cursor as Cursor;
    /** The last one that it is for, and its place: whether more of its revision follow is not known yet. */
    let found: { change: NodeChange; block: number; at: number } | undefined;
    const tell = (more: boolean): void => {
      if (found === undefined) return;
      const line = lines.of(placeNumber(found), found.change, watch, more);
      this.#listener.push("change", watch.id, line);
      found = undefined;
    };
    for (;; this.#left--) {
      if (found === undefined && this.#left <= 0) return false;
      const { block, at } = cursor;
      const change = placeNumber(cursor) < end ? ring.read(cursor) : undefined;
      if (change === undefined) {
        tell(false);
        return true;
      }
      const isSame = change.rev === found?.change.rev;
      const isNext = isFor(watch, change);
      if (found !== undefined && (isNext || !isSame)) {
        tell(isNext && isSame);
        if (this.#listener.congested) {
          cursor.block = block;
          cursor.at = at;
          return false;
        }
      }
      if (isNext) found = { change, block, at };
    }
  }

  /** Tells changes revision by revision. */
  #tellTogether(watch: Watch, end: number): boolean {
    const { ring } = this.#hub;
    const cursor = watch.cursor as Cursor;
    let found: NodeChange[] = [];
    const tell = (): void => {
      if (found.length === 0) return;
      this.#listener.push("changes", watch.id, changesRest(found.map(tellable), watch.old));
      found = [];
    };
    for (;; this.#left--) {
      if (found.length === 0 && this.#left <= 0) return false;
      const { block, at } = cursor;
      const change = placeNumber(cursor) < end ? ring.read(cursor) : undefined;
      if (change === undefined) {
        tell();
        return true;
      }
      if (found.length > 0 && change.rev !== found[0]?.rev) {
        tell();
        if (this.#listener.congested) {
          cursor.block = block;
          cursor.at = at;
          return false;
        }
      }
      if (isFor(watch, change)) found.push(change);
    }
  }

  /**
   * Tells what is there page by page, and between two pages what has changed of those before: so nothing has to be kept as it was,
   * and the last page makes what was told all that is there. Then it goes on with the changes since.
   */
  async #list(watch: Watch): Promise<void> {
    const { key, tree } = watch;
    const to = tree ? keysBelow(key).to : keyAfter(key);
    for (let next: Uint8Array | undefined = key; next !== undefined;) {
      await this.#hub.pause();
      if (!await this.#catchUp(watch)) return;
      const page: PlacedPage | undefined = await this.#hub.source?.page(next, to);
      if (this.#isOver(watch)) return;
      this.#left = Infinity;
      // A page that does not fit any more is asked for again.
      if (page === undefined || this.#isGone(watch) || !this.#tellUntil(watch, page.until)) {
        continue;
      }
      this.#tellPage(watch, page);
      next = watch.listed = page.next;
    }
    watch.isHeld = false;
    this.run();
  }

  /** Tells what has changed of what was told; false when the watch is over. */
  async #catchUp(watch: Watch): Promise<boolean> {
    while (!this.#isOver(watch)) {
      if (this.#isGone(watch)) this.#giveUp();
      else {
        this.#left = SLICE;
        const isDone = this.#tellUntil(watch, this.#hub.ring.end());
        if (this.#listener.congested) await this.#listener.drained();
        else if (isDone) return true;
        else await this.#hub.pause();
      }
    }
    return false;
  }

  #tellPage(watch: Watch, { values, next, rev }: PlacedPage): void {
    for (const { key, text, rev } of values) {
      this.#listener.push("change", watch.id, initialRest(pathText(pathOfKey(key)), text, rev));
    }
    if (next === undefined) this.#listener.push("synced", watch.id, syncedRest(rev));
  }

  /** Tells what has changed since the revision that it begins at, up to `rev`, where the ring goes on. */
  async #tellPast(watch: Watch, remote: RemoteSource, rev: number): Promise<void> {
    for (let from = watch.fromRev as number; from <= rev;) {
      await this.#hub.pause();
      while (this.#listener.congested && !this.#isOver(watch)) await this.#listener.drained();
      if (this.#isOver(watch)) return;
      const past = await remote.past(watch, from);
      if (this.#isOver(watch)) return;
      if (past === undefined) return this.#endOne(watch.id);
      this.#tellRevisions(watch, past.changes.filter((change) => change.rev <= rev));
      from = past.rev + 1;
    }
    watch.isHeld = false;
    this.run();
  }

  #tellRevisions(watch: Watch, changes: readonly NodeChange[]): void {
    for (let at = 0; at < changes.length;) {
      const { rev } = changes[at] as NodeChange;
      const last = changes.findLastIndex((change) => change.rev === rev);
      const told = changes.slice(at, last + 1).map(tellable);
      at = last + 1;
      if (watch.coalesce) {
        this.#listener.push("changes", watch.id, changesRest(told, watch.old));
      } else {
        told.forEach((change, i) => {
          const form = { old: watch.old, more: i < told.length - 1 };
          this.#listener.push("change", watch.id, changeRest(change, form));
        });
      }
    }
  }

  #isOver(watch: Watch): boolean {
    return this.#closed || this.#watches.get(watch.id) !== watch;
  }

  #giveUp(): void {
    this.close();
    this.#listener.tooSlow();
  }
}
