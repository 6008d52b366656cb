/**
 * `skein kv get`, `set` and `watch` through a durable session.
 *
 * @module
 */

import { type KvValue, SessionClient } from "../../client/mod.ts";
import { DEFAULT_PORT } from "../../protocol/sessions/limits.ts";
import { CommandError } from "../shell/command.ts";
import { variable } from "../shell/environment.ts";
import { type FlagValues, stringFlag, switchFlag } from "../shell/flags.ts";
import { accessOf } from "./access/flags.ts";
import { type storeFlags, told } from "./store.ts";

/** How long the session, and each call, may take, in milliseconds; and one of several servers that does not answer. */
const LIMIT_MS = 5_000;
const ATTEMPT_MS = 1_500;

/** The flags of what can be done through a session. */
export const sessionFlags = {
  session: switchFlag(
    "Through a durable session, at -session-addr: a change is done once, however often it has to be " +
      "sent, and a watch misses nothing. Everything may take 5s.",
  ),
  "session-addr": stringFlag(
    "ADDRESS",
    "With -session: session addresses of servers, with commas between. Default: the variable " +
      `SKEIN_SESSION_ADDR, or 127.0.0.1:${DEFAULT_PORT}.`,
  ),
} as const;

type SessionValues = FlagValues<typeof sessionFlags & typeof storeFlags>;

/**
 * Whether a session is asked for.
 *
 * @throws {CommandError} When one is not, and flags say where.
 */
export function wantsSession(values: FlagValues<typeof sessionFlags>): boolean {
  if (values.session || values["session-addr"] === undefined) return values.session;
  throw new CommandError("-session-addr needs -session", { onStderr: true });
}

/** What stands for a value that is not there. */
export const NONE = "<none>";

/**
 * Begins a session, does something through it, and ends it.
 *
 * @throws {CommandError} When no server gives one in time, or what is asked for fails. It is for standard error.
 */
export async function inSession<T>(
  values: SessionValues,
  action: (session: SessionClient) => Promise<T>,
): Promise<T> {
  if (values["kv-addr"] !== undefined) throw excluded("-kv-addr", "it asks at -session-addr");
  const { token, user, tls } = await accessOf(values);
  if (user !== undefined) throw excluded("-kv-user", "it is shown a token");
  const address = values["session-addr"] ?? variable("SKEIN_SESSION_ADDR") ?? "";
  await using session = new SessionClient({
    ...address !== "" && { address },
    ...token !== undefined && { token },
    ...tls !== undefined && { tls },
    timeoutMs: LIMIT_MS,
    attemptTimeoutMs: ATTEMPT_MS,
  });
  await told("Error connecting to the servers", session.connect(), hintFor);
  return await told("Error", action(session), hintFor);
}

/** A value as it is printed: a text as it is, any other as JSON. */
export function textOf(value: KvValue): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A flag that a session has no use for. */
export function excluded(flag: string, why: string): CommandError {
  return new CommandError(`-session and ${flag} exclude each other: ${why}`, { onStderr: true });
}

function hintFor(reason: string): string | undefined {
  if (!/connection refused$/.test(reason)) return undefined;
  return "Does a server take sessions there? -session-addr or SKEIN_SESSION_ADDR names the session " +
    "address of another";
}
