/**
 * `node:crypto`, loaded when it is first used: that takes some 30 ms, which an agent that is starting, or that has no keys,
 * need not spend.
 *
 * @module
 */

import type NodeCrypto from "node:crypto";
import type NodeProcess from "node:process";

/** It never changes. */
let crypto: typeof NodeCrypto | undefined;

/** `node:crypto`. */
export function nodeCrypto(): typeof NodeCrypto {
  const { process } = globalThis as unknown as { process: typeof NodeProcess };
  return crypto ??= process.getBuiltinModule("node:crypto");
}
