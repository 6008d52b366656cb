/**
 * The watches of one server: changes in, as the machine makes them, and to each watch what it is for, in order and without a gap.
 *
 * @module
 */

import type { NodeChange } from "../machine/mod.ts";
import { type Place, WatchIndex } from "./index.ts";
import { Lines } from "./lines.ts";
import { ChangeRing, type Cursor, placeNumber, RING_LIMITS, type RingLimits } from "./ring.ts";
import type { WatchOwner } from "./owner.ts";
import type { WatchSource } from "./source.ts";
import { tellable, type Watch } from "./watch.ts";
import { Watcher, type WatchHome, type WatchListener } from "./watcher.ts";

/** Most watches at one server. */
export const MAX_SERVER_WATCHES = 100_000;

/** What a hub needs of the world. */
export interface HubParts {
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
  readonly #parts: HubParts;
  readonly #index = new WatchIndex<Watch>();
  readonly #owners = new Map<Watch, WatchOwner>();
  #source: WatchSource | undefined;
  /** What is under way. */
  readonly #running = new Set<Promise<void>>();
  #told = 0;
  #version = 0;

  /** Has nothing to look at yet. */
  constructor(parts: HubParts) {
    this.#parts = parts;
    this.ring = new ChangeRing(parts.limits ?? RING_LIMITS);
  }

  /** What is watched. */
  get source(): WatchSource | undefined {
    return this.#source;
  }

  /** Counts how often somebody began or ended a watch. */
  get version(): number {
    return this.#version;
  }

  /** What is watched, each place once. */
  get places(): readonly Place[] {
    return this.#index.places();
  }

  /** Whether there is room for one more watch. */
  get hasRoom(): boolean {
    return this.#owners.size < MAX_SERVER_WATCHES;
  }

  /** Figures: watches, changes that were told, and changes that are kept. */
  get figures(): { readonly watches: number; readonly told: number; readonly kept: number } {
    return { watches: this.#owners.size, told: this.#told, kept: this.ring.count };
  }

  /** Looks at something as it is: what happened between this and an earlier one is not known. */
  begin(source: WatchSource): void {
    this.#source = source;
    this.ring.reset(source.rev);
    this.lines.clear();
    for (const owner of new Set(this.#owners.values())) owner.end();
  }

  /** What entries have changed, in order. */
  take(changes: readonly NodeChange[]): void {
    if (this.#owners.size === 0) {
      for (const change of changes) this.ring.append(change);
      return;
    }
    const touched = new Set<WatchOwner>();
    for (let at = 0; at < changes.length;) {
      const first = changes[at] as NodeChange;
      let next = at + 1;
      while (changes[next]?.rev === first.rev) next++;
      if (next === at + 1) this.#takeOne(first, touched);
      else this.#takeSeveral(changes.slice(at, next), touched);
      at = next;
    }
    for (const owner of touched) owner.run();
  }

  /** One who may watch. */
  watcher(listener: WatchListener): Watcher {
    return new Watcher(this, listener);
  }

  /** As {@linkcode WatchHome.add}. */
  add(watch: Watch, owner: WatchOwner): void {
    this.#version++;
    this.#owners.set(watch, owner);
    this.#index.add(watch);
  }

  /** As {@linkcode WatchHome.remove}. */
  remove(watch: Watch): void {
    this.#version++;
    this.#owners.delete(watch);
    this.#index.remove(watch);
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

  /** Ends all watches, and resolves when nothing looks at the source any more. */
  async close(): Promise<void> {
    for (const owner of new Set(this.#owners.values())) owner.close();
    this.#source = undefined;
    await Promise.allSettled(this.#running);
  }

  #takeOne(change: NodeChange, touched: Set<WatchOwner>): void {
    const { block, at } = this.#append(change);
    const place = placeNumber({ block, at });
    this.#index.visit(tellable(change).path, (watch) => {
      if (watch.cursor !== undefined || change.rev < (watch.fromRev ?? 0)) return;
      const owner = this.#owners.get(watch) as WatchOwner;
      this.#told++;
      if (owner.tell(watch, place, change)) return;
      owner.fallBehind(watch, block, at);
      touched.add(owner);
    });
  }

  /** Who is told several changes of one revision reads them in the ring: there it is known which is the last. */
  #takeSeveral(changes: readonly NodeChange[], touched: Set<WatchOwner>): void {
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
        const owner = this.#owners.get(watch) as WatchOwner;
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
