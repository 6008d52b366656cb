/**
 * Which messages of a topic go to which partition.
 *
 * @module
 */

import { partitionOfKey } from "../../../protocol/topics/program/routing.ts";
import type { Lane, LaneMessage } from "./lane.ts";

/** How long it is believed how many partitions a topic has, in milliseconds. */
const BELIEVED_MS = 300_000;

/** A message on its way to a partition. */
export interface Routed extends LaneMessage {
  /** Where it is to go; else its key decides, if it has one. */
  readonly partition: number | undefined;
  readonly key: Uint8Array | null;
}

/** What the way to a topic needs of its producer. */
export interface RouteWorld {
  /** Asks how many partitions there are. */
  partitions(): Promise<number>;
  /** A way to one of them. */
  lane(partition: number): Lane;
  /** A message came to none of them. */
  failed(message: Routed, error: unknown): void;
}

/** One topic of a producer. */
export class Route {
  readonly #world: RouteWorld;
  readonly #lanes = new Map<number, Lane>();
  #partitions: number | undefined;
  #knownAt = -Infinity;
  #loading: Promise<void> | undefined;
  #waiting: Routed[] = [];
  /** Where messages without a key go at present. */
  #turn = Math.floor(Math.random() * 0x1_0000);

  /** Sends nothing yet. */
  constructor(world: RouteWorld) {
    this.#world = world;
  }

  /** Sends a message on its way. */
  add(message: Routed): void {
    const isOld = performance.now() - this.#knownAt > BELIEVED_MS;
    if (isOld) this.#loading ??= this.#load();
    if (this.#partitions === undefined) this.#waiting.push(message);
    else this.#dispatch(message, this.#partitions);
  }

  /** Does not believe any more how many partitions there are. */
  forget(): void {
    this.#knownAt = -Infinity;
    if (this.#loading === undefined) this.#partitions = undefined;
  }

  /** Sends what is there without waiting for more. Resolves when it is settled. */
  async flush(): Promise<void> {
    await this.#loading;
    await Promise.all([...this.#lanes.values()].map((lane) => lane.flush()));
  }

  async #load(): Promise<void> {
    let failure: unknown;
    try {
      this.#partitions = await this.#world.partitions();
      this.#knownAt = performance.now();
    } catch (error) {
      failure = error;
    }
    this.#loading = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) {
      if (this.#partitions === undefined) this.#world.failed(message, failure);
      else this.#dispatch(message, this.#partitions);
    }
  }

  #dispatch(message: Routed, count: number): void {
    const { partition, key } = message;
    const chosen = partition ?? (key === null ? this.#next(count) : partitionOfKey(key, count));
    this.#laneOf(chosen).add(message);
  }

  /** The same one as long as its batch takes more. */
  #next(count: number): number {
    if (!this.#lanes.get(this.#turn % count)?.isOpen) this.#turn++;
    return this.#turn % count;
  }

  #laneOf(partition: number): Lane {
    const known = this.#lanes.get(partition);
    if (known !== undefined) return known;
    const lane = this.#world.lane(partition);
    this.#lanes.set(partition, lane);
    return lane;
  }
}
