/**
 * Payloads as programs write and read them.
 *
 * @module
 */

import { kindOf } from "./arguments.ts";
import { decodeUtf8, encodeUtf8 } from "./text.ts";

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
  /** Parts and copies are plain bytes. */
  static get [Symbol.species](): Uint8ArrayConstructor {
    return Uint8Array;
  }

  /** The bytes as UTF-8; what is none becomes U+FFFD. */
  text(): string {
    return decodeUtf8(this).toWellFormed();
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

/** A copy, so that what is kept does not keep all that was received with it. */
export function ownPayload(payload: Uint8Array | null): PayloadBytes | null {
  return payload === null ? null : new PayloadBytes(payload);
}

/**
 * The bytes of a payload; a text becomes UTF-8, but for the bytes in it that are none.
 *
 * @throws {TypeError} when it is neither a text, nor bytes, nor `null`
 */
export function bytesOf(payload: Uint8Array | string | null): Uint8Array | null {
  if (typeof payload === "string") return encodeUtf8(payload);
  if (payload === null || payload instanceof Uint8Array) return payload;
  const expected = "expected a string, a Uint8Array or null";
  throw new TypeError(`Invalid payload: ${expected}, got ${kindOf(payload)}`);
}
