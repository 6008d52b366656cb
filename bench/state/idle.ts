/**
 * What servers cost that nobody uses.
 *
 * @module
 */

import { eventually } from "../../tests/support/agents.ts";
import { Rpc } from "../../tests/support/interop/rpc.ts";
import { rest } from "../cluster.ts";
import { cpuMs, residentMiB } from "../process.ts";
import type { Goal, Row, Sample, Who } from "./figures.ts";
import { agentCommand, Servers } from "./peers.ts";
import { HOSTS, type Scene, serversOf } from "./scene.ts";

/** After what time their memory is read and their CPU is watched, in milliseconds. */
const REST_MS = 3_000;

/** One server and three of each peer, and an agent of skein that is no server; all at once, as none does anything. */
export async function* measureIdle(scene: Scene): AsyncGenerator<Sample[]> {
  for (let run = 0; run < scene.sizes.runs; run++) yield await measureOnce(scene);
}

async function measureOnce(scene: Scene): Promise<Sample[]> {
  const { ground, hosts, peers, sizes } = scene;
  await using stack = new AsyncDisposableStack();
  const clusters: Servers[] = [];
  for (const peer of peers) {
    for (const some of [hosts.slice(0, 1), hosts.slice(1, 4)]) {
      clusters.push(stack.use(await Servers.start(peer, some, scene)));
    }
  }
  const host = hosts[HOSTS - 1] as string;
  const agent = ground.spawn(agentCommand("plain", host), { NO_COLOR: "1" });
  stack.defer(() => agent.kill());
  await eventually("the agent answers", async () => {
    await using _ = await Rpc.connect(`${host}:7373`);
    return true;
  });
  await rest(REST_MS);
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
