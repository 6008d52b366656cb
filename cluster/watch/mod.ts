/**
 * Watches of the key-value store.
 *
 * @module
 */

export { ChangeError, changesIn, putChange, sizeOf } from "./bytes.ts";
export { type HubParts, WatchHub } from "./hub.ts";
export { type Place, WatchIndex } from "./index.ts";
export type { Cursor } from "./ring.ts";
export {
  type Page,
  type Past,
  type PlacedPage,
  type Present,
  type RemoteSource,
  storeSource,
  type WatchSource,
} from "./source.ts";
export { tellable, type Watch, type WatchRequest } from "./watch.ts";
export type { WatchOwner } from "./owner.ts";
export type { Begun, Watcher, WatchListener } from "./watcher.ts";
