/**
 * What agents that keep no state fetch from a server: the changes that it keeps, of what their clients watch.
 *
 * All that a server knows of such an agent is the one fetch that waits for a change: where it is, each fetch says itself. So one
 * that is slow, or gone, costs nothing, and any other server answers it as well.
 *
 * @module
 */

import type { Clock } from "../../../cluster/runtime.ts";
import type { NodeChange } from "../../../cluster/machine/mod.ts";
import {
  type Cursor,
  type Place,
  sizeOf,
  tellable,
  type WatchHub,
  WatchIndex,
} from "../../../cluster/watch/mod.ts";
import { NO_BYTES } from "../../../protocol/bytes.ts";
import { decodeFetch, encodeFetched, type Fetch, GONE } from "./fetch_codec.ts";
import { WaitingFetch } from "./waiting_fetch.ts";

/** An answer ends with the revision that makes its changes so many bytes. */
export const BATCH_BYTES = 256 * 1024;

/** Changes of one revision that take more cannot be sent. */
export const MAX_REVISION_BYTES = 15 * 1024 * 1024;

/** Changes that are looked at for one answer, but for those of the last revision: some milliseconds. */
const MAX_LOOKED_AT = 8_192;

/** Agents of which it is known where their last answer ended. */
const MAX_ENDS = 512;

/** What the ring has for a fetch. */
interface Found {
  readonly changes: readonly NodeChange[];
  /** Up to this revision all was looked at ... */
  readonly rev: number;
  /** ... and whether there is no later one. */
  readonly isAll: boolean;
}

/** Answers the fetches of all agents. */
export class Fetches {
  readonly #hub: WatchHub;
  readonly #clock: Clock;
  readonly #waiting = new Map<string, WaitingFetch>();
  /** Where in the ring the last answer to each agent ended, so that it need not be looked for. */
  readonly #ends = new Map<string, { readonly rev: number; readonly cursor: Cursor }>();

  /** What `hub` keeps. */
  constructor(hub: WatchHub, clock: Clock) {
    this.#hub = hub;
    this.#clock = clock;
  }

  /** Answers an agent; no bytes when it cannot. One fetch of each may wait: an earlier one is answered as it is then. */
  async fetch(id: string, bytes: Uint8Array): Promise<Uint8Array> {
    const fetch = decodeFetch(bytes);
    const { source } = this.#hub;
    if (fetch === undefined || source === undefined) return NO_BYTES;
    const { from, waitMs, page } = fetch;
    if (from === 0 || from > source.rev + 1) {
      return encodeFetched({ changes: [], rev: source.rev });
    }
    const cursor = this.#cursorAt(id, from);
    const places = indexOf(fetch.places);
    const found = cursor && this.#collect(cursor, places);
    if (found === undefined) return encodeFetched(GONE);
    const isNothing = found.changes.length === 0 && found.isAll;
    if (isNothing && waitMs > 0 && page === undefined) return await this.#wait(id, fetch, places);
    this.#remember(id, found.rev, cursor as Cursor);
    const isWanted = page !== undefined && found.isAll;
    return encodeFetched({
      ...found,
      page: isWanted ? await source.page(page.from, page.to) : undefined,
    });
  }

  /** Answers a fetch that waits. */
  nudge(id: string): void {
    this.#waiting.get(id)?.run();
  }

  #wait(id: string, { places, waitMs }: Fetch, index: WatchIndex<Place>): Promise<Uint8Array> {
    this.nudge(id);
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const waiting = new WaitingFetch(this.#hub, places, (first) => {
      timer.cancel();
      this.#waiting.delete(id);
      resolve(first === undefined ? NO_BYTES : this.#answerFrom(first, id, index));
    });
    const timer = this.#clock.setTimer(waitMs, () => waiting.run());
    this.#waiting.set(id, waiting);
    return promise;
  }

  #answerFrom(cursor: Cursor, id: string, places: WatchIndex<Place>): Uint8Array {
    const found = this.#hub.ring.isGone(cursor) ? undefined : this.#collect(cursor, places);
    if (found === undefined) return encodeFetched(GONE);
    this.#remember(id, found.rev, cursor);
    return encodeFetched(found);
  }

  /** What there is behind a place, which is moved behind it; `undefined` when it is more than can be sent. */
  #collect(cursor: Cursor, places: WatchIndex<Place>): Found | undefined {
    const { ring, source } = this.#hub;
    const changes: NodeChange[] = [];
    let bytes = 0;
    let rev = 0;
    for (let lookedAt = 0;; lookedAt++) {
      const { block, at } = cursor;
      const change = ring.read(cursor);
      if (change === undefined) return { changes, rev: source?.rev ?? 0, isAll: true };
      const isEnough = bytes >= BATCH_BYTES || lookedAt >= MAX_LOOKED_AT;
      if (isEnough && change.rev !== rev) {
        Object.assign(cursor, { block, at });
        return { changes, rev, isAll: false };
      }
      rev = change.rev;
      let isWanted = false;
      places.visit(tellable(change).path, () => isWanted = true);
      if (!isWanted) continue;
      changes.push(change);
      bytes += sizeOf(change);
      if (bytes > MAX_REVISION_BYTES) return undefined;
    }
  }

  #cursorAt(id: string, from: number): Cursor | undefined {
    const end = this.#ends.get(id);
    const { ring } = this.#hub;
    if (end?.rev !== from - 1 || ring.isGone(end.cursor)) return ring.seek(from);
    return { ...end.cursor };
  }

  #remember(id: string, rev: number, cursor: Cursor): void {
    this.#ends.delete(id);
    this.#ends.set(id, { rev, cursor: { ...cursor } });
    for (const first of this.#ends.keys()) {
      if (this.#ends.size <= MAX_ENDS) return;
      this.#ends.delete(first);
    }
  }
}

function indexOf(places: readonly Place[]): WatchIndex<Place> {
  const index = new WatchIndex<Place>();
  for (const place of places) index.add(place);
  return index;
}
