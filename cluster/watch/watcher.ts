/**
 * The watches of one client: what they tell, as fast as the client reads.
 *
 * @module
 */

import {
  changesRest,
  endedRest,
  initialRest,
  syncedRest,
  type WatchPush,
} from "../../protocol/kv/change.ts";
import { MAX_WATCHES } from "../../protocol/kv/limits.ts";
import { type Problem, REVISION_GONE, TOO_MANY_WATCHES } from "../../protocol/kv/problem.ts";
import { keyAfter, keysBelow } from "../machine/store/tuple.ts";
import { Walk } from "../machine/kv/listing/walk.ts";
import { pathOfKey, pathText, rowRevision, rowText } from "../machine/kv/mod.ts";
import type { NodeChange, Store, StoreReader, StoreView } from "../machine/mod.ts";
import type { Places } from "../places.ts";
import type { Lines } from "./lines.ts";
import { type ChangeRing, type Cursor, placeNumber } from "./ring.ts";
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
  /** Lets few watches tell at a time what is there already. */
  readonly listings: Places;
  /** The store that is watched. */
  readonly store: Store | undefined;
  /** Its revision. */
  readonly rev: number;
  /** Whether there is room for one more watch. */
  readonly hasRoom: boolean;
  /** A watch begins. */
  add(watch: Watch, owner: Watcher): void;
  /** A watch ends. */
  remove(watch: Watch): void;
  /** The store as it is now, if there is one. */
  view(): StoreView | undefined;
  /** Milliseconds, of a clock that never goes back. */
  now(): number;
  /** Whether telling what is there, since then, takes too long. */
  isOverdue(since: number): boolean;
  /** Resolves in a later turn. */
  pause(): Promise<void>;
  /** Sees to it that what goes wrong is known. */
  background(work: Promise<void>): void;
}

/** A client and its watches. */
export class Watcher {
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

  /** Begins a watch; what it has to tell at once comes in a later turn. */
  watch(request: WatchRequest): Begun | Problem {
    const { ring, store } = this.#hub;
    if (this.#watches.size >= MAX_WATCHES || !this.#hub.hasRoom) return TOO_MANY_WATCHES;
    const { fromRev, initial } = request;
    const cursor = fromRev === undefined ? ring.end() : ring.seek(fromRev);
    if (cursor === undefined || store === undefined) return REVISION_GONE;
    const isBehind = initial || fromRev !== undefined;
    const watch: Watch = {
      ...request,
      id: ++this.#last,
      cursor: isBehind ? cursor : undefined,
      isListing: initial,
    };
    this.#watches.set(watch.id, watch);
    this.#hub.add(watch, this);
    if (isBehind) this.#behind.add(watch);
    if (initial) this.#hub.background(this.#list(watch));
    else if (isBehind) this.#runSoon();
    return { watch: watch.id, rev: this.#hub.rev };
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
    for (const id of this.#watches.keys()) {
      this.unwatch(id);
      this.#listener.push("ended", id, endedRest(REVISION_GONE));
    }
  }

  /** A change is for one of its watches, which has told all before; `place` names it. False when it is to be read later. */
  tell(watch: Watch, place: number, change: NodeChange): boolean {
    if (this.#listener.congested) return false;
    const line = this.#hub.lines.of(place, change, watch, false);
    this.#listener.push(watch.coalesce ? "changes" : "change", watch.id, line);
    return true;
  }

  /** A watch goes on from a place in the ring; {@linkcode Watcher.run} begins it. */
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
      if (watch.isListing) continue;
      if (this.#listener.congested || this.#left <= 0) return false;
      const cursor = watch.cursor;
      if (cursor === undefined || this.#hub.ring.isGone(cursor)) {
        this.#giveUp();
        return true;
      }
      if (!(watch.coalesce ? this.#tellTogether(watch) : this.#tellEach(watch))) return false;
      watch.cursor = undefined;
      this.#behind.delete(watch);
    }
    return true;
  }

  /** Tells changes one by one; true when all are told. */
  #tellEach(watch: Watch): boolean {
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
      const change = ring.read(cursor);
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

  /** Tells changes revision by revision; true when all are told. */
  #tellTogether(watch: Watch): boolean {
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
      const change = ring.read(cursor);
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

  /** Tells what is there, then goes on with the changes since. */
  async #list(watch: Watch): Promise<void> {
    await this.#hub.listings.run(async () => {
      await this.#hub.pause();
      const view = this.#isOver(watch) ? undefined : this.#hub.view();
      if (view === undefined) return;
      try {
        const { rev } = this.#hub;
        watch.cursor = this.#hub.ring.end();
        await this.#tellAll(watch, view, this.#hub.now());
        if (!this.#isOver(watch)) this.#listener.push("synced", watch.id, syncedRest(rev));
      } finally {
        view.close();
      }
    });
    watch.isListing = false;
    if (!this.#isOver(watch)) this.run();
  }

  async #tellAll(watch: Watch, view: StoreReader, since: number): Promise<void> {
    const { key, tree } = watch;
    let from = key;
    const to = tree ? keysBelow(key).to : keyAfter(key);
    while (!this.#isOver(watch)) {
      const walk = new Walk(view, from, to);
      for (let row = walk.next(); row !== undefined; row = walk.next()) {
        while (this.#listener.congested && !this.#isOver(watch)) await this.#listener.drained();
        if (this.#isOver(watch)) return;
        if (this.#hub.isOverdue(since)) return this.#giveUp();
        const line = initialRest(
          pathText(pathOfKey(row.key)),
          rowText(row.value),
          rowRevision(row.value),
        );
        this.#listener.push("change", watch.id, line);
        from = keyAfter(row.key);
      }
      if (!walk.isTired) return;
      await this.#hub.pause();
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
