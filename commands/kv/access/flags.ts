/**
 * How `skein kv` shows an agent who it is, and how it sees that the agent is the right one.
 *
 * @module
 */

import type { KvConnectOptions } from "../../../client/mod.ts";
import { CommandError } from "../../shell/command.ts";
import { variable } from "../../shell/environment.ts";
import { boolFlag, type FlagValues, stringFlag } from "../../shell/flags.ts";

/** Largest file of a token or of certificates, in bytes. */
const MAX_FILE_BYTES = 1024 * 1024;

/** The flags of every action. */
export const accessFlags = {
  "kv-auth-file": stringFlag(
    "PATH",
    "File of the token that the agent is shown, or of the password of -kv-user. Default: the " +
      "variable SKEIN_KV_TOKEN holds it, or there is none.",
    "files",
  ),
  "kv-user": stringFlag(
    "NAME",
    "User whose password is shown in place of a token. Default: the variable SKEIN_KV_USER, or none.",
  ),
  "kv-tls": boolFlag("Speak TLS with the agent."),
  "kv-ca-file": stringFlag(
    "PATH",
    "PEM file of certificates that are trusted besides those of the system. Implies -kv-tls.",
    "files",
  ),
  "kv-server-name": stringFlag(
    "NAME",
    "Name that the certificate of the agent is for. Default: the host of its address. Implies -kv-tls.",
  ),
} as const;

/**
 * What the client needs for what the flags and the environment say.
 *
 * @throws {CommandError} When a file cannot be read, or a user has no password.
 */
export async function accessOf(values: FlagValues<typeof accessFlags>): Promise<KvConnectOptions> {
  const path = values["kv-auth-file"];
  const secret = path === undefined
    ? variable("SKEIN_KV_TOKEN") ?? ""
    : (await readFile("-kv-auth-file", path)).replace(/\r?\n$/, "");
  const user = values["kv-user"] ?? variable("SKEIN_KV_USER") ?? "";
  if (user !== "" && secret === "") {
    throw new CommandError(
      "Missing password: -kv-user needs one in -kv-auth-file or SKEIN_KV_TOKEN",
      { onStderr: true },
    );
  }
  const caFile = values["kv-ca-file"];
  const serverName = values["kv-server-name"];
  const isSecure = values["kv-tls"] || caFile !== undefined || serverName !== undefined;
  return {
    ...user !== "" ? { user, password: secret } : secret !== "" && { token: secret },
    ...isSecure && {
      tls: {
        ...caFile !== undefined && { caCerts: [await readFile("-kv-ca-file", caFile)] },
        ...serverName !== undefined && { serverName },
      },
    },
  };
}

async function readFile(flag: string, path: string): Promise<string> {
  const { readTextBounded } = await import("../../../server/files/read_bounded.ts");
  try {
    return await readTextBounded(path, MAX_FILE_BYTES);
  } catch (cause) {
    const { fileProblem } = await import("../../../server/files/problem.ts");
    throw new CommandError(`Error reading ${flag} '${path}': ${fileProblem(cause)}`, {
      cause,
      onStderr: true,
    });
  }
}
