/**
 * What the clients of a gateway watch: changes that it fetches from one server at a time, once for all of them.
 *
 * A fetch says up to which revision this agent has all changes, and is answered with those that follow, as soon as there is one. So
 * when a server dies, the next one is asked in the same way. While a fetch is under way nobody begins to watch what it does not
 * ask for: the server is nudged to answer it, and the next one asks for more.
 *
 * @module
 */

import type {
  Past,
  Place,
  PlacedPage,
  RemoteSource,
  WatchHub,
  WatchSource,
} from "../../../cluster/watch/mod.ts";
import { Places } from "../../../cluster/places.ts";
import type { Clock } from "../../../cluster/runtime.ts";
import { type Problem, REVISION_GONE } from "../../../protocol/kv/problem.ts";
import { background } from "../../logging/background.ts";
import type { AgentLog } from "../../logging/log.ts";
import { guardedClock, nextTurn } from "../../runtime.ts";
import { NO_LEADER, SHUTTING_DOWN } from "../service.ts";
import { type Fetch, type Fetched, GONE } from "../watching/fetch_codec.ts";
import { newWatches } from "../watching/watched.ts";
import { type Doubt, Fetching, type FetchingParts } from "./fetching.ts";
import { covers, placesToAsk } from "./places.ts";

/** How long a server may wait for a change before it says that there is none, in milliseconds. */
const WAIT_MS = 2_000;

/** Pause before servers are asked again that could not answer, in milliseconds. */
const AGAIN_MS = 100;

/** Watches at a time that fetch what is older than what all are told. */
export const MAX_PASTS = 16;

/** As {@linkcode RemoteChangesParts.beginLimitMs}. */
const BEGIN_LIMIT_MS = 5_000;

/** What it needs of its surroundings. */
export interface RemoteChangesParts extends FetchingParts {
  readonly log: Pick<AgentLog, "unexpected">;
  /** How long whoever begins to watch waits for a server, in milliseconds. Default 5,000. */
  readonly beginLimitMs?: number;
}

/** Why somebody cannot begin to watch, if so. */
type Begin = Problem | undefined;

interface WantedPage {
  readonly range: NonNullable<Fetch["page"]>;
  readonly resolve: (page: PlacedPage | undefined) => void;
}

/** The changes that a gateway is told. */
export class RemoteChanges implements WatchSource, RemoteSource {
  /** The watches of its clients. */
  readonly watches: WatchHub;
  /** The revision up to which all changes of {@linkcode RemoteChanges.#places} are told. */
  rev = 0;
  readonly #parts: RemoteChangesParts;
  readonly #clock: Clock;
  readonly #fetching: Fetching;
  /** Of the changes that come next. */
  readonly #doubt: Doubt = { since: undefined };
  /** What is asked for, and the version of the watches that this is for. */
  #places: readonly Place[] = [];
  #version = -1;
  /** Those who wait to begin, and those who wait for values. */
  readonly #beginning = new Set<(problem?: Problem) => void>();
  readonly #pages: WantedPage[] = [];
  readonly #pasts = new Places(MAX_PASTS);
  /** Whether it knows where the servers are, so that nothing is missed from there on. */
  #isFollowing = false;
  #running: Promise<void> | undefined;
  #isClosed = false;

  /** Asks nobody for anything before somebody watches. */
  constructor(parts: RemoteChangesParts) {
    this.#parts = parts;
    this.#clock = guardedClock((error) => parts.log.unexpected(error));
    this.#fetching = new Fetching(parts, this.#clock);
    this.watches = newWatches(parts.log);
    this.watches.begin(this);
  }

  /** As {@linkcode WatchSource.remote}. */
  get remote(): RemoteSource {
    return this;
  }

  /** As {@linkcode RemoteSource.begin}. */
  begin(place: Place, fromRev: number | undefined): Begin | Promise<Begin> {
    if (this.#isClosed) return SHUTTING_DOWN;
    if (fromRev !== undefined) return this.#beginAt(place, fromRev);
    return this.#isFollowing && covers(this.#places, place) ? undefined : this.#nextFetch();
  }

  /** As {@linkcode WatchSource.page}. */
  page(from: Uint8Array, to: Uint8Array): Promise<PlacedPage | undefined> {
    if (this.#isClosed) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      this.#pages.push({ range: { from, to }, resolve });
      this.#wake();
    });
  }

  /** As {@linkcode RemoteSource.past}. */
  async past({ path, tree }: Place, from: number): Promise<Past | undefined> {
    const past = await this.#fetchPast({ from, places: [{ path, tree }], waitMs: 0 });
    if (past === GONE) return undefined;
    if (past !== undefined && past.rev >= from) return past;
    await this.#pause();
    return { changes: [], rev: from - 1 };
  }

  /** Ends all watches. The links to the servers are to be closed meanwhile. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#fetching.close();
    for (const begin of this.#beginning) begin(SHUTTING_DOWN);
    this.#giveUpPages();
    await this.watches.close();
    await this.#running;
  }

  /** Begins when a server has said that it has the changes from there on. */
  async #beginAt(place: Place, from: number): Promise<Begin> {
    const kept = await this.#fetchPast({ from: Math.max(1, from), places: [], waitMs: 0 });
    if (kept === GONE) return REVISION_GONE;
    return await this.begin(place, undefined);
  }

  /** What servers have of before, once there is no doubt; others have their turn between two tries. */
  async #fetchPast(fetch: Fetch): Promise<Fetched | typeof GONE | undefined> {
    const doubt: Doubt = { since: undefined };
    for (;;) {
      const fetched = await this.#pasts.run(() => this.#fetching.fetch(fetch, doubt));
      if (fetched !== undefined || doubt.since === undefined || this.#isClosed) return fetched;
      await this.#pause();
    }
  }

  /** Resolves right before the next fetch, which asks for all that is watched then. */
  #nextFetch(): Promise<Begin> {
    const { promise, resolve } = Promise.withResolvers<Begin>();
    const begin = (problem?: Problem): void => {
      this.#beginning.delete(begin);
      timer.cancel();
      resolve(problem);
    };
    const { beginLimitMs = BEGIN_LIMIT_MS } = this.#parts;
    const timer = this.#clock.setTimer(beginLimitMs, () => begin(NO_LEADER));
    this.#beginning.add(begin);
    this.#wake();
    return promise;
  }

  get #isWanted(): boolean {
    return !this.#isClosed && (this.#beginning.size > 0 || this.watches.figures.watches > 0);
  }

  /** Sees to it that the next fetch is made soon. */
  #wake(): void {
    if (this.#running === undefined) {
      this.#running = this.#run();
      background(this.#running, this.#parts.log);
    } else this.#fetching.nudge();
  }

  async #run(): Promise<void> {
    while (this.#isWanted) {
      if (!this.#isFollowing) await this.#start();
      else await this.#goOn();
    }
    this.#isFollowing = false;
    this.#giveUpPages();
    this.#running = undefined;
  }

  /** Begins where a server is. */
  async #start(): Promise<void> {
    const first = await this.#fetching.fetch({ from: 0, places: [], waitMs: 0 }, this.#doubt);
    if (first === undefined || first === GONE) return await this.#pause();
    this.rev = first.rev;
    this.#isFollowing = true;
    this.watches.begin(this);
  }

  async #goOn(): Promise<void> {
    if (this.#beginning.size > 0) {
      for (const begin of this.#beginning) begin();
      await nextTurn();
    }
    if (this.watches.version !== this.#version) {
      this.#version = this.watches.version;
      this.#places = placesToAsk(this.watches.places);
    }
    const wanted = this.#pages.shift();
    const isAwaited = wanted !== undefined || this.#beginning.size > 0;
    const fetched = await this.#fetching.fetch({
      from: this.rev + 1,
      places: this.#places,
      waitMs: isAwaited ? 0 : WAIT_MS,
      page: wanted?.range,
    }, this.#doubt);
    if (this.#isClosed) return wanted?.resolve(undefined);
    if (fetched === GONE) {
      this.#isFollowing = false;
      this.watches.begin(this);
      this.#giveUpPages();
      return wanted?.resolve(undefined);
    }
    if (fetched !== undefined) this.#take(fetched);
    const page = fetched?.page;
    wanted?.resolve(page && { ...page, until: this.watches.ring.end() });
    if (fetched === undefined) await this.#pause();
  }

  #take({ changes, rev }: Fetched): void {
    this.rev = rev;
    this.watches.take(changes);
  }

  #giveUpPages(): void {
    for (const { resolve } of this.#pages.splice(0)) resolve(undefined);
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => void this.#clock.setTimer(AGAIN_MS, () => resolve()));
  }
}
