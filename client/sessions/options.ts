/**
 * What a program gives to a session and its calls.
 *
 * @module
 */

import { type OptionKinds, requireArgument, requireOptions } from "../../protocol/arguments.ts";
import {
  type Capability,
  capabilityProblem,
  CLIENT_ID,
  DEFAULT_PORT,
  EXTENSIONS,
} from "../../protocol/sessions/mod.ts";
import type { CallOptions } from "../net/deadline.ts";
import type { TlsOptions } from "../net/dial.ts";
import type { Settings } from "./core/state.ts";

/**
 * Where servers are, and what the session is to be.
 *
 * @example
 * ```ts
 * import { SessionClient, type SessionOptions } from "@skein/agent/client";
 *
 * const options: SessionOptions = { address: "10.0.0.1:7375,10.0.0.2:7375", capabilities: { worker: "v2" } };
 * await using session = new SessionClient(options);
 * console.log(session.connected); // false
 * ```
 */
export interface SessionOptions {
  /** Session addresses of servers, `host:port` with commas between, which are tried in turn. Default "127.0.0.1:7375". */
  readonly address?: string;
  /**
   * What this client can do, by names of letters, digits, `_` and `-`; at most 62 of them, and 4 KiB. `session-ext` and
   * `client-id` are added. Default: none.
   */
  readonly capabilities?: Readonly<Record<string, string>>;
  /** The id of a session of another client that has ended, to go on with. Default: a new session. */
  readonly resume?: string;
  /** Whether a new session follows one that has expired. What was sent is lost all the same, and watches end. Default false. */
  readonly autoRenew?: boolean;
  /** Token that servers are shown, on each connection. Default: none. */
  readonly token?: string;
  /** Whether and how connections are encrypted. Default false. */
  readonly tls?: boolean | TlsOptions;
  /** Milliseconds that a call may take, with all its pauses and repetitions. Default 30,000. */
  readonly timeoutMs?: number;
  /** Milliseconds that one server is given to accept the connection and to give the session, and later for a sign of life. Default 5,000. */
  readonly attemptTimeoutMs?: number;
  /** Milliseconds between signs of life, at most a third of what the server waits. Default 30,000. */
  readonly keepAliveMs?: number;
  /** Milliseconds after which a call without an answer is sent again, then half as long again each time, up to 10,000. Default 2,000. */
  readonly resendMs?: number;
}

/**
 * How a session is ended.
 *
 * @example
 * ```ts
 * import { SessionClient, type SessionCloseOptions } from "@skein/agent/client";
 *
 * const options: SessionCloseOptions = { keep: true };
 * const session = new SessionClient();
 * await session.close(options);
 * ```
 */
export interface SessionCloseOptions {
  /** The session lives on, for a client that is given its id to `resume`. Default false. */
  readonly keep?: boolean;
}

const DEFAULT_ADDRESS = `127.0.0.1:${DEFAULT_PORT}`;

/** How long a call may take, in milliseconds. */
export const DEFAULT_TIMEOUT_MS = 30_000;

const DEFAULT_ATTEMPT_MS = 5_000;
const DEFAULT_KEEP_ALIVE_MS = 30_000;
const DEFAULT_RESEND_MS = 2_000;

const OPTIONS: OptionKinds = {
  address: "text",
  capabilities: "map",
  resume: "text",
  autoRenew: "switch",
  token: "secret",
  tls: "any",
  timeoutMs: "duration",
  attemptTimeoutMs: "duration",
  keepAliveMs: "duration",
  resendMs: "duration",
};

/**
 * Checks the options of a session and makes settings of them.
 *
 * @throws {TypeError} when one is unknown or of a wrong type, or a capability breaks a rule
 */
export function settingsOf(options: SessionOptions): Settings {
  requireArgument("options of a session", options, "object");
  const { tls = false } = options;
  requireOptions("a session", options, OPTIONS);
  if (typeof tls !== "boolean") requireOptions("tls", tls, { caCerts: "list", serverName: "text" });
  for (const name of ["attemptTimeoutMs", "keepAliveMs", "resendMs"] as const) {
    const ms = options[name] ?? 1;
    if (!(ms > 0)) throw new TypeError(`Option '${name}' is ${ms}, expected more than 0`);
  }
  return {
    addresses: (options.address ?? DEFAULT_ADDRESS).split(",").map((one) => one.trim()),
    capabilities: capabilitiesOf(options.capabilities ?? {}),
    resume: options.resume,
    token: options.token,
    renew: options.autoRenew ?? false,
    attemptMs: options.attemptTimeoutMs ?? DEFAULT_ATTEMPT_MS,
    keepAliveMs: options.keepAliveMs ?? DEFAULT_KEEP_ALIVE_MS,
    resendMs: options.resendMs ?? DEFAULT_RESEND_MS,
  };
}

/**
 * Checks the options of a call.
 *
 * @throws {TypeError} when one is unknown or of a wrong type
 */
export function checkCall(call: string, options: CallOptions): void {
  requireOptions(call, options, { signal: "signal", timeoutMs: "duration" });
}

/**
 * Checks how a session is ended.
 *
 * @throws {TypeError} when an option is unknown or of a wrong type
 */
export function checkClose(options: SessionCloseOptions): void {
  requireOptions("close", options, { keep: "switch" });
}

/**
 * Checks the options of a watch.
 *
 * @throws {TypeError} when one is unknown or of a wrong type
 */
export function checkWatch(options: object): void {
  const switches = { tree: "switch", initial: "switch", old: "switch" } as const;
  requireOptions("watch", options, { signal: "signal", namespace: "text", ...switches });
}

function capabilitiesOf(given: Readonly<Record<string, string>>): readonly Capability[] {
  const all = { [CLIENT_ID]: crypto.randomUUID(), ...given, [EXTENSIONS]: "1" };
  const capabilities = Object.entries(all);
  const problem = capabilityProblem(capabilities);
  if (problem !== undefined) throw new TypeError(problem);
  return capabilities;
}
