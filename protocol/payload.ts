/**
 * Payloads as programs write them.
 *
 * @module
 */

/** The bytes of a payload; a text becomes UTF-8. */
export function bytesOf(payload: Uint8Array | string | null): Uint8Array | null {
  return typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
}
