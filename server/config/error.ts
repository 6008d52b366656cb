/**
 * What is thrown for settings that cannot be used.
 *
 * @module
 */

/**
 * A configuration that cannot be used. The message is one line for the operator.
 *
 * @example
 * ```ts
 * import { Agent, ConfigError } from "@skein/agent";
 * import assert from "node:assert/strict";
 *
 * await assert.rejects(Agent.start({ bind: "127.0.0.1:http" }), ConfigError);
 * ```
 */
export class ConfigError extends Error {
  /** "ConfigError". */
  override readonly name = "ConfigError";
}
