/**
 * What can go wrong between a program and its agent.
 *
 * @module
 */

/** The agent refused or failed a command. */
export class RpcError extends Error {
  /** Always "RpcError". */
  override name = "RpcError";
  /** Name of the command, as in the protocol. */
  readonly command: string;

  /** `message` is the agent's text as it came. */
  constructor(command: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.command = command;
  }
}

/** No connection to the agent came about. The message is the one Go's client gives (agent.md 7.1). */
export class ConnectError extends Error {
  /** Always "ConnectError". */
  override name = "ConnectError";
}

/**
 * The connection ended before the answer came, or was closed already; `cause` says why.
 * The message is always "client closed", as in Go's client (agent.md 5).
 */
export class ConnectionClosedError extends Error {
  /** Always "ConnectionClosedError". */
  override name = "ConnectionClosedError";

  /** `options.cause` tells what ended the connection. */
  constructor(options?: ErrorOptions) {
    super("client closed", options);
  }
}

/** The agent did not answer in time. It may still carry the command out. */
export class TimeoutError extends Error {
  /** Always "TimeoutError". */
  override name = "TimeoutError";
}
