/**
 * Ids of sessions: bytes in the state, hex digits for clients.
 *
 * @module
 */

import { SESSION_BYTES } from "../../../cluster/machine/mod.ts";

const ID = new RegExp(`^[0-9a-f]{${2 * SESSION_BYTES}}$`);

/** The text of an id. */
export function textOfId(id: Uint8Array): string {
  return id.toHex();
}

/** The id of a text; `undefined` when it is none. */
export function idOfText(text: string): Uint8Array | undefined {
  return ID.test(text) ? Uint8Array.fromHex(text) : undefined;
}
