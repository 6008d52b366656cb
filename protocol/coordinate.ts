/**
 * What a network coordinate says: the distance of two estimates the round trip between their nodes (docs/spec/serf.md
 * 16). The same in gossip and over RPC. Every number is in seconds, except the unitless error.
 *
 * The order of the operations is that of the Go agent, so that the same input gives the same doubles.
 *
 * @module
 */

/**
 * Where a node is. Values do not change.
 *
 * @example
 * ```ts
 * import { type Coordinate, distance } from "@skein/agent/cluster";
 *
 * const a: Coordinate = { vec: [0, 0], error: 1, adjustment: 0, height: 0.001 };
 * console.log(distance(a, a)); // 0.002
 * ```
 */
export interface Coordinate {
  /** Position in the plane of a well connected core; 8 numbers. */
  readonly vec: readonly number[];
  /** How far off estimates are, relative to the measured round trip; 0 to 1.5. */
  readonly error: number;
  /** Correction of estimates by what the last measurements showed. */
  readonly adjustment: number;
  /** Way from the node to the core, at least 10 microseconds. */
  readonly height: number;
}

/**
 * A coordinate that cannot be used. The messages are those of the Go agent.
 *
 * @example
 * ```ts
 * import { CoordinateError, distance } from "@skein/agent/cluster";
 * import assert from "node:assert/strict";
 *
 * const a = { vec: [0, 0], error: 1, adjustment: 0, height: 0.001 };
 * assert.throws(() => distance(a, { ...a, vec: [0] }), CoordinateError);
 * ```
 */
export class CoordinateError extends Error {
  /** Names the class in logs. */
  override readonly name = "CoordinateError";
}

/** Nanoseconds of a second. */
const NS_PER_SECOND = 1e9;

/**
 * The estimated round trip between two nodes, in seconds, cut off to whole nanoseconds.
 *
 * @throws {CoordinateError} when they have not as many dimensions
 *
 * @example
 * ```ts
 * import { distance } from "@skein/agent/cluster";
 *
 * const a = { vec: [0, 0], error: 1, adjustment: 0, height: 0.001 };
 * console.log(distance(a, { ...a, vec: [0.003, 0.004] })); // 0.007
 * ```
 */
export function distance(a: Coordinate, b: Coordinate): number {
  if (a.vec.length !== b.vec.length) throw new CoordinateError("dimensions aren't compatible");
  const raw = rawDistance(a, b);
  const adjusted = raw + a.adjustment + b.adjustment;
  return wholeNanoseconds(adjusted > 0 ? adjusted : raw);
}

/** The distance without adjustments. */
export function rawDistance(a: Coordinate, b: Coordinate): number {
  return magnitude(difference(a.vec, b.vec)) + a.height + b.height;
}

/**
 * {@linkcode distance} in milliseconds.
 *
 * @throws {CoordinateError} when they have not as many dimensions
 */
export function roundTripMs(a: Coordinate, b: Coordinate): number {
  return distance(a, b) * 1_000;
}

/** The way from `b` to `a`. */
export function difference(a: readonly number[], b: readonly number[]): number[] {
  return a.map((component, i) => component - (b[i] as number));
}

/** The length of a way. */
export function magnitude(vec: readonly number[]): number {
  let sum = 0;
  for (const component of vec) sum += component * component;
  return Math.sqrt(sum);
}

/** Go keeps distances as whole nanoseconds and splits off the seconds before it divides. */
function wholeNanoseconds(seconds: number): number {
  const ns = Math.trunc(seconds * NS_PER_SECOND);
  return Math.trunc(ns / NS_PER_SECOND) + ns % NS_PER_SECOND / NS_PER_SECOND;
}
