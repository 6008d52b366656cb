/**
 * Sectors, which a disk writes as a whole or not at all: whether one of a group never came onto the disk can be seen, since what is
 * written leaves none of them blank.
 *
 * @module
 */

/** Bytes of the smallest sector that disks have. Larger ones are several of these. */
export const SECTOR_BYTES = 512;

/** Where the sector ends that a place is in. */
export function sectorEnd(at: number): number {
  return at - at % SECTOR_BYTES + SECTOR_BYTES;
}

/**
 * Whether any sector has, of `bytes` that stand from `at` on in a file, fewer than so many bits set: of 1 there is nothing but
 * zeros; of 2 one flipped bit makes it so.
 */
export function hasSectorBelow(bits: 1 | 2, bytes: Uint8Array, at: number): boolean {
  for (let begin = 0, end; begin < bytes.length; begin = end) {
    end = Math.min(bytes.length, sectorEnd(at + begin) - at);
    if (bitsUpTo(bits, bytes, begin, end) < bits) return true;
  }
  return false;
}

/** Flips the bits of `mask` in each four of `bytes`, which begin at a multiple of four of their buffer. The same again undoes it. */
export function flipBits(bytes: Uint8Array, mask: number): void {
  const four = Uint8Array.of(mask >>> 24, mask >>> 16, mask >>> 8, mask);
  const [word] = new Uint32Array(four.buffer) as unknown as [number];
  const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  for (let i = 0; i < words.length; i++) words[i]! ^= word;
  for (let i = 4 * words.length; i < bytes.length; i++) bytes[i]! ^= four[i % 4] as number;
}

/** Bits that are set between two places; not all of them once there are `enough`. */
function bitsUpTo(enough: number, bytes: Uint8Array, begin: number, end: number): number {
  let bits = 0;
  for (let i = begin; i < end && bits < enough; i++) {
    const byte = bytes[i] as number;
    if (byte !== 0) bits += (byte & (byte - 1)) === 0 ? 1 : 2;
  }
  return bits;
}
