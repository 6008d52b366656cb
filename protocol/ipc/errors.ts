/**
 * The error texts that the RPC protocol itself defines.
 *
 * @module
 */

/** The fixed error texts, byte for byte (docs/spec/agent.md 1.6). Other errors carry the text of what failed. */
export const IpcError = {
  /** No such command; the agent closes the connection. */
  unsupportedCommand: "Unsupported command",
  /** A handshake for another version than 1. */
  unsupportedVersion: "Unsupported IPC version",
  /** A second handshake. */
  duplicateHandshake: "Handshake already performed",
  /** A command before the handshake; the agent closes the connection. */
  handshakeRequired: "Handshake required",
  /** A second monitor on one connection. */
  monitorExists: "Monitor already exists",
  /** A stream with a filter that is none. */
  invalidFilter: "Invalid event filter",
  /** A stream with the Seq of a live stream. */
  streamExists: "Stream with given sequence exists",
  /** A response to a query that is unknown or over. */
  invalidQueryId: "No pending queries matching ID",
  /** A command before `auth` on an agent that has a token. */
  authRequired: "Authentication required",
  /** `auth` with another token than the agent's. */
  invalidAuthToken: "Invalid authentication token",
} as const;

/** The errors that come before the command is looked at, and so never with a body (docs/spec/agent.md 1.4). */
const BEFORE_DISPATCH: readonly string[] = [
  IpcError.handshakeRequired,
  IpcError.authRequired,
  IpcError.unsupportedCommand,
];

/** Whether `error` is one that an agent gives before it looks at the command, so that no body follows it. */
export function isErrorBeforeDispatch(error: string): boolean {
  return BEFORE_DISPATCH.includes(error);
}
