/**
 * Who is measured, so that what it acknowledges is on the disks of a majority, or of a primary and one replica.
 *
 * @module
 */

import { join } from "node:path";
import { type Peer, programOf, redisPeer, skeinPeer } from "../state/peers.ts";

/** skein's port of topics. */
export const topicsPeer: Peer = { ...skeinPeer, kind: "topics", port: 9092 };

/** Streams of Redis, which syncs every write. */
export function streamsPeer(): Peer | undefined {
  const redis = redisPeer();
  return redis && { ...redis, kind: "streams" };
}

/** NATS JetStream that syncs every message before it acknowledges it: `SKEIN_NATS`, or the first on PATH. */
export function natsPeer(): Peer | undefined {
  const found = programOf("nats-server", "SKEIN_NATS", /: v(\S+)/);
  return found && {
    who: "nats",
    label: `NATS JetStream ${found.version}`,
    kind: "nats",
    port: 4222,
    command: (index, hosts, folder) => {
      // There is no flag for that.
      const path = join(folder, "nats.conf");
      Deno.writeTextFileSync(path, configuration(index, hosts, folder));
      return [found.path, "-c", path];
    },
  };
}

function configuration(index: number, hosts: readonly string[], folder: string): string {
  const routes = hosts.map((host) => `"nats://${host}:6222"`);
  return [
    `server_name: n${index}`,
    `listen: "${hosts[index]}:4222"`,
    `jetstream { store_dir: "${folder}", sync_interval: always }`,
    ...hosts.length === 1
      ? []
      : [`cluster { name: c, listen: "${hosts[index]}:6222", routes: [${routes}] }`],
    "",
  ].join("\n");
}
