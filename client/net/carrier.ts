/**
 * Which runtime carries the connections of a client: Deno, or Node and Bun.
 *
 * `node:net` would do in all three. But loading it costs a Deno program 25 to 30 ms at its start, and a call some
 * microseconds more, so Deno keeps to its own API.
 *
 * @module
 */

import { denoCarrier } from "./deno_carrier.ts";
import type { Carrier } from "./socket.ts";

/** The carrier for the runtime that this program runs in. */
export async function carrier(): Promise<Carrier> {
  if (typeof Deno !== "undefined") return denoCarrier;
  return (await import("./node_carrier.ts")).nodeCarrier;
}
