/**
 * Text and its bytes. On Serf's wires a name is whatever bytes somebody chose, often UTF-8, sometimes Latin-1; it must
 * leave as it came, or it names another node. So a byte that belongs to no UTF-8 character reads as one UTF-16 unit of
 * its own, 0xDC00 plus the byte: U+DC80 to U+DCFF, halves of characters that no valid text has alone (PEP 383). Writing
 * makes the byte of it again. What is decoded here is encoded to the same bytes, and two byte strings are equal exactly
 * when their texts are. Everything that is text of others becomes a string, and bytes again, in this file.
 *
 * Other lone surrogates stand for no byte. They are written as U+FFFD, as everywhere else.
 *
 * @module
 */

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const encoder = new TextEncoder();

/** What an invalid byte is added to. */
const BYTE_UNIT = 0xdc00;

/** What `TextDecoder` makes of invalid bytes; also a character that a text may have. */
const REPLACEMENT = 0xfffd;

/** The text of `bytes`. */
export function decodeUtf8(bytes: Uint8Array): string {
  const text = decoder.decode(bytes);
  return text.includes("\ufffd") ? decodeEach(bytes) : text;
}

/** Whether the bytes from `start` to `end` are UTF-8. Of many short texts it takes far less time than a decoder. */
export function isUtf8(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end;) {
    const length = characterLength(bytes, at, bytes[at] as number, end);
    if (length === 0) return false;
    at += length;
  }
  return true;
}

/** The bytes of `text`. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  if (text.isWellFormed()) return encoder.encode(text);
  const bytes = new Uint8Array(utf8Length(text));
  encodeEach(text, bytes, 0);
  return bytes;
}

/** Writes the bytes of `text` at `offset`; they are as many as {@linkcode utf8Length} says and must fit. */
export function writeUtf8(target: Uint8Array, offset: number, text: string): void {
  if (text.isWellFormed()) encoder.encodeInto(text, target.subarray(offset));
  else encodeEach(text, target, offset);
}

/** How many bytes `text` takes. */
export function utf8Length(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) {
      length += 1;
    } else if ((unit & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      length += 2;
      i++;
    } else if (!isByteUnit(unit)) {
      length += 2;
    }
  }
  return length;
}

/** Whether `text` takes at most `most` bytes. */
export function fitsUtf8(text: string, most: number): boolean {
  // A unit takes 1 to 3 bytes.
  if (text.length * 3 <= most) return true;
  return text.length <= most && utf8Length(text) <= most;
}

/** `text` as others read it: the same, unless a program put halves of characters into it. */
export function asRead(text: string): string {
  return text.isWellFormed() ? text : decodeUtf8(encodeUtf8(text));
}

/** `text` for people: each byte that is no UTF-8 as `\xe9`. What it returns is always valid Unicode. */
export function showBytes(text: string): string {
  if (text.isWellFormed()) return text;
  // With the flag, a half of a whole character is not found.
  return text.replace(/[\udc80-\udcff]/gu, (unit) => `\\x${byteOf(unit).toString(16)}`)
    .toWellFormed();
}

/** The byte that a unit of a text stands for; only for those that {@linkcode isByteUnit} knows. */
function byteOf(unit: string): number {
  return unit.charCodeAt(0) - BYTE_UNIT;
}

/** Whether a unit that is no half of a whole character stands for a byte. */
function isByteUnit(unit: number): boolean {
  return unit >= BYTE_UNIT + 0x80 && unit <= BYTE_UNIT + 0xff;
}

/** Units of one call, which has them as its arguments. */
const CHUNK_UNITS = 4_096;

/** Text with invalid bytes, or with a U+FFFD of its own. */
function decodeEach(bytes: Uint8Array): string {
  const units = new Uint16Array(bytes.length);
  let count = 0;
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] as number;
    const length = characterLength(bytes, at, first);
    if (length === 1) {
      units[count++] = first;
    } else if (length === 0) {
      units[count++] = BYTE_UNIT + first;
    } else {
      let code = first & (0x7f >> length);
      for (let i = 1; i < length; i++) code = code << 6 | (bytes[at + i] as number) & 0x3f;
      if (code > 0xffff) {
        units[count++] = 0xd7c0 + (code >> 10);
        code = 0xdc00 | code & 0x3ff;
      }
      units[count++] = code;
    }
    at += length || 1;
  }
  let text = "";
  for (let begin = 0; begin < count; begin += CHUNK_UNITS) {
    const chunk = units.subarray(begin, Math.min(begin + CHUNK_UNITS, count));
    text += String.fromCharCode.apply(null, chunk as unknown as number[]);
  }
  return text;
}

/** How many bytes the character takes that begins at `at` with `first` and ends by `end`; 0 when none does (RFC 3629 section 4). */
function characterLength(
  bytes: Uint8Array,
  at: number,
  first: number,
  end: number = bytes.length,
): number {
  if (first < 0x80) return 1;
  const length = first < 0xc2 || first > 0xf4 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (length === 0 || at + length > end) return 0;
  const second = bytes[at + 1] as number;
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return 0;
  for (let i = 2; i < length; i++) if (((bytes[at + i] as number) & 0xc0) !== 0x80) return 0;
  return length;
}

/** Text with halves of characters. */
function encodeEach(text: string, target: Uint8Array, offset: number): void {
  for (let i = 0; i < text.length; i++) {
    let code = text.codePointAt(i) as number;
    if (code > 0xffff) i++;
    if (code < 0x80 || isByteUnit(code)) {
      target[offset++] = code & 0xff;
      continue;
    }
    if (code >= 0xd800 && code <= 0xdfff) code = REPLACEMENT;
    const length = code < 0x800 ? 2 : code <= 0xffff ? 3 : 4;
    for (let left = length - 1; left > 0; left--) {
      target[offset + left] = 0x80 | code & 0x3f;
      code >>= 6;
    }
    target[offset] = 0xf00 >> length & 0xff | code;
    offset += length;
  }
}
