/**
 * What the actions of `skein kv` share: how the agent is found, and how a failure is told.
 *
 * @module
 */

import { KvClient, type KvConnectOptions } from "../../client/mod.ts";
import { DurationError, parseDuration } from "../../protocol/duration.ts";
import { DEFAULT_PORT, MAX_TTL_MS } from "../../protocol/kv/limits.ts";
import { CommandError, explain } from "../shell/command.ts";
import { variable } from "../shell/environment.ts";
import {
  ExpectedError,
  type Flag,
  type FlagValues,
  parsedFlag,
  stringFlag,
} from "../shell/flags.ts";
import { formatFlag } from "../shell/output.ts";
import { accessFlags, accessOf } from "./access/flags.ts";

const DEFAULT_ADDRESS = `127.0.0.1:${DEFAULT_PORT}`;

/** The flags of every action. */
export const storeFlags = {
  namespace: stringFlag(
    "NAME",
    "Namespace of a key that does not begin with '^'. Default: what the key says, or global.",
  ),
  format: formatFlag,
  "kv-addr": stringFlag(
    "ADDRESS",
    `Key-value address of the agent. Default: the variable SKEIN_KV_ADDR, or ${DEFAULT_ADDRESS}.`,
  ),
  ...accessFlags,
} as const;

/** The flag that says how fresh a value has to be. */
export const consistencyFlag: Flag<"linearizable" | "lease" | "stale"> = parsedFlag(
  "linearizable|lease|stale",
  "How fresh the value has to be: linearizable shows all that was acknowledged before, lease the " +
    "same as long as no clock runs away, stale whatever the agent has. Default: linearizable.",
  "linearizable",
  (text) => {
    if (text === "linearizable" || text === "lease" || text === "stale") return text;
    throw new ExpectedError("linearizable, lease or stale");
  },
);

/** The flag that makes an action depend on the last change of its key. */
export const ifRevFlag: Flag<number | undefined> = parsedFlag<number | undefined>(
  "REVISION",
  "Only if the last change of the key has this revision; 0: only if it has no value.",
  undefined,
  (text) => {
    const revision = Number(text);
    if (/^\d+$/.test(text) && Number.isSafeInteger(revision)) return revision;
    throw new ExpectedError("a revision: a whole number from 0 on");
  },
);

/** What the flags of every action say of the agent and the way to it. */
type ConnectionValues = FlagValues<Pick<typeof storeFlags, "kv-addr" | keyof typeof accessFlags>>;

/**
 * Where the agent is that the flags or the environment name, and how it is talked to.
 *
 * @throws {CommandError} When a file cannot be read.
 */
export async function connectionOf(values: ConnectionValues): Promise<KvConnectOptions> {
  const address = values["kv-addr"] ?? (variable("SKEIN_KV_ADDR") || DEFAULT_ADDRESS);
  return { ...await accessOf(values), address, name: "skein kv" };
}
/** What a time to live has to be. */
export const TTL_WANTED = "a time from 1ms up to ten years, such as 30s";

/** The flag that has a value go by itself; in milliseconds. */
export const ttlFlag: Flag<number | undefined> = parsedFlag<number | undefined>(
  "DURATION",
  'It goes by itself so much later, such as "30s" or "1h30m", at most ten years.',
  undefined,
  (text) => {
    const ms = ttlOf(text);
    if (ms === undefined) throw new ExpectedError(TTL_WANTED);
    return ms;
  },
);

/** A time to live, in milliseconds; `undefined` when the text is none. */
export function ttlOf(text: string): number | undefined {
  let ms: number;
  try {
    ms = Math.round(parseDuration(text));
  } catch (error) {
    if (error instanceof DurationError) return undefined;
    throw error;
  }
  return ms >= 1 && ms <= MAX_TTL_MS ? ms : undefined;
}

/**
 * Connects to the agent that the flag or the environment names, asks, and closes the connection.
 *
 * @throws {CommandError} When there is no agent, or it refuses. It is for standard error: standard output is for values.
 */
export async function ask<T>(
  values: ConnectionValues,
  action: (client: KvClient) => Promise<T>,
): Promise<T> {
  const options = await connectionOf(values);
  await using client = await told(
    "Error connecting to the agent",
    KvClient.connect(options),
  );
  return await told("Error", action(client));
}

/** The namespace, as calls of the client take it. */
export function namespaceOf(
  { namespace }: FlagValues<typeof storeFlags>,
): { readonly namespace?: string } {
  return namespace === undefined ? {} : { namespace };
}

/** There is no value at a key. */
export function missing(key: string): CommandError {
  return new CommandError(`'${key}' has no value`, { onStderr: true });
}

/**
 * What a step comes to.
 *
 * @throws {CommandError} When it fails: `what` and the reason.
 */
export function told<T>(
  what: string,
  step: Promise<T>,
  hintOf: (reason: string) => string | undefined = hintFor,
): Promise<T> {
  return explain(what, step, { hintOf, onStderr: true });
}

/** What can be done about what the agent says. */
const HINTS: readonly (readonly [text: RegExp, hint: string])[] = [
  [
    /^Authentication required$/,
    "The agent has a kv.tokens_file: give a token with SKEIN_KV_TOKEN or -kv-auth-file",
  ],
  [
    /^Wrong token, user or password$/,
    "The token of SKEIN_KV_TOKEN or -kv-auth-file is in no kv.tokens_file of that agent, which " +
    "may have none at all",
  ],
  [
    /^No right to this$/,
    "The entry of the token in the kv.tokens_file of the agent says what it may",
  ],
  [
    /^client closed$/,
    "An agent with a kv.tls_cert takes nothing but TLS: -kv-tls speaks it, and so does -kv-ca-file",
  ],
  [/InvalidContentType/, "The agent speaks no TLS: it is asked without -kv-tls and -kv-ca-file"],
  [/: tls: /, "-kv-ca-file names certificates to trust, -kv-server-name whose the agent's is"],
];

function hintFor(reason: string): string | undefined {
  if (/^'after': /.test(reason)) {
    return "-after takes a key below PREFIX as it was printed, with its namespace: global^greeting";
  }
  const hint = HINTS.find(([text]) => text.test(reason))?.[1];
  if (hint !== undefined || !/connection refused$/.test(reason)) return hint;
  return "Does an agent keep state there? 'skein agent -dev' starts one that does; -kv-addr or " +
    "SKEIN_KV_ADDR names the key-value address of another";
}
