/**
 * Network coordinates, and how far apart two of them are.
 *
 * @module
 */

import { type Coordinate, roundTripMs } from "../../protocol/coordinate.ts";
import type { CoordinateResponse } from "../../protocol/ipc/mod.ts";

export { type Coordinate, CoordinateError } from "../../protocol/coordinate.ts";

/** The coordinate of a response, `undefined` when the agent knows none. */
export function coordinateOf({ Ok, Coord }: CoordinateResponse): Coordinate | undefined {
  if (!Ok) return undefined;
  const { Vec, Error: error, Adjustment, Height } = Coord;
  return { vec: Vec ?? [], error, adjustment: Adjustment, height: Height };
}

/**
 * The estimated round trip between two nodes, in milliseconds.
 *
 * @throws {CoordinateError} when the coordinates have not as many dimensions
 *
 * @example
 * ```ts
 * import { Agent } from "@skein/agent";
 * import { RpcClient, rttBetween } from "@skein/agent/client";
 *
 * await using agent = await Agent.start({ nodeName: "alpha", bind: "127.0.0.1:0" });
 * const { address } = agent.listenRpc("127.0.0.1:0");
 * await using client = await RpcClient.connect({ address: `127.0.0.1:${address.port}` });
 * const alpha = await client.coordinate("alpha");
 * if (alpha) console.log(`${rttBetween(alpha, alpha).toFixed(3)} ms`);
 * ```
 */
export function rttBetween(a: Coordinate, b: Coordinate): number {
  return roundTripMs(a, b);
}
