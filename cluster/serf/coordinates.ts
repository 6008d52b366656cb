/**
 * How network coordinates travel: the own one in the acks of direct pings, and each ack that brings another one moves
 * it (docs/spec/serf.md 16.1).
 *
 * @module
 */

import { DecodeError, f64, list, struct } from "../../protocol/msgpack/mod.ts";
import { type Coordinate, CoordinateError, distance } from "../coordinate/mod.ts";
import type { Core } from "./core/core.ts";
import { decodeMessage, encodeMessage } from "./model/messages.ts";

/** The first byte of a payload: the version of what follows (docs/spec/serf.md 16.1). */
const PING_VERSION = 1;

const PingPayload = struct({ Vec: list(f64), Error: f64, Adjustment: f64, Height: f64 });

/** The payload of the ack to a direct ping, `null` while coordinates are off. */
export function ackPayload({ coordinates }: Core): Uint8Array | null {
  return coordinates === undefined ? null : encodeCoordinate(coordinates.own);
}

/** A direct ping of a member was answered, with this payload. */
export function pingCompleted(core: Core, node: string, rttMs: number, payload: Uint8Array): void {
  const { coordinates, metrics, noise, tally } = core;
  // The answer may come after the member was forgotten.
  if (coordinates === undefined || payload.length === 0 || !core.members.get(node)) return;
  if (payload[0] !== PING_VERSION) {
    return noise.write("error", "coordinate", `Unsupported ping version: ${payload[0]}`);
  }
  try {
    const before = coordinates.own;
    coordinates.update(node, decodeCoordinate(payload), rttMs / 1_000);
    if (rttMs === 0) tally.count("coordinateZeroRtt");
    metrics?.sample("serf.coordinate.adjustment-ms", distance(before, coordinates.own) * 1_000);
  } catch (error) {
    if (error instanceof DecodeError) {
      noise.write("error", "coordinate", `Failed to decode coordinate: ${error.message}`);
    } else if (error instanceof CoordinateError) {
      tally.count("coordinateRejected");
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
