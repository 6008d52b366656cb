/**
 * How much memory this process holds, without what nothing refers to any more.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Memory that something refers to, on the heap of JavaScript and behind its buffers, in MiB. */
export function heldMiB(): number {
  collect();
  const { heapUsed, external } = Deno.memoryUsage();
  return (heapUsed + external) / 2 ** 20;
}
