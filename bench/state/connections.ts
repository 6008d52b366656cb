/**
 * Clients that are connected and say nothing.
 *
 * @module
 */

import type { Sample } from "./figures.ts";
import { goTime, type Scene, startSide } from "./scene.ts";

/** How long they rest before memory is read, in milliseconds. */
const REST_MS = 1_000;

/** Connects as many as skein takes as it comes to one fresh server of each peer, which answers each, then and in the end. */
export async function* measureConnections(scene: Scene): AsyncGenerator<Sample[]> {
  const { load, peers, sizes: { runs, connections } } = scene;
  const count = connections.toLocaleString("en-US");
  for (let run = 0; run < runs; run++) {
    for (const peer of peers) {
      await using side = await startSide(scene, [peer], 1);
      const [servers] = side.all;
      const found = await load.run(servers!.target, "idle", {
        clients: connections,
        time: goTime(REST_MS),
        limit: "3m",
      });
      const sample = (name: string, unit: string, value: number): Sample => ({
        row: { name: `${count} idle connections: ${name}`, unit, more: false, goals: [] },
        who: peer.who,
        value,
      });
      yield [
        sample("memory of each", "KiB", found["kib_each"]!),
        sample("until all are open and answered", "ms", found["ms"]!),
      ];
    }
  }
}
