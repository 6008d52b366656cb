/**
 * Payloads as programs write them.
 *
 * @module
 */

/** Bytes, a text that travels as UTF-8, or nothing. Bytes are not to be changed afterwards. */
export type Payload = Uint8Array | string | null;

/** The bytes of a payload. */
export function bytesOf(payload: Payload): Uint8Array | null {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}
