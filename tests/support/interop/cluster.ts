/**
 * A cluster of both kinds of agents for a test to act on, and the one question that all of these tests ask:
 * does every agent say the same about every member?
 *
 * @module
 */

import {
  type AgentOptions,
  type AgentProcess,
  eventually,
  type Program,
  startAgent,
} from "../agents.ts";
import { Rpc, type RpcMember } from "./rpc.ts";

/** How long a state may take to arrive, in milliseconds. */
export const LIMIT_MS = 60_000;

/** An agent with an RPC connection to it. */
export interface Node extends AsyncDisposable {
  readonly agent: AgentProcess;
  readonly rpc: Rpc;
  readonly name: string;
}

/**
 * Starts an agent and connects to it.
 *
 * The timing profile is `lan`: it sends a broadcast four times, which reaches each of up to four others, where
 * `local` sends it twice and leaves the rest to the next push/pull.
 */
export async function startNode(
  program: Program,
  name: string,
  host: string,
  options: Partial<AgentOptions> = {},
): Promise<Node> {
  const flags = [`-tag=kind=${program.label}`, ...options.flags ?? []];
  const agent = await startAgent(program, { ...options, name, host, flags });
  const rpc = await Rpc.connect(agent.rpc);
  return {
    agent,
    rpc,
    name,
    async [Symbol.asyncDispose]() {
      await agent.stop();
      await rpc[Symbol.asyncDispose]();
    },
  };
}

/** Lets `joiner` join `target` through RPC; throws when it does not reach it. */
export async function join(joiner: Node, target: Node): Promise<void> {
  await joiner.rpc.must("join", { Existing: [target.agent.gossip], Replay: false });
}

/**
 * Waits until each of `nodes` shows exactly the members of `statuses`, each with its status.
 *
 * Everything takes less than a second, a failure 5 to 10 s. The limit leaves room for one
 * push/pull, at most 30 s away, which carries what gossip happened to miss.
 */
export async function allShow(
  nodes: readonly Node[],
  statuses: Record<string, string>,
  limitMs = LIMIT_MS,
): Promise<void> {
  const wanted = describe(Object.entries(statuses));
  for (const node of nodes) {
    let shown = "";
    await eventually(`${node.name} shows ${wanted}`, async () => {
      shown = describe((await node.rpc.members()).map((m) => [m.Name, m.Status]));
      return shown === wanted;
    }, limitMs).catch((cause) => {
      throw new Error(`${node.name} shows ${shown}, not ${wanted}\n${node.agent.output()}`, {
        cause,
      });
    });
  }
}

/** Waits until each of `nodes` shows a member called `name` for which `holds` is true. */
export async function allShowMember(
  nodes: readonly Node[],
  name: string,
  what: string,
  holds: (member: RpcMember) => boolean,
): Promise<void> {
  for (const node of nodes) {
    await eventually(`${node.name} shows ${name} with ${what}`, async () => {
      return (await node.rpc.members()).some((member) => member.Name === name && holds(member));
    }, LIMIT_MS);
  }
}

function describe(statuses: [string, string][]): string {
  return statuses.map(([name, status]) => `${name} ${status}`).sort().join(", ");
}
