/**
 * What guards the key-value port of a server.
 *
 * @module
 */

import type { KvConfig } from "../config/settings.ts";
import type { Guard } from "../kv/access/guard.ts";

/**
 * The guard that the settings ask for, `undefined` when they ask for none. What a port echoes is nobody's, and needs no token.
 *
 * @throws {ConfigError} when a file that they name cannot be used.
 */
export async function openGuard(
  { mode, tokensFile, tlsCert, tlsKey }: Omit<KvConfig, "insecure" | "tlsClientCa">,
): Promise<Guard | undefined> {
  const files = { tokensFile: mode === "echo" ? "" : tokensFile, tlsCert, tlsKey };
  if (files.tokensFile + tlsCert === "") return undefined;
  const { Guard } = await loadGuard();
  return await Guard.open(files);
}

/** The path is put together, so that an agent without a guard does not even read its code. */
function loadGuard(): Promise<typeof import("../kv/access/guard.ts")> {
  const name = "guard";
  return import(`../kv/access/${name}.ts`);
}
