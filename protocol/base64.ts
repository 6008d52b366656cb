/**
 * Base64 with Go's opinions on what is wrong and where.
 *
 * @module
 */

/** A text that is no base64. The message is Go's. */
export class Base64Error extends Error {
  override readonly name = "Base64Error";
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * The bytes of a text in standard base64 with padding. Line breaks are skipped.
 *
 * @throws {Base64Error} `illegal base64 data at input byte N`, with the offset that Go gives.
 */
export function decodeBase64(text: string): Uint8Array {
  const bytes: number[] = [];
  let at = 0;
  const skipBreaks = (): void => {
    while (text[at] === "\n" || text[at] === "\r") at++;
  };
  for (;;) {
    const values: number[] = [];
    while (values.length < 4) {
      skipBreaks();
      const char = text[at];
      if (char === undefined) {
        if (values.length === 0) return new Uint8Array(bytes);
        throw illegal(at - values.length);
      }
      const value = ALPHABET.indexOf(char);
      if (value < 0) {
        if (char !== "=" || values.length < 2) throw illegal(at);
        at++;
        if (values.length === 2) {
          skipBreaks();
          if (text[at] === undefined) throw illegal(text.length);
          if (text[at] !== "=") throw illegal(at);
          at++;
        }
        skipBreaks();
        if (text[at] !== undefined) throw illegal(at);
        pushQuantum(bytes, values);
        return new Uint8Array(bytes);
      }
      at++;
      values.push(value);
    }
    pushQuantum(bytes, values);
  }
}

/** Two values make one byte, three make two, four make three. */
function pushQuantum(bytes: number[], values: readonly number[]): void {
  const [a = 0, b = 0, c = 0, d = 0] = values;
  const quantum = [a << 2 | b >> 4, (b & 15) << 4 | c >> 2, (c & 3) << 6 | d];
  bytes.push(...quantum.slice(0, values.length - 1));
}

function illegal(offset: number): Base64Error {
  return new Base64Error(`illegal base64 data at input byte ${offset}`);
}
