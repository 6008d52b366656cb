/**
 * Who has watches at a hub.
 *
 * @module
 */

import type { NodeChange } from "../machine/mod.ts";
import type { Watch } from "./watch.ts";

/** The owner of watches. */
export interface WatchOwner {
  /** A change is for one of its watches, which has told all before; `place` names it. False when it is to be read later. */
  tell(watch: Watch, place: number, change: NodeChange): boolean;
  /** A watch goes on from a place in the ring, with {@linkcode WatchOwner.run}. */
  fallBehind(watch: Watch, block: number, at: number): void;
  /** Goes on with what is behind. */
  run(): void;
  /** Ends all watches since what they would have told is not known. */
  end(): void;
  /** Ends all watches. */
  close(): void;
}
