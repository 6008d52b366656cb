/**
 * `node:zlib` of the runtime, loaded when it is first used: that takes some 10 ms, which a program that has no topics need not
 * spend, also where it is bundled into one file.
 *
 * @module
 */

import type NodeProcess from "node:process";
import type NodeZlib from "node:zlib";

/** It never changes. */
let found: typeof NodeZlib | undefined;

/**
 * The module.
 *
 * @throws {Error} in a runtime that has none, such as Node before 20.16
 */
export function zlib(): typeof NodeZlib {
  return found ??= loaded();
}

function loaded(): typeof NodeZlib {
  const { process } = globalThis as unknown as { process?: typeof NodeProcess };
  const module = process?.getBuiltinModule?.("node:zlib");
  if (module?.crc32 !== undefined) return module;
  throw new Error("Topics need CRC-32 of the runtime, which Node has from 20.16 on");
}
