/**
 * `node:crypto` and `node:zlib`, loaded when they are first used: each takes some 30 ms, which an agent that is starting
 * need not spend.
 *
 * @module
 */

import type NodeCrypto from "node:crypto";
import type NodeProcess from "node:process";
import type NodeZlib from "node:zlib";

let crypto: typeof NodeCrypto | undefined;
let zlib: typeof NodeZlib | undefined;

/** `node:crypto`. */
export function nodeCrypto(): typeof NodeCrypto {
  return crypto ??= load("node:crypto") as typeof NodeCrypto;
}

/** `node:zlib`. */
export function nodeZlib(): typeof NodeZlib {
  return zlib ??= load("node:zlib") as typeof NodeZlib;
}

function load(name: string): unknown {
  const { process } = globalThis as unknown as { process: typeof NodeProcess };
  return process.getBuiltinModule(name);
}
