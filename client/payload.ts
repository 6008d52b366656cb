/**
 * Payloads as programs write and read them.
 *
 * @module
 */

/** Bytes, a text that travels as UTF-8, or nothing. */
export type Payload = Uint8Array | string | null;

/** The bytes of a payload. */
export function bytesOf(payload: Payload): Uint8Array | null {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}

/** A copy, so that a record that is kept does not keep all that was received with it. */
export function ownBytes(payload: Uint8Array | null): Uint8Array | null {
  return payload === null ? null : payload.slice();
}
