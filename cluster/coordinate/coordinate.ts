/**
 * A point in the space of network coordinates: the distance of two points estimates the round trip between their nodes
 * (serf.md 16). Every number is in seconds, except the unitless error.
 *
 * The order of the operations is that of the Go agent, so that the same input gives the same doubles.
 *
 * @module
 */

import type { Random } from "../runtime.ts";

/** Where a node is. Values do not change. */
export interface Coordinate {
  /** Position in the plane of a well connected core; {@linkcode DIMENSIONS} numbers. */
  readonly vec: readonly number[];
  /** How far off estimates are, relative to the measured round trip; 0 to 1.5. */
  readonly error: number;
  /** Correction of estimates by what the last measurements showed. */
  readonly adjustment: number;
  /** Way from the node to the core, at least {@linkcode HEIGHT_MIN}. */
  readonly height: number;
}

/** Dimensions of the space (serf.md 16). */
export const DIMENSIONS = 8;

/** The largest error, which a node starts with (serf.md 16, VivaldiErrorMax). */
export const ERROR_MAX = 1.5;

/** The least height, in seconds (serf.md 16, HeightMin). */
export const HEIGHT_MIN = 1e-5;

/** Lengths and times below this many seconds count as none (serf.md 16, zero threshold). */
export const ZERO_THRESHOLD = 1e-6;

/** Nanoseconds of a second. */
const NS_PER_SECOND = 1e9;

/** Where every node starts, and where gravity pulls. */
export const ORIGIN: Coordinate = Object.freeze({
  vec: Object.freeze(new Array<number>(DIMENSIONS).fill(0)),
  error: ERROR_MAX,
  adjustment: 0,
  height: HEIGHT_MIN,
});

/** A coordinate that cannot be used. The messages are those of the Go agent. */
export class CoordinateError extends Error {
  /** Names the class in logs. */
  override readonly name = "CoordinateError";
}

/**
 * The estimated round trip between two nodes, in seconds, cut off to whole nanoseconds.
 *
 * @throws {CoordinateError} when they have not as many dimensions
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

/** Go keeps distances as whole nanoseconds and splits off the seconds before it divides. */
function wholeNanoseconds(seconds: number): number {
  const ns = Math.trunc(seconds * NS_PER_SECOND);
  return Math.trunc(ns / NS_PER_SECOND) + ns % NS_PER_SECOND / NS_PER_SECOND;
}

/** Whether all of it are finite numbers. */
export function isFiniteCoordinate({ vec, error, adjustment, height }: Coordinate): boolean {
  return vec.every(Number.isFinite) && Number.isFinite(error) && Number.isFinite(adjustment) &&
    Number.isFinite(height);
}

/**
 * A coordinate that `force` (seconds) has pushed away from `other`, or pulled to it when negative. From the very same place
 * the way leads in a direction by chance.
 */
export function pushed(
  from: Coordinate,
  force: number,
  other: Coordinate,
  random: Random,
): Coordinate {
  const way = difference(from.vec, other.vec);
  const length = magnitude(way);
  const apart = length > ZERO_THRESHOLD;
  const unit = apart ? scaled(way, 1 / length) : randomUnit(way.length, random);
  const vec = from.vec.map((component, i) => component + (unit[i] as number) * force);
  const height = apart
    ? Math.max(HEIGHT_MIN, (from.height + other.height) * force / length + from.height)
    : from.height;
  return { ...from, vec, height };
}

function randomUnit(dimensions: number, random: Random): number[] {
  const vec = Array.from({ length: dimensions }, () => random.float() - 0.5);
  const length = magnitude(vec);
  if (length > ZERO_THRESHOLD) return scaled(vec, 1 / length);
  return vec.map((_, i) => i === 0 ? 1 : 0);
}

function difference(a: readonly number[], b: readonly number[]): number[] {
  return a.map((component, i) => component - (b[i] as number));
}

function scaled(vec: readonly number[], factor: number): number[] {
  return vec.map((component) => component * factor);
}

function magnitude(vec: readonly number[]): number {
  let sum = 0;
  for (const component of vec) sum += component * component;
  return Math.sqrt(sum);
}
