/**
 * Bytes that are nearly right.
 *
 * @module
 */

import { below } from "./random_value.ts";
import type { SeededRandom } from "./simulation/random.ts";

/** Bytes that mean something to MessagePack: ends of number ranges, nil, the longest heads. */
const TELLING = [0, 0x7f, 0x80, 0xc0, 0xc1, 0xc6, 0xdb, 0xdd, 0xdf, 0xff];

/** A copy with at most four places changed: bytes replaced, put in, left out, or the rest cut off. */
export function mutated(random: SeededRandom, sample: Uint8Array): Uint8Array {
  const copy = [...sample];
  for (let left = below(random, 5); left > 0; left--) {
    const at = below(random, copy.length + 1);
    const byte = random.float() < 0.5
      ? below(random, 256)
      : TELLING[below(random, TELLING.length)] as number;
    switch (below(random, 4)) {
      case 0:
        copy[at] = byte;
        break;
      case 1:
        copy.splice(at, 0, byte);
        break;
      case 2:
        copy.splice(at, 1 + below(random, 4));
        break;
      default:
        if (random.float() < 0.2) copy.length = Math.min(copy.length, at);
    }
  }
  return Uint8Array.from(copy);
}
