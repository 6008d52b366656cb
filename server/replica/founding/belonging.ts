/**
 * Which cluster a server belongs to that has no log: the one that it founds, or the one that turns to it.
 *
 * @module
 */

import { MAX_MEMBERS } from "../../../cluster/raft/membership/configuration.ts";
import type { Clock } from "../../../cluster/runtime.ts";
import type { Hello } from "../peers/mod.ts";

/** How long a founder waits for a promise, in milliseconds. */
export const PROMISE_LIMIT_MS = 2_000;

/** How long a promise binds a server, in milliseconds: longer than the founder waits for the others. */
const PROMISE_MS = 10_000;

/** The server that belongs to a cluster, or will. */
export interface Belonger {
  readonly id: string;
  readonly clusterId: string | undefined;
  /** Whether it may found a cluster: it has neither a log nor voted, and never had. */
  readonly isNew: boolean;
  /** Asks another server for its promise; resolves with whether it has given it. */
  askPromise(id: string): Promise<boolean>;
  /** Founds a cluster of these servers. */
  begin(ids: readonly string[]): Promise<void>;
  /** Writes down which cluster it belongs to from now on. */
  adopt(clusterId: string): Promise<void>;
}

/** Founds a cluster, or follows one. */
export class Belonging {
  readonly #host: Belonger;
  readonly #promises: Promises;
  /** The cluster that each peer has said it belongs to. */
  readonly #clusters = new Map<string, string>();
  #isBusy = false;

  /** Nothing is promised. */
  constructor(clock: Clock, host: Belonger) {
    this.#promises = new Promises(clock);
    this.#host = host;
  }

  /** Whether messages are not taken, because the cluster's id is being written down or the replica is made anew. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Whoever knows an id may say hello, so that no more are noted than a cluster has, and none once it matters no more. */
  meet({ id, clusterId, lane }: Hello): undefined {
    if (lane === "visit" || this.#host.clusterId !== undefined) return;
    if (this.#clusters.has(id) || this.#clusters.size < MAX_MEMBERS) {
      this.#clusters.set(id, clusterId);
    }
  }

  /** Founds a cluster with these servers, if all of them promise to follow. Returns whether it has. */
  async found(ids: readonly string[]): Promise<boolean> {
    const { id: own } = this.#host;
    if (!this.#isFree || !this.#promises.give(own)) return false;
    const others = ids.filter((id) => id !== own);
    const answers = await Promise.allSettled(others.map((id) => this.#host.askPromise(id)));
    const isPromised = answers.every((answer) => answer.status === "fulfilled" && answer.value);
    if (!isPromised || !this.#isFree) return false;
    this.#isBusy = true;
    try {
      await this.#host.begin(ids);
    } finally {
      this.#isBusy = false;
    }
    return true;
  }

  /** Promises a founder to follow nobody else, if it can. */
  promise(founder: string): boolean {
    return this.#isFree && this.#host.clusterId === undefined && this.#promises.give(founder);
  }

  /**
   * Belongs to the cluster of a peer that has turned to it, if nobody else has a promise; a promise of when it does. Rejects as the
   * disk does, and then belongs to nothing any more.
   */
  follow(peer: string): Promise<void> | undefined {
    const theirs = this.#clusters.get(peer);
    return theirs && this.#promises.give(peer) ? this.#adopt(theirs) : undefined;
  }

  async #adopt(clusterId: string): Promise<void> {
    this.#isBusy = true;
    await this.#host.adopt(clusterId);
    this.#clusters.clear();
    this.#isBusy = false;
  }

  get #isFree(): boolean {
    return !this.#isBusy && this.#host.isNew;
  }
}

/** The promise of a server without a log. */
export class Promises {
  readonly #clock: Clock;
  #to: string | undefined;
  #until = -Infinity;

  /** Nothing is promised. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Promises to found nothing, and to follow nobody but `founder`, for a while. Returns false when somebody else has a promise. */
  give(founder: string): boolean {
    const now = this.#clock.now();
    if (this.#to !== undefined && this.#to !== founder && now < this.#until) return false;
    this.#to = founder;
    this.#until = now + PROMISE_MS;
    return true;
  }
}
