/**
 * Where the members are in the space of network coordinates (docs/spec/serf.md 16.6).
 *
 * @module
 */

import { type Coordinate, CoordinateClient } from "../../coordinate/mod.ts";
import type { Random } from "../../runtime.ts";

/** The own coordinate and those that other members told. */
export class CoordinateTable {
  readonly #client: CoordinateClient;
  readonly #told = new Map<string, Coordinate>();

  /** Knows the own coordinate alone, which is the origin. */
  constructor(random: Random) {
    this.#client = new CoordinateClient(random);
  }

  /** Where the own node is. */
  get own(): Coordinate {
    return this.#client.coordinate;
  }

  /** How often the own coordinate became useless and began anew. */
  get resets(): number {
    return this.#client.resets;
  }

  /** Where another member said that it is, if a direct ping of it was ever answered. */
  get(node: string): Coordinate | undefined {
    return this.#told.get(node);
  }

  /**
   * Takes in where a member says that it is, and how long the ping to it took.
   *
   * @throws {CoordinateError} and changes nothing when one of them cannot be used
   */
  update(node: string, told: Coordinate, rttSeconds: number): void {
    this.#client.update(node, told, rttSeconds);
    this.#told.set(node, told);
  }

  /** Forgets a member. */
  forget(node: string): void {
    this.#client.forget(node);
    this.#told.delete(node);
  }
}
