/**
 * Connections that are open and say nothing.
 *
 * @module
 */

import { encode } from "@msgpack/msgpack";
import type { Program } from "../../tests/support/agents.ts";
import { rest, start } from "../cluster.ts";
import type { Metric, Sample, Who } from "../measure.ts";
import { residentMiB } from "../process.ts";

/** How many are being opened at the same time. */
const AT_ONCE = 64;

const HANDSHAKE = Uint8Array.from([
  ...encode({ Command: "handshake", Seq: 0 }),
  ...encode({ Version: 1 }),
]);

/** Opens `count` connections to a fresh agent, shakes hands on each, and lets them be. */
export async function measureConnections(
  who: Who,
  program: Program,
  count: number,
): Promise<Sample[]> {
  await using agent = await start(program, "crowded");
  const [hostname = "", port] = agent.rpc.split(":");
  await rest(500);
  const before = residentMiB(agent.pid);
  const connections: Deno.TcpConn[] = [];
  try {
    let asked = 0;
    const started = performance.now();
    const opener = async (): Promise<void> => {
      const answer = new Uint8Array(64);
      while (asked++ < count) {
        const connection = await Deno.connect({ hostname, port: Number(port) });
        connections.push(connection);
        await connection.write(HANDSHAKE);
        if (await connection.read(answer) === null) throw new Error("A connection was refused");
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, opener));
    const openedMs = performance.now() - started;
    await rest(1_000);
    const each = (residentMiB(agent.pid) - before) * 1024 / count;
    const metric = (what: string, unit: string, bound: number): Metric => ({
      name: `${count} idle connections: ${what}`,
      unit,
      more: false,
      goal: { of: "skein / serf", bound },
    });
    return [
      { metric: metric("memory", "KiB each", 0.7), who, value: each },
      { metric: metric("time to open all", "ms", 1.2), who, value: openedMs },
    ];
  } finally {
    for (const connection of connections) connection.close();
  }
}
