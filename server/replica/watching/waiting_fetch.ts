/**
 * A fetch that waits for a change.
 *
 * @module
 */

import { VALUES } from "../../../cluster/machine/kv/mod.ts";
import type { Cursor, Place, Watch, WatchHub, WatchOwner } from "../../../cluster/watch/mod.ts";

/** Waits for the first change of some places. */
export class WaitingFetch implements WatchOwner {
  readonly #hub: WatchHub;
  readonly #watches: readonly Watch[];
  readonly #over: (first: Cursor | undefined) => void;
  #first: Cursor | undefined;
  #isOver = false;

  /**
   * Begins to wait.
   *
   * @param over Called once, when it waits no more, with the place in the ring before the first change, or without when the hub
   * knows nothing any more.
   */
  constructor(
    hub: WatchHub,
    places: readonly Place[],
    over: (first: Cursor | undefined) => void,
  ) {
    this.#hub = hub;
    this.#over = over;
    this.#watches = places.map(watchOf);
    for (const watch of this.#watches) hub.add(watch, this);
  }

  /** Everything is read in the ring, with {@linkcode WaitingFetch.run}. */
  tell(): boolean {
    return false;
  }

  /** As {@linkcode WatchOwner.fallBehind}. */
  fallBehind(watch: Watch, block: number, at: number): void {
    watch.cursor = { block, at };
    this.#first ??= { block, at };
  }

  /** Waits no more. */
  run(): void {
    this.#finish(this.#first ?? this.#hub.ring.end());
  }

  /** As {@linkcode WatchOwner.end}. */
  end(): void {
    this.#finish(undefined);
  }

  /** As {@linkcode WatchOwner.close}. */
  close(): void {
    this.#finish(undefined);
  }

  #finish(first: Cursor | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const watch of this.#watches) this.#hub.remove(watch);
    this.#over(first);
  }
}

function watchOf({ path, tree }: Place, id: number): Watch {
  return {
    path,
    tree,
    id,
    key: VALUES,
    initial: false,
    old: true,
    coalesce: false,
    fromRev: undefined,
    cursor: undefined,
    isHeld: false,
    listed: undefined,
  };
}
