/**
 * The commands that tell figures: `stats` and `get-coordinate` (docs/spec/agent.md 3).
 *
 * @module
 */

import type { Coordinate } from "../../../cluster/coordinate/mod.ts";
import { CoordinateResponse, StatsResponse } from "../../../protocol/ipc/mod.ts";
import { encode } from "../../../protocol/msgpack/mod.ts";
import type { Run } from "../handler.ts";

/** The figures of the agent, of the RPC server, and of the connection that asks. */
export const stats: Run<"stats"> = ({ client, services }) => {
  const rpc = { ...services.rpcStats(), ...client.stats() };
  const groups = { ...services.backend.stats(), rpc };
  return { body: (writer) => StatsResponse.write(writer, groups) };
};

/** What Go sends for a coordinate that it does not know. */
const UNKNOWN: CoordinateResponse = {
  Coord: { Vec: null, Error: 0, Adjustment: 0, Height: 0 },
  Ok: false,
};

/** Encoded responses: a coordinate never changes, and is asked for more often than a new one takes its place. */
const encoded = new WeakMap<Coordinate, Uint8Array>();

/** An unknown node is no error. */
export const getCoordinate: Run<"get-coordinate"> = ({ services }, { Node }) => {
  const found = services.backend.coordinate(Node);
  if (found === undefined) return { body: encode(CoordinateResponse, UNKNOWN, "rpc") };
  let body = encoded.get(found);
  if (body === undefined) {
    const { vec, error, adjustment, height } = found;
    const Coord = { Vec: [...vec], Error: error, Adjustment: adjustment, Height: height };
    body = encode(CoordinateResponse, { Coord, Ok: true }, "rpc");
    encoded.set(found, body);
  }
  return { body };
};
