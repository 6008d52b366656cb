/**
 * Loads what guards a key-value port.
 *
 * @module
 */

import type { Guard, GuardFiles } from "./access/guard.ts";

/**
 * The guard that files make. Its path is put together, so that an agent without one does not even read its code.
 *
 * @throws {ConfigError} when one of the files cannot be used.
 */
export async function openGuard(files: GuardFiles): Promise<Guard> {
  const name = "guard";
  const { Guard }: typeof import("./access/guard.ts") = await import(`./access/${name}.ts`);
  return await Guard.open(files);
}
