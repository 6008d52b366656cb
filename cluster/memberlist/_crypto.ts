/**
 * `node:crypto`, loaded when the first key is used: loading takes 30 ms and some MiB, which an agent without encryption
 * need not spend.
 *
 * @module
 */

import type NodeCrypto from "node:crypto";
import type NodeProcess from "node:process";

let loaded: typeof NodeCrypto | undefined;

/** The module. */
export function nodeCrypto(): typeof NodeCrypto {
  if (loaded === undefined) {
    const { process } = globalThis as unknown as { process: typeof NodeProcess };
    loaded = process.getBuiltinModule("node:crypto") as typeof NodeCrypto;
  }
  return loaded;
}
