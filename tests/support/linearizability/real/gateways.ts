/**
 * Agents that keep nothing, as processes.
 *
 * @module
 */

import { eventually, startSkeinAgent } from "../../agents.ts";
import { Connection, type Place } from "../connection.ts";
import type { Server } from "./cluster.ts";

const KV_PORT = 8379;

/** A gateway answers what the servers know within this time, in milliseconds. */
const START_LIMIT_MS = 10_000;

/** Starts one at `host`, until `opened` is disposed of. Resolves with where it answers, when it does. */
export async function startGateway(
  host: string,
  servers: readonly Server[],
  opened: AsyncDisposableStack,
): Promise<Place> {
  opened.use(
    await startSkeinAgent({
      name: `gateway-${host}`,
      host,
      flags: [
        `-kv-addr=${host}:${KV_PORT}`,
        `-peer-addr=${host}`,
        "-profile=local",
        "-retry-interval=1s",
        ...servers.map(({ place: { hostname } }) => `-retry-join=${hostname}:7946`),
      ],
    }),
  );
  const place = { hostname: host, port: KV_PORT };
  await eventually(`the gateway at ${host} answers`, async () => {
    using connection = new Connection();
    if (!await connection.open(place)) return false;
    return (await connection.ask({ action: "GET", key: "probe" }))?.code === 404;
  }, START_LIMIT_MS);
  return place;
}
