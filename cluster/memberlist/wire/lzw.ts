/**
 * LZW as memberlist speaks it: least significant bit first, 8-bit literals, codes of 9 to 12 bits
 * (docs/spec/memberlist.md 4). Both directions are synchronous and bounded.
 *
 * @module
 */

/** Code that empties the table. */
const CLEAR = 256;
/** Code that ends the data. */
const END = 257;
/** Width of the first codes, in bits. */
const FIRST_WIDTH = 9;
/** Width that codes never exceed, in bits. */
const LAST_WIDTH = 12;
/** The encoder empties its table instead of assigning this code. */
const TABLE_FULL = 4095;

/** Data that is not LZW, or that grows beyond what the caller allows. */
export class LzwError extends Error {
  /** Names the class in logs. */
  override readonly name = "LzwError";
  /** Bytes that had come out before. */
  readonly produced: number;
  /** Whether the data may be right, and only more than the caller allows. */
  readonly isTooLong: boolean;

  /** An error after so many bytes. */
  constructor(message: string, produced: number, isTooLong = false) {
    super(message);
    this.produced = produced;
    this.isTooLong = isTooLong;
  }
}

/**
 * The encoder's table, a hash from (code, byte) to code with linear probing. One entry packs the pair
 * in its upper 20 bits and the code in its lower 12; an entry is never 0 because codes start at 258.
 * At most 3,837 of the 8,192 slots are taken.
 */
const pairs = new Uint32Array(1 << 13);
const PAIR_SHIFT = 32 - 13;
const PAIR_MASK = pairs.length - 1;

/**
 * Compresses `bytes`. The result is what Go's `compress/lzw` writes, byte for byte: a clear code, the
 * data, an end code. It takes at most about 1.5 bytes per byte of input, plus 16.
 */
export function compressLzw(bytes: Uint8Array): Uint8Array {
  // Each input byte costs at most one 12-bit code; a clear comes at most once in 3,837 codes.
  const out = new Uint8Array(Math.ceil(bytes.length * 1.5) + (bytes.length >>> 11) + 16);
  let size = 0;
  let width = FIRST_WIDTH;
  let high = END;
  let overflow = 1 << FIRST_WIDTH;
  let bits = CLEAR;
  let bitCount = width;

  pairs.fill(0);
  if (bytes.length > 0) {
    let current = bytes[0] as number;
    for (let i = 1; i <= bytes.length; i++) {
      const last = i === bytes.length;
      const byte = last ? 0 : bytes[i] as number;
      const pair = (current << 8) | byte;
      let slot = Math.imul(pair, 0x9e3779b1) >>> PAIR_SHIFT;
      if (!last) {
        let entry = pairs[slot] as number;
        while (entry !== 0 && entry >>> 12 !== pair) {
          slot = (slot + 1) & PAIR_MASK;
          entry = pairs[slot] as number;
        }
        if (entry !== 0) {
          current = entry & 0xfff;
          continue;
        }
      }

      bits |= current << bitCount;
      bitCount += width;
      while (bitCount >= 8) {
        out[size++] = bits;
        bits >>>= 8;
        bitCount -= 8;
      }
      current = byte;

      high++;
      if (high === overflow) {
        width++;
        overflow <<= 1;
      }
      if (high === TABLE_FULL) {
        bits |= CLEAR << bitCount;
        bitCount += width;
        width = FIRST_WIDTH;
        high = END;
        overflow = 1 << FIRST_WIDTH;
        pairs.fill(0);
      } else if (!last) {
        pairs[slot] = (pair << 12) | high;
      }
    }
  }

  bits |= END << bitCount;
  bitCount += width;
  while (bitCount > 0) {
    out[size++] = bits;
    bits >>>= 8;
    bitCount -= 8;
  }
  return out.subarray(0, size);
}

/**
 * The decoder's table: a code stands for bytes that were already written to the output, so an entry is
 * only where they start and how many they are.
 */
const starts = new Uint32Array(1 << LAST_WIDTH);
const lengths = new Uint32Array(1 << LAST_WIDTH);
/** From this length on, copying by `copyWithin` beats a loop over bytes. */
const LONG_COPY = 64;

/**
 * Decompresses `bytes` up to the end code; what follows it is ignored. Throws {@linkcode LzwError} when
 * the data ends before the end code, holds a code that was not assigned, or would give more than
 * `maxBytes` bytes. Memory stays within about twice `maxBytes`.
 */
export function decompressLzw(bytes: Uint8Array, maxBytes: number): Uint8Array {
  let out = new Uint8Array(Math.min(maxBytes, Math.max(256, bytes.length * 4)));
  let size = 0;
  let position = 0;
  let bits = 0;
  let bitCount = 0;
  let width = FIRST_WIDTH;
  let high = END;
  let overflow = 1 << FIRST_WIDTH;
  // Where the previous string starts and how long it is; 0 long when the next code adds no entry.
  let lastStart = 0;
  let lastLength = 0;

  for (;;) {
    while (bitCount < width) {
      if (position === bytes.length) {
        throw new LzwError(`LZW data of ${bytes.length} bytes ends before its end code`, size);
      }
      bits |= (bytes[position++] as number) << bitCount;
      bitCount += 8;
    }
    const code = bits & ((1 << width) - 1);
    bits >>>= width;
    bitCount -= width;

    if (code === CLEAR) {
      width = FIRST_WIDTH;
      high = END;
      overflow = 1 << FIRST_WIDTH;
      lastLength = 0;
      continue;
    }
    if (code === END) return out.subarray(0, size);
    if (code > high) {
      throw new LzwError(`LZW code ${code} is not assigned, highest is ${high}`, size);
    }

    if (lastLength > 0) {
      starts[high] = lastStart;
      lengths[high] = lastLength + 1;
    }
    const length = code < CLEAR ? 1 : lengths[code] as number;
    if (size + length > out.length) {
      if (size + length > maxBytes) {
        throw new LzwError(`LZW data decompresses to more than ${maxBytes} bytes`, size, true);
      }
      const larger = new Uint8Array(Math.min(maxBytes, Math.max(out.length * 2, size + length)));
      larger.set(out);
      out = larger;
    }
    lastStart = size;
    lastLength = length;
    if (code < CLEAR) {
      out[size++] = code;
    } else {
      let from = starts[code] as number;
      if (length >= LONG_COPY && from + length <= size) {
        out.copyWithin(size, from, from + length);
        size += length;
      } else {
        const end = size + length;
        while (size < end) out[size++] = out[from++] as number;
      }
    }

    high++;
    if (high >= overflow) {
      if (width === LAST_WIDTH) {
        lastLength = 0;
        high--;
      } else {
        width++;
        overflow = 1 << width;
      }
    }
  }
}
