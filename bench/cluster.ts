/**
 * Clusters of one kind of agent, started for a measurement and ended with it.
 *
 * @module
 */

import {
  type AgentProcess,
  eventually,
  type Program,
  startAgent,
} from "../tests/support/agents.ts";
import { Rpc } from "../tests/support/interop/rpc.ts";
import { loopback } from "../tests/support/loopback.ts";

/** Where the measured agents live. */
export const HOST = loopback();

/** A cluster whose members all see each other alive. */
export interface BenchCluster extends AsyncDisposable {
  readonly agents: readonly AgentProcess[];
  /** One RPC connection to each agent. */
  readonly rpcs: readonly Rpc[];
}

/** Starts `count` agents that do not know each other. */
export async function startSingles(program: Program, count: number): Promise<BenchCluster> {
  await using stack = new AsyncDisposableStack();
  const agents: AgentProcess[] = [];
  const rpcs: Rpc[] = [];
  // Two at a time: the machine has few cores, and a start is mostly CPU.
  for (let i = 0; i < count; i += 2) {
    const names = [i, i + 1].filter((index) => index < count).map((index) => `m${index}`);
    const started = await Promise.all(names.map((name) => start(program, name)));
    for (const agent of started) agents.push(stack.use(agent));
  }
  for (const agent of agents) rpcs.push(stack.use(await Rpc.connect(agent.rpc)));
  const owned = stack.move();
  return { agents, rpcs, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Starts `count` agents and joins them, one after the other. */
export async function startCluster(program: Program, count: number): Promise<BenchCluster> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await startSingles(program, count));
  const [first] = cluster.agents;
  for (const rpc of cluster.rpcs.slice(1)) await join(rpc, first!);
  await Promise.all(cluster.rpcs.map((rpc) => showsAlive(rpc, count)));
  stack.move();
  return cluster;
}

/** Starts one agent. */
export function start(program: Program, name: string): Promise<AgentProcess> {
  return startAgent(program, {
    name,
    host: HOST,
    flags: ["-log-level=err", "-tag=role=web", "-tag=dc=east"],
  });
}

/** Joins the cluster of `target`. */
export async function join(rpc: Rpc, target: AgentProcess): Promise<void> {
  await rpc.must("join", { Existing: [target.gossip], Replay: false });
}

/** Waits until an agent lists `count` alive members. */
export async function showsAlive(rpc: Rpc, count: number, limitMs = 90_000): Promise<void> {
  await eventually(`${count} alive members`, async () => {
    return (await rpc.members()).filter(({ Status }) => Status === "alive").length === count;
  }, limitMs);
}

/** Resolves after `ms` milliseconds. */
export function rest(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
