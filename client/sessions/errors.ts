/**
 * What a session throws beside the errors of calls.
 *
 * @module
 */

/**
 * The servers know no such session, or none any more: it was silent for too long, or somebody has ended it. Its watches and what
 * its answers were kept for are gone; begin a new one.
 *
 * @example
 * ```ts
 * import { SessionExpiredError } from "@skein/agent/client";
 *
 * const isOver = (error: unknown): boolean => error instanceof SessionExpiredError;
 * console.log(isOver(new Error("Something else")));
 * ```
 */
export class SessionExpiredError extends Error {
  /** Always "SessionExpiredError". */
  override readonly name = "SessionExpiredError";

  /** An error with its text. */
  constructor(options?: ErrorOptions) {
    super("Session has expired, or was ended", options);
  }
}

/**
 * The session is not what this client has left: another program goes on with it, and has asked for something by it or taken something
 * of it; or the servers were given back an older copy of their state. It cannot be told any more which answer belongs to what, so
 * this client has ended.
 *
 * @example
 * ```ts
 * import { SessionBrokenError } from "@skein/agent/client";
 *
 * const isBroken = (error: unknown): boolean => error instanceof SessionBrokenError;
 * console.log(isBroken(new Error("Something else")));
 * ```
 */
export class SessionBrokenError extends Error {
  /** Always "SessionBrokenError". */
  override readonly name = "SessionBrokenError";

  /** An error with its text. */
  constructor(options?: ErrorOptions) {
    super(
      "Session is not as this client has left it: another program uses it, or the servers have an older copy of it",
      options,
    );
  }
}

/**
 * A server refuses to give this client a session, for a reason that does not pass.
 *
 * @example
 * ```ts
 * import { SessionRejectedError } from "@skein/agent/client";
 *
 * const isRefused = (error: unknown): boolean => {
 *   return error instanceof SessionRejectedError && error.reason === "UNAUTHORIZED";
 * };
 * console.log(isRefused(new Error("Something else")));
 * ```
 */
export class SessionRejectedError extends Error {
  /** Always "SessionRejectedError". */
  override readonly name = "SessionRejectedError";
  /** Which reason it was. */
  readonly reason: "INVALID_CAPABILITIES" | "UNAUTHORIZED";

  /** `reason` is what the server said. */
  constructor(reason: SessionRejectedError["reason"]) {
    super(
      reason === "UNAUTHORIZED"
        ? "Server knows no such token"
        : "Server refuses the capabilities of this session",
    );
    this.reason = reason;
  }
}

/**
 * So many calls wait for an answer already that one more is not taken. It was not sent.
 *
 * @example
 * ```ts
 * import { QueueFullError } from "@skein/agent/client";
 *
 * const isTooFast = (error: unknown): boolean => error instanceof QueueFullError;
 * console.log(isTooFast(new Error("Something else")));
 * ```
 */
export class QueueFullError extends Error {
  /** Always "QueueFullError". */
  override readonly name = "QueueFullError";
}
