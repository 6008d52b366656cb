/**
 * One node's place among the others, moved a little by each measured round trip: Vivaldi with a height, a filter
 * against outliers, an adjustment and gravity (docs/spec/serf.md 16).
 *
 * @module
 */

import type { Random } from "../runtime.ts";
import {
  type Coordinate,
  CoordinateError,
  distance,
  rawDistance,
} from "../../protocol/coordinate.ts";
import { ERROR_MAX, isFiniteCoordinate, ORIGIN, pushed, ZERO_THRESHOLD } from "./coordinate.ts";

/** How fast the error follows the measurements (docs/spec/serf.md 16.2, VivaldiCE). */
const ERROR_RATE = 0.25;

/** How far one measurement moves the node (docs/spec/serf.md 16.2, VivaldiCC). */
const MOVE_RATE = 0.25;

/** Measurements that the adjustment is the mean of (docs/spec/serf.md 16.2, AdjustmentWindowSize). */
const ADJUSTMENT_WINDOW = 20;

/** Round trips of one node whose median counts (docs/spec/serf.md 16.2, LatencyFilterSize). */
const LATENCY_FILTER = 3;

/** Seconds from the origin at which gravity pulls with one second (docs/spec/serf.md 16.2, GravityRho). */
const GRAVITY_RHO = 150;

/** Longest round trip that counts, in seconds (docs/spec/serf.md 16.2, maximum RTT). */
const MAX_RTT_SECONDS = 10;

/** The own coordinate and what it is computed from. */
export class CoordinateClient {
  readonly #random: Random;
  readonly #latencies = new Map<string, number[]>();
  readonly #samples = new Array<number>(ADJUSTMENT_WINDOW).fill(0);
  #nextSample = 0;
  #coordinate: Coordinate;
  #resets = 0;

  /**
   * A client at `start`, by default the origin.
   *
   * @param random gives the direction in which two nodes at the same place part
   */
  constructor(random: Random, start: Coordinate = ORIGIN) {
    this.#random = random;
    this.#coordinate = start;
  }

  /** Where the own node is. */
  get coordinate(): Coordinate {
    return this.#coordinate;
  }

  /** How often the own coordinate became useless and began anew. */
  get resets(): number {
    return this.#resets;
  }

  /**
   * Takes in a measured round trip to `node`, which says that it is at `other`, and returns the new own coordinate.
   *
   * @param rttSeconds 0 to 10
   * @throws {CoordinateError} and changes nothing when one of them cannot be used
   */
  update(node: string, other: Coordinate, rttSeconds: number): Coordinate {
    if (other.vec.length !== this.#coordinate.vec.length) {
      throw new CoordinateError("dimensions aren't compatible");
    }
    if (!isFiniteCoordinate(other)) throw new CoordinateError("coordinate is invalid");
    if (!(rttSeconds >= 0 && rttSeconds <= MAX_RTT_SECONDS)) {
      throw new CoordinateError(
        `round trip time not in valid range, duration ${rttSeconds}s is not a positive value less than ${MAX_RTT_SECONDS}s`,
      );
    }
    const rtt = this.#median(node, rttSeconds);
    this.#moveBy(other, rtt);
    this.#adjust(other, rtt);
    this.#pull();
    if (!isFiniteCoordinate(this.#coordinate)) {
      this.#resets++;
      this.#coordinate = ORIGIN;
    }
    return this.#coordinate;
  }

  /** Forgets the measurements of a node. */
  forget(node: string): void {
    this.#latencies.delete(node);
  }

  /** The median of the last round trips to a node, this one included; of two the longer one. */
  #median(node: string, rtt: number): number {
    const latencies = [...this.#latencies.get(node) ?? [], rtt].slice(-LATENCY_FILTER);
    this.#latencies.set(node, latencies);
    const sorted = latencies.toSorted((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] as number;
  }

  #moveBy(other: Coordinate, measured: number): void {
    const own = this.#coordinate;
    const estimated = distance(own, other);
    const rtt = Math.max(measured, ZERO_THRESHOLD);
    const wrongness = Math.abs(estimated - rtt) / rtt;
    const weight = own.error / Math.max(own.error + other.error, ZERO_THRESHOLD);
    const error = ERROR_RATE * weight * wrongness + own.error * (1 - ERROR_RATE * weight);
    const force = MOVE_RATE * weight * (rtt - estimated);
    const surer = { ...own, error: Math.min(ERROR_MAX, error) };
    this.#coordinate = pushed(surer, force, other, this.#random);
  }

  #adjust(other: Coordinate, rtt: number): void {
    this.#samples[this.#nextSample] = rtt - rawDistance(this.#coordinate, other);
    this.#nextSample = (this.#nextSample + 1) % ADJUSTMENT_WINDOW;
    let sum = 0;
    for (const sample of this.#samples) sum += sample;
    this.#coordinate = { ...this.#coordinate, adjustment: sum / (2 * ADJUSTMENT_WINDOW) };
  }

  /** Keeps the cluster as a whole from drifting away. */
  #pull(): void {
    const far = distance(ORIGIN, this.#coordinate) / GRAVITY_RHO;
    this.#coordinate = pushed(this.#coordinate, -(far * far), ORIGIN, this.#random);
  }
}
