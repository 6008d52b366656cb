/**
 * Writes at a fixed rate, whatever the answers do.
 *
 * @module
 */

import { Rpc } from "../../tests/support/interop/rpc.ts";
import type { Goal, Row, Sample } from "./figures.ts";
import { goTime, type Scene, startSide } from "./scene.ts";

/** Requests a second ... */
const RATE = 10_000;
/** ... on so many connections. */
const CLIENTS = 16;

/** Three servers of whoever takes several requests on one connection. */
export async function* measureRate(scene: Scene): AsyncGenerator<Sample[]> {
  const { load, sizes } = scene;
  // Skein last: its figure of the event loop is the worst of the last ten to twenty seconds, which shall not be the start.
  const peers = scene.peers.filter(({ kind }) => kind !== "etcd").toReversed();
  await using side = await startSide(scene, peers, 3);
  for (let run = 0; run < sizes.runs; run++) {
    for (const { peer: { who }, target, hosts } of side.all) {
      const time = goTime(sizes.rateMs);
      const found = await load.run(target, "rate", { rate: RATE, clients: CLIENTS, time });
      const sample = (name: string, unit: string, value: number, goals: Goal[] = []): Sample => {
        const row: Row = { name, unit, more: unit === "1/s", goals };
        return { row, who, value };
      };
      yield [
        sample("answers", "1/s", found["ops_s"]!, [{ bound: RATE * 0.99 }]),
        sample("p50", "ms", found["p50_us"]! / 1_000),
        sample("p99", "ms", found["p99_us"]! / 1_000, [{ bound: 50 }]),
        sample("CPU of all servers, each", "us", found["servers_cpu_us"]!),
      ];
      if (who !== "skein") continue;
      const lags = await Promise.all(hosts.map(loopLagMs));
      yield [
        sample("longest turn of a server's event loop", "ms", Math.max(...lags), [{ bound: 20 }]),
      ];
    }
  }
}

/** `loop_lag_ms` of `skein raft status`. */
async function loopLagMs(host: string): Promise<number> {
  await using rpc = await Rpc.connect(`${host}:7373`);
  const { Result } = await rpc.must("raft", { Action: "status" });
  return JSON.parse(Result).loop_lag_ms;
}
