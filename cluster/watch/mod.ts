/**
 * Watches of the key-value store.
 *
 * @module
 */

export { type HubParts, WatchHub } from "./hub.ts";
export type { WatchRequest } from "./watch.ts";
export type { Watcher, WatchListener } from "./watcher.ts";
