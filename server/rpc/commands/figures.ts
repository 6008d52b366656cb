/**
 * The commands that tell figures: `stats` and `get-coordinate` (agent.md 3).
 *
 * @module
 */

import { type Coordinate, CoordinateResponse, StatsResponse } from "../../../protocol/ipc.ts";
import type { Run } from "../handler.ts";

/** The figures of the agent, of the RPC server, and of the connection that asks. */
export const stats: Run<"stats"> = ({ session, services }) => {
  const rpc = { ...services.rpcStats(), ...session.stats() };
  const groups = { ...services.backend.stats(), rpc };
  return { body: (writer) => StatsResponse.write(writer, groups) };
};

/** What Go sends for a coordinate that it does not know. */
const UNKNOWN: Coordinate = { Vec: null, Error: 0, Adjustment: 0, Height: 0 };

/** An unknown node is no error. */
export const getCoordinate: Run<"get-coordinate"> = ({ services }, { Node }) => {
  const found = services.backend.coordinate(Node);
  const Coord = found === undefined ? UNKNOWN : {
    Vec: [...found.vec],
    Error: found.error,
    Adjustment: found.adjustment,
    Height: found.height,
  };
  const response = { Coord, Ok: found !== undefined };
  return { body: (writer) => CoordinateResponse.write(writer, response) };
};
