/**
 * The watches of one server: changes in, as the machine makes them, and to each watch what it is for, in order and without a gap.
 *
 * @module
 */

import { Places } from "../places.ts";
import { revisionOf } from "../machine/kv/mod.ts";
import type { NodeChange, Store, StoreView } from "../machine/mod.ts";
import { WatchIndex } from "./index.ts";
import { Lines } from "./lines.ts";
import { ChangeRing, type Cursor, placeNumber, RING_LIMITS, type RingLimits } from "./ring.ts";
import { tellable, type Watch } from "./watch.ts";
import { Watcher, type WatchHome, type WatchListener } from "./watcher.ts";

/** Most watches at one server. */
export const MAX_SERVER_WATCHES = 100_000;

/** Watches that tell what is there already at a time: each holds a view of the store, as long as its client takes to read. */
export const MAX_INITIAL = 16;

/** Time in which what is there already has to be read by the client, in milliseconds. */
export const INITIAL_LIMIT_MS = 60_000;

/** What a hub needs of the world. */
export interface HubParts {
  /** Milliseconds, of a clock that never goes back. */
  readonly now: () => number;
  /** Resolves in a later turn, after others had theirs. */
  readonly pause: () => Promise<void>;
  /** Sees to it that what goes wrong is known. */
  readonly background: (work: Promise<void>) => void;
  /** How many changes are kept. Default {@linkcode RING_LIMITS}. */
  readonly limits?: RingLimits;
}

/** The watches of one server. */
export class WatchHub implements WatchHome {
  /** The last changes. */
  readonly ring: ChangeRing;
  /** Their lines. */
  readonly lines: Lines = new Lines();
  /** Lets few watches tell at a time what is there already. */
  readonly listings: Places = new Places(MAX_INITIAL);
  readonly #parts: HubParts;
  readonly #index = new WatchIndex<Watch>();
  readonly #owners = new Map<Watch, Watcher>();
  readonly #views = new Set<StoreView>();
  #store: Store | undefined;
  /** What is under way. */
  readonly #running = new Set<Promise<void>>();
  #told = 0;

  /** Knows no store yet. */
  constructor(parts: HubParts) {
    this.#parts = parts;
    this.ring = new ChangeRing(parts.limits ?? RING_LIMITS);
  }

  /** The store that is watched. */
  get store(): Store | undefined {
    return this.#store;
  }

  /** The revision of the store. */
  get rev(): number {
    return this.#store === undefined ? 0 : revisionOf(this.#store);
  }

  /** Whether there is room for one more watch. */
  get hasRoom(): boolean {
    return this.#owners.size < MAX_SERVER_WATCHES;
  }

  /** Figures: watches, changes that were told, and changes that are kept. */
  get figures(): { readonly watches: number; readonly told: number; readonly kept: number } {
    return { watches: this.#owners.size, told: this.#told, kept: this.ring.count };
  }

  /** A machine begins on a store as it is: what happened between this and an earlier one is not known. */
  begin(store: Store): void {
    this.#store = store;
    this.ring.reset(this.rev);
    this.lines.clear();
    for (const watcher of new Set(this.#owners.values())) watcher.end();
  }

  /** What entries have changed, in order. */
  take(changes: readonly NodeChange[]): void {
    if (this.#owners.size === 0) {
      for (const change of changes) this.ring.append(change);
      return;
    }
    const touched = new Set<Watcher>();
    for (let at = 0; at < changes.length;) {
      const first = changes[at] as NodeChange;
      let next = at + 1;
      while (changes[next]?.rev === first.rev) next++;
      if (next === at + 1) this.#takeOne(first, touched);
      else this.#takeSeveral(changes.slice(at, next), touched);
      at = next;
    }
    for (const watcher of touched) watcher.run();
  }

  /** One who may watch. */
  watcher(listener: WatchListener): Watcher {
    return new Watcher(this, listener);
  }

  /** As {@linkcode WatchHome.add}. */
  add(watch: Watch, owner: Watcher): void {
    this.#owners.set(watch, owner);
    this.#index.add(watch);
  }

  /** As {@linkcode WatchHome.remove}. */
  remove(watch: Watch): void {
    this.#owners.delete(watch);
    this.#index.remove(watch);
  }

  /** As {@linkcode WatchHome.view}. */
  view(): StoreView | undefined {
    const view = this.#store?.view();
    if (view === undefined) return undefined;
    this.#views.add(view);
    return {
      get: (key) => view.get(key),
      range: (from, to, limit, reverse) => view.range(from, to, limit, reverse),
      allocate: (length) => view.allocate(length),
      close: () => {
        if (this.#views.delete(view)) view.close();
      },
    };
  }

  /** As {@linkcode WatchHome.now}. */
  now(): number {
    return this.#parts.now();
  }

  /** As {@linkcode WatchHome.isOverdue}. */
  isOverdue(since: number): boolean {
    return this.#parts.now() - since > INITIAL_LIMIT_MS;
  }

  /** As {@linkcode WatchHome.pause}. */
  pause(): Promise<void> {
    return this.#parts.pause();
  }

  /** As {@linkcode WatchHome.background}. */
  background(work: Promise<void>): void {
    const done = work.finally(() => this.#running.delete(done));
    this.#running.add(done);
    this.#parts.background(done);
  }

  /** Ends all watches, and resolves when the store may be closed. */
  async close(): Promise<void> {
    for (const watcher of new Set(this.#owners.values())) watcher.close();
    for (const view of this.#views) view.close();
    this.#views.clear();
    this.#store = undefined;
    await Promise.allSettled(this.#running);
  }

  #takeOne(change: NodeChange, touched: Set<Watcher>): void {
    const { block, at } = this.#append(change);
    const place = placeNumber({ block, at });
    this.#index.visit(tellable(change).path, (watch) => {
      if (watch.cursor !== undefined || change.rev < (watch.fromRev ?? 0)) return;
      const owner = this.#owners.get(watch) as Watcher;
      this.#told++;
      if (owner.tell(watch, place, change)) return;
      owner.fallBehind(watch, block, at);
      touched.add(owner);
    });
  }

  /** Who is told several changes of one revision reads them in the ring: there it is known which is the last. */
  #takeSeveral(changes: readonly NodeChange[], touched: Set<Watcher>): void {
    let start: Cursor | undefined;
    for (const change of changes) {
      const place = this.#append(change);
      start ??= place;
    }
    const { block, at } = start as Cursor;
    for (const change of changes) {
      this.#index.visit(tellable(change).path, (watch) => {
        this.#told++;
        if (watch.cursor !== undefined) return;
        const owner = this.#owners.get(watch) as Watcher;
        owner.fallBehind(watch, block, at);
        touched.add(owner);
      });
    }
  }

  /** Keeps a change; returns its place. */
  #append(change: NodeChange): Cursor {
    const before = this.ring.end();
    this.ring.append(change);
    const { block } = this.ring.end();
    return block === before.block ? before : { block, at: 0 };
  }
}
