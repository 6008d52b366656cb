/**
 * Payloads as programs write and read them.
 *
 * @module
 */

import { kindOf } from "./arguments.ts";

/**
 * What came with an event, a query or an answer: bytes that can be read as a text.
 *
 * @example
 * ```ts
 * import { PayloadBytes } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * const payload = PayloadBytes.from([0x5b, 0x31, 0x5d]) as PayloadBytes;
 * assert.equal(payload.text(), "[1]");
 * assert.deepEqual(payload.json(), [1]);
 * ```
 */
export class PayloadBytes extends Uint8Array {
  /** The bytes as UTF-8; what is none becomes U+FFFD. */
  text(): string {
    return new TextDecoder().decode(this);
  }

  /**
   * What the text says as JSON.
   *
   * @throws {SyntaxError} when it is none
   */
  json(): unknown {
    return JSON.parse(this.text());
  }
}

/** The same bytes, not copied, to be read as a text. */
export function readable(payload: Uint8Array | null): PayloadBytes | null {
  if (payload === null) return null;
  const { buffer, byteOffset, length } = payload;
  return new PayloadBytes(buffer as ArrayBuffer, byteOffset, length);
}

/**
 * The bytes of a payload; a text becomes UTF-8.
 *
 * @throws {TypeError} when it is neither a text, nor bytes, nor `null`
 */
export function bytesOf(payload: Uint8Array | string | null): Uint8Array | null {
  if (typeof payload === "string") return new TextEncoder().encode(payload);
  if (payload === null || payload instanceof Uint8Array) return payload;
  const expected = "expected a string, a Uint8Array or null";
  throw new TypeError(`Invalid payload: ${expected}, got ${kindOf(payload)}`);
}
