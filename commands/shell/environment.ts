/**
 * The environment that a command runs in.
 *
 * @module
 */

import { wholeVariable } from "./process_bytes.ts";

/**
 * A variable, whatever bytes it has. One that this process may not read counts as not set, and nobody is asked for the
 * permission.
 */
export function variable(name: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  if (state !== "granted") return undefined;
  try {
    return Deno.env.get(name);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) return wholeVariable(name);
    throw error;
  }
}
