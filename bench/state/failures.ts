/**
 * How long nobody answers: when a leader dies, and when all servers start anew on what they have.
 *
 * @module
 */

import { residentMiB } from "../process.ts";
import { rest } from "../cluster.ts";
import type { Goal, Row, Sample } from "./figures.ts";
import { type Peer, Servers } from "./peers.ts";
import { type Scene, startSide } from "./scene.ts";

/** Before servers are killed, and before their memory is read, in milliseconds. */
const REST_MS = 1_000;

/** Kills leader after leader of three servers. Redis alone elects none. */
export async function* measureFailover(scene: Scene): AsyncGenerator<Sample[]> {
  const { load, sizes } = scene;
  await using side = await startSide(scene, scene.peers.filter(({ who }) => who !== "redis"), 3);
  const name = "leader killed: until a write is acknowledged";
  const row: Row = { name, unit: "ms", more: false, goals: [{ over: "etcd", bound: 1.5 }] };
  const longest: Row = { ...row, name: `${name}, longest`, goals: [{ bound: 3_000 }] };
  const times = side.all.map((): number[] => []);
  for (let run = 0; run < sizes.runs; run++) {
    for (const [i, servers] of side.all.entries()) {
      const { ms, server } = await load.run(servers.target, "failover");
      times[i]!.push(ms as number);
      yield [{ row, who: servers.peer.who, value: ms as number }];
      await servers.kill(server as number);
      await servers.start(server as number);
      await load.run(servers.only(server as number), "await");
      await rest(REST_MS);
    }
  }
  yield side.all.map(({ peer: { who } }, i) => ({
    row: longest,
    who,
    value: Math.max(...times[i]!),
  }));
}

/** One server with many keys is killed and started again. */
export async function* measureRestart(scene: Scene): AsyncGenerator<Sample[]> {
  const { keys } = scene.sizes;
  const goals = { time: [{ bound: 1_000 }], memory: [{ bound: 120 }] };
  for await (const found of restarts(scene, scene.peers, keys, goals)) yield found;
}

/** The same of skein with very many. */
export async function* measureLargeRestart(scene: Scene): AsyncGenerator<Sample[]> {
  const goals = { time: [{ bound: 2_000 }], memory: [] };
  const peers = scene.peers.filter(({ who }) => who === "skein");
  for await (const found of restarts(scene, peers, scene.sizes.manyKeys, goals)) yield found;
}

async function* restarts(
  scene: Scene,
  peers: readonly Peer[],
  keys: number,
  goals: { readonly time: readonly Goal[]; readonly memory: readonly Goal[] },
): AsyncGenerator<Sample[]> {
  const { load, sizes } = scene;
  await using side = await startSide(scene, peers, 1);
  const row = (name: string, unit: string, of: readonly Goal[]): Row => ({
    name: `${keys.toLocaleString("en-US")} keys: ${name}`,
    unit,
    more: false,
    goals: of,
  });
  for (const { peer: { who }, target } of side.all) {
    const found = await load.run(target, "fill", { keys, clients: 4, limit: "5m" });
    const refusals = row("batches of 1,000 refused while they are set", "batches", [{ bound: 0 }]);
    yield [
      { row: row("to set them", "s", []), who, value: found["ms"]! / 1_000 },
      { row: refusals, who, value: found["refusals"]! },
    ];
  }
  for (let run = 0; run < sizes.runs; run++) {
    for (const servers of side.all) {
      await rest(REST_MS);
      const ms = await restart(servers, keys, scene);
      await rest(REST_MS);
      const { who } = servers.peer;
      yield [
        { row: row("start to first read", "ms", goals.time), who, value: ms },
        { row: row("memory then", "MiB", goals.memory), who, value: residentMiB(servers.pids[0]!) },
      ];
    }
  }
}

async function restart(servers: Servers, keys: number, { load }: Scene): Promise<number> {
  await servers.kill(0);
  const since = performance.timeOrigin + performance.now();
  const { target } = servers;
  const awaited = load.run(target, "await", { key: `k${keys - 1}`, since });
  await servers.start(0);
  return (await awaited)["ms"] as number;
}
