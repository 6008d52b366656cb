/**
 * The commands that open a conversation: `handshake` and `auth` (agent.md 3).
 *
 * @module
 */

import { IpcError, MAX_IPC_VERSION, MIN_IPC_VERSION } from "../../../protocol/ipc/mod.ts";
import { DONE, type Run } from "../handler.ts";

/** The version is looked at first, then whether there was a handshake before. */
export const handshake: Run<"handshake"> = ({ client }, { Version }) => {
  if (Version < MIN_IPC_VERSION || Version > MAX_IPC_VERSION) {
    return { error: IpcError.unsupportedVersion };
  }
  if (client.shaken) return { error: IpcError.duplicateHandshake };
  client.shaken = true;
  return DONE;
};

/** An agent without a token takes the empty one only. A wrong token revokes nothing. */
export const auth: Run<"auth"> = ({ client, services }, { AuthKey }) => {
  if (!sameText(AuthKey, services.rpcAuth)) return { error: IpcError.invalidAuthToken };
  client.authenticated = true;
  return DONE;
};

/** Compares in a time that does not tell where the texts differ. */
function sameText(a: string, b: string): boolean {
  const [left, right] = [new TextEncoder().encode(a), new TextEncoder().encode(b)];
  if (left.length !== right.length) return false;
  let difference = 0;
  for (const [i, byte] of left.entries()) difference |= byte ^ (right[i] as number);
  return difference === 0;
}
