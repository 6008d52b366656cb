/**
 * What servers cost that nobody uses.
 *
 * @module
 */

import { join } from "node:path";
import { eventually, type Program, skein } from "../../tests/support/agents.ts";
import { Rpc } from "../../tests/support/interop/rpc.ts";
import { rest } from "../cluster.ts";
import { cpuMs, residentMiB } from "../process.ts";
import { bundled } from "../scenarios/life.ts";
import type { Goal, Row, Sample, Who } from "./figures.ts";
import { agentCommand, type Peer, Servers, skeinPeerOf } from "./peers.ts";
import { HOSTS, type Scene, serversOf } from "./scene.ts";

/**
 * One server and three of each peer, and an agent of skein that is no server; all at once, as none does anything. Then the same
 * of skein alone as the bundle that the single binary holds.
 */
export async function* measureIdle(scene: Scene): AsyncGenerator<Sample[]> {
  const { ground, peers, sizes } = scene;
  const bundle = await bundled(join(ground.folder, "bundle"));
  for (let run = 0; run < sizes.runs; run++) {
    yield await measureOnce(scene, peers, skein);
    const samples = await measureOnce(scene, [skeinPeerOf(bundle)], bundle);
    yield samples.map((sample) => ({
      ...sample,
      row: { ...sample.row, name: `${sample.row.name}, bundle` },
    }));
  }
}

async function measureOnce(
  scene: Scene,
  peers: readonly Peer[],
  program: Program,
): Promise<Sample[]> {
  const { ground, hosts, sizes } = scene;
  await using stack = new AsyncDisposableStack();
  const clusters: Servers[] = [];
  for (const peer of peers) {
    for (const some of [hosts.slice(0, 1), hosts.slice(1, 4)]) {
      clusters.push(stack.use(await Servers.start(peer, some, scene)));
    }
  }
  const host = hosts[HOSTS - 1] as string;
  const agent = ground.spawn(agentCommand(program, "plain", host), { NO_COLOR: "1" });
  stack.defer(() => agent.kill());
  await eventually("the agent answers", async () => {
    await using _ = await Rpc.connect(`${host}:7373`);
    return true;
  });
  await rest(sizes.restMs);
  const before = clusters.map(({ pids }) => cpuOf(pids));
  await rest(sizes.idleMs);
  const plainMiB = residentMiB(agent.pid);
  return clusters.flatMap(({ peer: { who }, pids }, i) => {
    const size = pids.length;
    const each = pids.reduce((sum, pid) => sum + residentMiB(pid), 0) / size;
    const cpu = (cpuOf(pids) - before[i]!) / sizes.idleMs * 100;
    const more = who === "skein"
      ? [
        sample(who, size, "memory above an agent that is none", "MiB", each - plainMiB, [{
          bound: 15,
        }]),
      ]
      : [];
    return [
      sample(who, size, "memory of each", "MiB", each),
      ...more,
      sample(who, size, "CPU of all", "%", cpu, size === 1 ? [] : [{ bound: 2 }]),
    ];
  });
}

function sample(
  who: Who,
  size: number,
  name: string,
  unit: string,
  value: number,
  goals: readonly Goal[] = [],
): Sample {
  const row: Row = { name: `${serversOf(size)}: ${name}`, unit, more: false, goals };
  return { row, who, value };
}

function cpuOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
}
