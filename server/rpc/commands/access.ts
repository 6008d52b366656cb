/**
 * The commands that open a conversation: `handshake` and `auth` (docs/spec/agent.md 3).
 *
 * @module
 */

import { IpcError, MAX_IPC_VERSION, MIN_IPC_VERSION } from "../../../protocol/ipc/mod.ts";
import { encodeUtf8 } from "../../../protocol/text.ts";
import { DONE, type Run } from "../handler.ts";

/** The version is looked at first, then whether there was a handshake before. */
export const handshake: Run<"handshake"> = ({ client, services }, { Version }) => {
  if (Version < MIN_IPC_VERSION || Version > MAX_IPC_VERSION) {
    return { error: IpcError.unsupportedVersion };
  }
  if (client.shaken) return { error: IpcError.duplicateHandshake };
  client.shaken = true;
  if (services.token.length === 0) client.peer.know();
  return DONE;
};

/**
 * An agent without a token takes the empty one only. A wrong token revokes nothing; where it is a guess, it is answered
 * late and ends the connection.
 */
export const auth: Run<"auth"> = ({ client, services }, { AuthKey }) => {
  const { token, authDelayMs } = services;
  if (isToken(AuthKey, token)) {
    client.authenticated = true;
    client.peer.know();
    return DONE;
  }
  const error = IpcError.invalidAuthToken;
  if (token.length === 0 || client.authenticated) return { error };
  services.complain(client, "WARN", `Wrong rpc_auth token from ipc.client: ${client.peer.name}`);
  return client.pause(authDelayMs).then(() => ({ error, last: true }));
};

/** Compares in a time that depends on the length of what was sent alone. */
function isToken(sent: string, token: Uint8Array): boolean {
  const bytes = encodeUtf8(sent);
  let difference = bytes.length ^ token.length;
  for (let i = 0; i < bytes.length; i++) {
    difference |= (bytes[i] as number) ^ (token[i % token.length] ?? 0);
  }
  return difference === 0;
}
