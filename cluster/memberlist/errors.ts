/**
 * The failures of a {@linkcode Memberlist} that its user may want to tell apart.
 *
 * @module
 */

/** The configuration cannot work. The message names the setting, what is allowed and what it was. */
export class MemberlistConfigError extends Error {
  /** `"MemberlistConfigError"`, whatever happens to the name of the class. */
  override readonly name = "MemberlistConfigError";
}

/** Not one of the addresses of a join could be reached. */
export class JoinError extends Error {
  /** `"JoinError"`, whatever happens to the name of the class. */
  override readonly name = "JoinError";
  /** How many addresses were joined: none. */
  readonly joined = 0;
  /** What happened, in the order in which the addresses were tried; at least one. */
  readonly errors: readonly Error[];

  /** The message lists `errors` in the multi-error text of the Go agent (agent.md 3, join). */
  constructor(errors: readonly Error[]) {
    super(multiErrorText(errors), { cause: errors[0] });
    this.errors = errors;
  }
}

/** The news that this node leaves was not passed on in time. The node counts itself as left. */
export class LeaveTimeoutError extends Error {
  /** `"LeaveTimeoutError"`, whatever happens to the name of the class. */
  override readonly name = "LeaveTimeoutError";

  /** The text is the one of the Go library. */
  constructor() {
    super("timeout waiting for leave broadcast");
  }
}

/** The new meta of this node was not passed on in time. It stays in effect and goes on spreading. */
export class UpdateTimeoutError extends Error {
  /** `"UpdateTimeoutError"`, whatever happens to the name of the class. */
  override readonly name = "UpdateTimeoutError";

  /** The text is the one of the Go library. */
  constructor() {
    super("timeout waiting for update broadcast");
  }
}

/** The node has left, so what was asked of it makes no sense any more. */
export class LeftError extends Error {
  /** `"LeftError"`, whatever happens to the name of the class. */
  override readonly name = "LeftError";
}

/** The memberlist was shut down, before or during the call. */
export class ShutdownError extends Error {
  /** `"ShutdownError"`, whatever happens to the name of the class. */
  override readonly name = "ShutdownError";

  /** The same text for every call. */
  constructor() {
    super("Memberlist is shut down");
  }
}

/** A node did not answer a ping in time. */
export class PingTimeoutError extends Error {
  /** `"PingTimeoutError"`, whatever happens to the name of the class. */
  override readonly name = "PingTimeoutError";
}

/** The other end of a stream said why it refused; the message is `remote error: ` and its text. */
export class RemoteError extends Error {
  /** `"RemoteError"`, whatever happens to the name of the class. */
  override readonly name = "RemoteError";
}

/** A destination came without its node name although `requireNodeNames` is set (memberlist.md 8.11). */
export class NodeNameRequiredError extends Error {
  /** `"NodeNameRequiredError"`, whatever happens to the name of the class. */
  override readonly name = "NodeNameRequiredError";

  /** The same text for every destination. */
  constructor() {
    super("node names are required by configuration but one was not provided");
  }
}

function multiErrorText(errors: readonly Error[]): string {
  const count = errors.length === 1 ? "1 error" : `${errors.length} errors`;
  return `${count} occurred:\n${errors.map((error) => `\t* ${error.message}\n`).join("")}\n`;
}
