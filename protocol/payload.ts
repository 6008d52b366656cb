/**
 * Payloads as programs write them.
 *
 * @module
 */

import { encodeUtf8 } from "./text.ts";

/** The bytes of a payload; a text becomes UTF-8, but for the bytes in it that are none. */
export function bytesOf(payload: Uint8Array | string | null): Uint8Array | null {
  return typeof payload === "string" ? encodeUtf8(payload) : payload;
}
