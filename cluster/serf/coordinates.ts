/**
 * Network coordinates of the members: the own one travels in the acks of direct pings, and each ack that brings another
 * one moves it (serf.md 16).
 *
 * @module
 */

import { type Coordinate, CoordinateClient, CoordinateError } from "../coordinate/mod.ts";
import { DecodeError, f64, list, struct } from "../../protocol/msgpack/mod.ts";
import type { Core } from "./core.ts";
import { decodeMessage, encodeMessage } from "./messages.ts";
import type { Random } from "../runtime.ts";

/** The first byte of a payload: the version of what follows (serf.md 16). */
const PING_VERSION = 1;

const PingPayload = struct({ Vec: list(f64), Error: f64, Adjustment: f64, Height: f64 });

/** The own coordinate and those that other members told. */
export class Coordinates {
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

/** The payload of the ack to a direct ping, `null` while coordinates are off. */
export function ackPayload({ coordinates }: Core): Uint8Array | null {
  return coordinates === undefined ? null : encodeCoordinate(coordinates.own);
}

/** A direct ping of a member was answered, with this payload. */
export function pingCompleted(core: Core, node: string, rttMs: number, payload: Uint8Array): void {
  const { coordinates, counters, noise } = core;
  // The answer may come after the member was forgotten.
  if (coordinates === undefined || payload.length === 0 || !core.members.get(node)) return;
  if (payload[0] !== PING_VERSION) {
    return noise.write("error", "coordinate", `Unsupported ping version: ${payload[0]}`);
  }
  try {
    coordinates.update(node, decodeCoordinate(payload), rttMs / 1_000);
    if (rttMs === 0) counters.coordinateZeroRtt++;
  } catch (error) {
    if (error instanceof DecodeError) {
      noise.write("error", "coordinate", `Failed to decode coordinate: ${error.message}`);
    } else if (error instanceof CoordinateError) {
      counters.coordinateRejected++;
      noise.write("debug", "coordinate", `Rejected coordinate from ${node}: ${error.message}`);
    } else throw error;
  }
}

/** A payload: the version, then the coordinate in the gossip dialect. */
export function encodeCoordinate({ vec, error, adjustment, height }: Coordinate): Uint8Array {
  const body = { Vec: [...vec], Error: error, Adjustment: adjustment, Height: height };
  return encodeMessage(PING_VERSION, PingPayload, body);
}

/**
 * The coordinate behind the version byte.
 *
 * @throws {DecodeError} when it is none
 */
export function decodeCoordinate(payload: Uint8Array): Coordinate {
  const { Vec, Error: error, Adjustment, Height } = decodeMessage(PingPayload, payload);
  return { vec: Vec ?? [], error, adjustment: Adjustment, height: Height };
}
