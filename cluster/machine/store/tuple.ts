/**
 * Keys of the store: tuples of texts, byte strings and unsigned integers as bytes in the same order.
 *
 * Each element begins with a byte that says its type. Byte strings (1) and texts (2, as UTF-8) end with 0, and a 0 in them is
 * written as 0, 255. An integer is the byte 0x14 + n and then its n bytes, the highest first and never 0. So byte strings come
 * before texts before integers, a tuple comes before those that begin with it, and no key holds the byte 255 where an element
 * may begin. These are the rules of FoundationDB's tuple layer for those types. There is one spelling of each tuple.
 *
 * @module
 */

/** One element. */
export type TupleElement = string | number | Uint8Array;

/** Longest key, in bytes: a path of 1,024 bytes in 16 segments, with what tells its table, twice over. */
export const MAX_KEY_BYTES = 2_048;

const BYTES = 1;
const TEXT = 2;
const INTEGER = 0x14;
const END = 0;
const ESCAPE = 0xff;
/** An integer up to 2^53-1 takes 7 bytes at most. */
const MAX_INTEGER_BYTES = 7;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * The key of a tuple.
 *
 * @throws {RangeError} for a text with an unpaired surrogate, an integer that is negative or no safe one, and a key of more
 * than {@linkcode MAX_KEY_BYTES}
 */
export function encodeTuple(elements: readonly TupleElement[]): Uint8Array<ArrayBuffer> {
  const parts = elements.map(checked);
  const size = parts.reduce<number>((sum, part) => sum + elementSize(part), 0);
  if (size > MAX_KEY_BYTES) {
    throw new RangeError(`Key takes ${size} of ${MAX_KEY_BYTES} bytes`);
  }
  const key = new Uint8Array(size);
  let at = 0;
  elements.forEach((element, i) => {
    const part = parts[i] as number | Uint8Array;
    if (typeof part === "number") at = putInteger(key, at, part);
    else if (typeof element === "string") at = putText(key, at, part, 0, part.length);
    else at = putString(key, at, BYTES, part, 0, part.length);
  });
  return key;
}

/**
 * The tuple of a key.
 *
 * @throws {RangeError} when the bytes are not exactly what {@linkcode encodeTuple} makes
 */
export function decodeTuple(key: Uint8Array): TupleElement[] {
  if (key.length > MAX_KEY_BYTES) {
    throw new RangeError(`Key takes ${key.length} of ${MAX_KEY_BYTES} bytes`);
  }
  const elements: TupleElement[] = [];
  let at = 0;
  while (at < key.length) {
    const type = key[at] as number;
    if (type === BYTES || type === TEXT) {
      const end = endOf(key, at + 1);
      const bytes = unescaped(key.subarray(at + 1, end));
      elements.push(type === TEXT ? textOf(bytes, at) : bytes);
      at = end + 1;
    } else {
      const { value, end } = integerAt(key, at);
      elements.push(value);
      at = end;
    }
  }
  return elements;
}

/** The half-open range of the keys whose tuples begin with that of `key` and are longer. */
export function keysBelow(key: Uint8Array): { from: Uint8Array; to: Uint8Array } {
  return { from: withByte(key, END), to: withByte(key, ESCAPE) };
}

/**
 * The integer that is an element at `at` of a key, and where the next element begins.
 *
 * @throws {RangeError} when there is none
 */
export function integerAt(key: Uint8Array, at: number): { value: number; end: number } {
  const width = (key[at] ?? NaN) - INTEGER;
  if (!(width >= 0 && width <= MAX_INTEGER_BYTES)) {
    throw new RangeError(`Expected an integer at byte ${at} of the key, got type ${key[at]}`);
  }
  return { value: integerOf(key, at + 1, width), end: at + 1 + width };
}

/**
 * Where each of the texts ends that stand one after the other from `at` of a key on.
 *
 * @throws {RangeError} when one does not end
 */
export function textEnds(key: Uint8Array, at: number): number[] {
  const ends: number[] = [];
  for (let next = at; key[next] === TEXT; ends.push(next)) next = endOf(key, next + 1) + 1;
  return ends;
}

/** The least byte string after `key`. */
export function keyAfter(key: Uint8Array): Uint8Array {
  return withByte(key, 0);
}

/**
 * Writes a text that is already UTF-8, `source[start, end)`, as an element at `at`, and returns where the next one goes. There
 * must be room for {@linkcode TEXT_OVERHEAD_BYTES} more than the text takes, and for each 0 in it.
 */
export function putText(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  return putString(target, at, TEXT, source, start, end);
}

/** Writes a byte string as an element at `at`, and returns where the next one goes. There must be room as for a text. */
export function putBytes(target: Uint8Array, at: number, source: Uint8Array): number {
  return putString(target, at, BYTES, source, 0, source.length);
}

/** What a text without 0 takes as an element besides its own bytes. */
export const TEXT_OVERHEAD_BYTES = 2;

function putString(
  target: Uint8Array,
  at: number,
  type: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  target[at++] = type;
  for (let i = start; i < end; i++) {
    const byte = source[i] as number;
    target[at++] = byte;
    if (byte === END) target[at++] = ESCAPE;
  }
  target[at++] = END;
  return at;
}

/** Writes an integer as an element at `at`, and returns where the next one goes. There must be room for {@linkcode integerBytes}. */
export function putInteger(target: Uint8Array, at: number, value: number): number {
  const width = integerWidth(value);
  target[at] = INTEGER + width;
  let rest = value;
  for (let i = width; i > 0; i--) {
    target[at + i] = rest % 0x100;
    rest = Math.floor(rest / 0x100);
  }
  return at + 1 + width;
}

/** What an integer takes as an element. */
export function integerBytes(value: number): number {
  return 1 + integerWidth(value);
}

function checked(element: TupleElement): number | Uint8Array {
  if (typeof element === "string") {
    if (element.isWellFormed()) return encoder.encode(element);
    throw new RangeError(`Expected a well-formed text in a key, got ${JSON.stringify(element)}`);
  }
  if (typeof element === "number" && (!Number.isSafeInteger(element) || element < 0)) {
    throw new RangeError(`Expected an integer from 0 to 2^53-1 in a key, got ${element}`);
  }
  return element;
}

function elementSize(part: number | Uint8Array): number {
  if (typeof part === "number") return integerBytes(part);
  let size = TEXT_OVERHEAD_BYTES + part.length;
  for (const byte of part) if (byte === END) size++;
  return size;
}

function integerWidth(value: number): number {
  let width = 0;
  for (let rest = value; rest > 0; rest = Math.floor(rest / 0x100)) width++;
  return width;
}

/** Where the string that begins at `start` ends: the place of its last byte, a 0 that no 255 follows. */
function endOf(key: Uint8Array, start: number): number {
  for (let i = start; i < key.length; i++) {
    if (key[i] !== END) continue;
    if (key[i + 1] !== ESCAPE) return i;
    i++;
  }
  throw new RangeError(`String at byte ${start} of the key does not end`);
}

function unescaped(escaped: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(escaped.length);
  let length = 0;
  for (let i = 0; i < escaped.length; i++) {
    bytes[length++] = escaped[i] as number;
    if (escaped[i] === END) i++;
  }
  return bytes.subarray(0, length);
}

function textOf(bytes: Uint8Array, at: number): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new RangeError(`Text at byte ${at} of the key is no UTF-8`, { cause });
  }
}

function integerOf(key: Uint8Array, start: number, width: number): number {
  let value = 0;
  for (let i = start; i < start + width; i++) value = value * 0x100 + (key[i] ?? NaN);
  if (!Number.isSafeInteger(value) || (width > 0 && key[start] === 0)) {
    throw new RangeError(`Expected ${width} bytes of an integer at byte ${start} of the key`);
  }
  return value;
}

function withByte(key: Uint8Array, byte: number): Uint8Array {
  const longer = new Uint8Array(key.length + 1);
  longer.set(key);
  longer[key.length] = byte;
  return longer;
}
