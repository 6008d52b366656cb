/**
 * A point in the space of network coordinates: the distance of two points estimates the round trip between their nodes
 * (docs/spec/serf.md 16). Every number is in seconds, except the unitless error.
 *
 * The order of the operations is that of the Go agent, so that the same input gives the same doubles.
 *
 * @module
 */

import { type Coordinate, difference, magnitude } from "../../protocol/coordinate.ts";
import type { Random } from "../runtime.ts";

/** Dimensions of the space (docs/spec/serf.md 16.2). */
export const DIMENSIONS = 8;

/** The largest error, which a node starts with (docs/spec/serf.md 16.2, VivaldiErrorMax). */
export const ERROR_MAX = 1.5;

/** The least height, in seconds (docs/spec/serf.md 16.2, HeightMin). */
export const HEIGHT_MIN = 1e-5;

/** Lengths and times below this many seconds count as none (docs/spec/serf.md 16.2, zero threshold). */
export const ZERO_THRESHOLD = 1e-6;

/** Where every node starts, and where gravity pulls. */
export const ORIGIN: Coordinate = Object.freeze({
  vec: Object.freeze(new Array<number>(DIMENSIONS).fill(0)),
  error: ERROR_MAX,
  adjustment: 0,
  height: HEIGHT_MIN,
});

/** Whether all of it are finite numbers. */
export function isFiniteCoordinate({ vec, error, adjustment, height }: Coordinate): boolean {
  return vec.every(Number.isFinite) && Number.isFinite(error) && Number.isFinite(adjustment) &&
    Number.isFinite(height);
}

/**
 * A coordinate that `force` (seconds) has pushed away from `other`, or pulled to it when negative. From the very same
 * place the way leads in a direction by chance.
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

function scaled(vec: readonly number[], factor: number): number[] {
  return vec.map((component) => component * factor);
}
