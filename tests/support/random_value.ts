/**
 * Random values from a seed, for the property tests.
 *
 * @module
 */

import type { Encodable } from "../../protocol/msgpack/mod.ts";
import type { SeededRandom } from "./simulation/random.ts";

/** A whole number in [0, limit). */
export function below(random: SeededRandom, limit: number): number {
  return Math.floor(random.float() * limit);
}

/** A value of any kind, nested up to `depth` levels. Integers lie near powers of two, lengths near the borders of heads. */
export function randomValue(random: SeededRandom, depth = 4): Encodable {
  switch (below(random, depth > 0 ? 9 : 7)) {
    case 0:
      return null;
    case 1:
      return random.float() < 0.5;
    case 2:
      return randomInteger(random);
    case 3:
      return (random.float() - 0.5) * 2 ** below(random, 80);
    case 4:
    case 5:
      return randomText(random);
    case 6:
      return random.bytes(randomLength(random));
    case 7:
      return Array.from({ length: below(random, 20) }, () => randomValue(random, depth - 1));
    default:
      return Object.fromEntries(
        Array.from(
          { length: below(random, 20) },
          () => [randomText(random), randomValue(random, depth - 1)],
        ),
      );
  }
}

/** A `number` when safe, a `bigint` beyond, from -2^63 to 2^64-1. */
export function randomInteger(random: SeededRandom): number | bigint {
  const magnitude = (1n << BigInt(below(random, 65))) + BigInt(below(random, 5) - 2);
  const value = random.float() < 0.5 ? -magnitude : magnitude;
  const inRange = value < -(2n ** 63n) || value > 2n ** 64n - 1n ? magnitude / 2n : value;
  return Number.isSafeInteger(Number(inRange)) ? Number(inRange) : inRange;
}

function randomText(random: SeededRandom): string {
  const alphabet = ["a", "Z", "~", "é", "€", "日", "😀", "\0"];
  const ascii = random.float() < 0.6;
  let text = "";
  for (let left = randomLength(random); left > 0; left--) {
    text += alphabet[below(random, ascii ? 3 : alphabet.length)];
  }
  return text;
}

function randomLength(random: SeededRandom): number {
  const border = [0, 4, 16, 31, 48, 85, 128, 255][below(random, 8)] as number;
  return Math.max(0, border + below(random, 5) - 2);
}
