/**
 * What an agent tells of its replicated state, whether it has one or not.
 *
 * @module
 */

/** The agent keeps no replicated state. */
export class NoStateError extends Error {
  /** "NoStateError". */
  override readonly name = "NoStateError";

  /** An error with the text that says how to keep state. */
  constructor() {
    super("This agent keeps no state: only one that was started with -server or -dev does");
  }
}

/** Where a server is found and keeps what it knows. */
export interface StateAddresses {
  /** Where it listens for other servers, `host:port`. */
  readonly peerAddr: string;
  /** Where it lets key-value clients in, `host:port`; `undefined`: nowhere. */
  readonly kvAddr: string | undefined;
  /** Its data directory; `undefined`: a temporary one. */
  readonly dataDir: string | undefined;
}
